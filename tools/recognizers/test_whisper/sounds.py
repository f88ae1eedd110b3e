"""Rows to train on: sentences rendered cleanly, each time in another room, at another level."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.corpus.build_scene import KITCHEN
from tools.corpus.scene_sound import (
    ambience,
    at_level,
    reverberate,
    room_response,
    speak,
    through_speaker,
)
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples

Samples = NDArray[np.float32]

SCENE_SHARE = 0.6
"""Of the rows with speech, those with a sentence of the scene; the rest keep the ear open."""

_ROOMS = 40

_COMMANDS = """
Stop.|Yes.|No.|Pause.|Louder.|Next.|Stop the music.|Stop the timer.|Pause the music.
Turn on the lights.|Turn off the lights.|Turn the volume up.|Turn the volume down.
What is the weather today?|What is the weather tomorrow?|Will it rain tomorrow?
What time is it?|How long is left on the timer?|Play some music.|Play the next song.
Close the window.|Open the front door.|Lock the front door.|Wake me up at seven.
Call my sister.|Read the news.|Remind me to call mom.|Good night.|What is on my list?
"""

_TALK = """
I saw your brother at the station, he looked so tired.|She looked so happy.|Really?
Did she tell you about her new house?|Did he tell you about his new job?
I saw your sister at the market.|And that was the last goal of the evening.
And that was the final song of the night.|The match will open in spring.
Hi dad, yes, we are just making coffee.|Hi mom, no, we are just eating dinner.
We are just making dinner.|I think he wanted to come with us.|No, he wanted to stay.
I don't think she wanted to eat with us.|We should have called an hour ago.
We should have left an hour ago.|You know, we should go.|Well, my brother was early again.
My mother was late again.|The mayor said the bridge will close in winter.
The mayor said the school will open in spring.|The bridge will open in spring.
Is there any bread left?|I put the milk on the table.|He said the music was too loud.
She left the lights on in the kitchen again.|Ten minutes later he was gone.
It was raining all week.|Tomorrow I will see my mother.|I told him to stop.
Do you want some coffee?|Yes, please.|No, thank you.|Come here and sit down.
What did you say?|I don't know.|We had dinner with the neighbours.|It is too late now.
The weather was so bad that we stayed at home.|Her new job starts in spring.
You know he never calls.|They went to the market in the morning.|Dinner will be ready soon.
"""


@dataclass(frozen=True)
class Rendering:
    """One sentence, as one voice says it."""

    text: str
    speech: Samples


def render(sentences: Iterable[str], tick: Callable[[], None]) -> list[Rendering]:
    """Return each sentence in each voice of the scene; calls `tick` after a sentence."""
    voices = sorted({line.voice for line in KITCHEN})
    made: list[Rendering] = []
    for text in sentences:
        made += [Rendering(text, speak(text, voice)) for voice in voices]
        tick()
    return made


class Sounds:
    """Draws training waveforms: renderings in simulated rooms, and rows without speech."""

    def __init__(self, renderings: list[Rendering], seed: int) -> None:
        scene = {line.text for line in KITCHEN}
        self._scene = [rendering for rendering in renderings if rendering.text in scene]
        self._others = [rendering for rendering in renderings if rendering.text not in scene]
        self._rng = np.random.default_rng(seed)
        self._responses = [
            room_response(
                self._rng,
                reverb_time_s=self._rng.uniform(0.15, 0.4),
                direct_db=self._rng.uniform(6, 15),
            )
            for _ in range(_ROOMS)
        ]

    def speech(self, longest_s: float) -> tuple[Samples, str]:
        """Return one utterance, `[N]` with silence around it, and its text."""
        rng = self._rng
        choice = self._scene if rng.random() < SCENE_SHARE else self._others
        rendering = choice[rng.integers(len(choice))]
        dry = rendering.speech
        if rng.random() < 0.2:
            dry = through_speaker(dry, rng.uniform(100, 300), rng.uniform(3500, 6000))
        sound = at_level(dry, rng.uniform(-34, -16))
        if rng.random() < 0.75:
            sound = reverberate(sound, self._responses[rng.integers(_ROOMS)])
        spare = max(0, to_samples(longest_s) - len(sound))
        lead = int(min(spare, to_samples(rng.uniform(0, 0.5))))
        tail = int(min(spare - lead, to_samples(rng.uniform(0, 0.7))))
        sound = np.pad(sound, (lead, tail))
        return np.clip(sound + self._background(len(sound), loudest_db=-46), -1, 1), rendering.text

    def no_speech(self, longest_s: float) -> tuple[Samples, str]:
        """Return digital silence, room noise, a click, a thump or a tone, `[N]`; no text."""
        rng = self._rng
        n = to_samples(rng.uniform(0.3, longest_s))
        sound = self._background(n, loudest_db=-25) if rng.random() < 0.85 else np.zeros(n)
        if rng.random() < 0.4:
            start, length = rng.integers(n), to_samples(rng.uniform(0.005, 0.4))
            time_s = np.arange(length) / SAMPLE_RATE
            decay = np.exp(-time_s * rng.uniform(8, 200))
            burst = (
                rng.standard_normal(length)
                if rng.random() < 0.5
                else np.sin(2 * np.pi * rng.uniform(60, 3000) * time_s)
            )
            event = (burst * decay * 10 ** (rng.uniform(-40, -10) / 20))[: n - start]
            sound[start : start + len(event)] += event
        return np.clip(sound, -1, 1).astype(np.float32), ""

    def _background(self, n: int, loudest_db: float) -> Samples:
        level_db = self._rng.uniform(-80, loudest_db)
        if self._rng.random() < 0.6:
            return ambience(self._rng, n, level_db)
        return (self._rng.standard_normal(n) * 10 ** (level_db / 20)).astype(np.float32)


def sentences() -> list[str]:
    """Return every distinct sentence, those of the scene first."""
    own = [line for block in (_COMMANDS, _TALK) for line in block.replace("\n", "|").split("|")]
    scene = [line.text for line in KITCHEN]
    return list(dict.fromkeys(scene + [line for line in own if line]))
