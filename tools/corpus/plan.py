"""The plan: which sentence is spoken by which voice, how, and in which scene.

Rows come in pairs, one of each class, with the same voice, rate, pitch, level and scene and texts
of about the same length: whatever is not words or a way of speaking is balanced by construction.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tools.corpus.own_texts import names, with_device_name
from tools.corpus.room import AWAY_SHARE
from tools.corpus.scene import GivenSound, Scene, Scenery
from tools.corpus.text_collections import DIRECTED, FOLD_SHARES, FOLDS, NOT_DIRECTED, TextItem
from tools.corpus.text_sources import BY_NAME, KINDS, TextSources
from tools.corpus.voices import (
    VOICES,
    Style,
    Voice,
    draw_styles,
    punctuated,
    restyled,
    spoken,
)

CONTEXT_SHARE = 0.35
"""Share of pairs in a session: both members come after an accepted utterance."""
FOLLOW_UP_SHARE = 0.7
"""Of directed speech in a session, how much follows at once."""
_FOLLOW_UP_MEDIAN_S, _FOLLOW_UP_SPREAD = 4.0, 0.45
"""Log-normal: 88 % between 2 and 8 s."""
_UNRELATED_RANGE_S = (2.0, 300.0)
"""Log-uniform: speech to people, and commands that begin anew."""


@dataclass(frozen=True)
class Context:
    """The last accepted utterance of an imagined session."""

    after_s: float
    """From its end to the beginning of this clip."""
    previous_text: str


def draw_context(label: str, previous_text: str, at_once: bool, rng: random.Random) -> Context:
    """Return when `previous_text` was said; `at_once` for a text that only makes sense soon."""
    if at_once or (label == DIRECTED and rng.random() < FOLLOW_UP_SHARE):
        after_s = rng.lognormvariate(math.log(_FOLLOW_UP_MEDIAN_S), _FOLLOW_UP_SPREAD)
    else:
        after_s = math.exp(rng.uniform(*(math.log(edge) for edge in _UNRELATED_RANGE_S)))
    return Context(round(after_s, 2), previous_text)


@dataclass(frozen=True)
class PlannedClip:
    """Who says what, how, and where."""

    number: int
    item: TextItem
    voice: Voice
    rate: float
    """Speed against the engine's normal one."""
    pitch: float
    """Factor on fundamental and formants together: another, larger or smaller talker."""
    level_db: float
    """Level of the speech in dBFS (RMS)."""
    tone: float = 0.0
    """Fundamental alone, in semitones."""
    scene: Scene = Scene(0)
    spoken: str = ""
    """The text as the synthesizer is given it, where that is not the text itself."""
    style: Style | None = None
    facing: str | None = None
    """`device` or `away`; None where no room is simulated."""
    context: Context | None = None


KIND_SHARES = {
    "plain": 0.585,
    "hard": 0.165,
    "name": 0.15,
    "television": 0.07,
    "follow_up": 0.03,
}
"""Shares of the pairs."""
NAMED_SHARE = 0.5
"""Share of plain pairs heard by a device with a name (not spoken in them)."""
_RANGES = (0.85, 1.25), (0.86, 1.18)
"""Of rate and pitch."""
_NATURAL_RANGES = (0.9, 1.15), (0.94, 1.06)
"""Of Kokoro: it has voices enough, and beyond this they sound played too fast or too slow."""
TONE_RANGE = (-2.5, 2.5)
LEVEL_RANGE_DB = (-32.0, -20.0)
BACKGROUND_TALKERS = 40
"""Sentences per fold that are heard behind the clips, one alone or several as babble."""
_CHARACTERS_PER_S = 18.9


class Planner:
    """Draws balanced pairs from `items`; the same seed draws the same pairs."""

    def __init__(
        self,
        items: list[TextItem],
        seed: int,
        noises: Sequence[GivenSound] = (),
        responses: Sequence[GivenSound] = (),
        voices: Sequence[Voice] = VOICES,
    ) -> None:
        """Draw from `items` by `seed`; noises and room responses are used beside simulated ones."""
        self._voices = voices
        self._rng = random.Random(seed)
        self.scenery = Scenery(self._rng, noises, responses)
        self.texts = TextSources(items, self._rng)
        self._decks: dict[str, list[Voice]] = {fold: [] for fold in FOLDS}
        self.background = {
            fold: [
                self._clip(at, self.texts.any(fold, NOT_DIRECTED))
                for at in range(BACKGROUND_TALKERS)
            ]
            for fold in FOLDS
        }
        """People talking, by fold; scenes name them by their place."""

    def clips(self, hours: float) -> Iterator[PlannedClip]:
        """Yield clips, pair by pair, until they last about `hours`."""
        left_s, number = hours * 3600, 0
        while left_s > 0:
            for clip in self._pair(number):
                spoken_s = len(clip.item.text) / _CHARACTERS_PER_S / clip.rate + 0.14
                left_s -= spoken_s + clip.scene.lead_s + clip.scene.trail_s
                number += 1
                yield clip

    def _pair(self, number: int) -> list[PlannedClip]:
        rng = self._rng
        fold = rng.choices(FOLDS, [FOLD_SHARES[fold] for fold in FOLDS])[0]
        kind = rng.choices(KINDS, [KIND_SHARES[kind] for kind in KINDS])[0]
        device_name = rng.choice(names("names", fold)) if rng.random() < NAMED_SHARE else None
        items = [with_device_name(item, device_name) for item in self.texts.pair(fold, kind)]
        like = self._clip(number, items[0])
        strangers = [
            at for at, other in enumerate(self.background[fold]) if other.voice != like.voice
        ]
        channel = "loudspeaker" if kind == "television" else "air"
        like = replace(like, scene=self.scenery.draw(fold, strangers, channel))
        styles = draw_styles([item.label for item in items], rng)
        in_session = rng.random() < CONTEXT_SHARE
        members = list(zip(items, styles, strict=True))
        rng.shuffle(members)
        return [
            self._member(replace(like, number=number + at, item=item), style, in_session)
            for at, (item, style) in enumerate(members)
        ]

    def _clip(self, number: int, item: TextItem) -> PlannedClip:
        """Return a clip of `item` by a random voice, in the plain way and without a scene."""
        rng = self._rng
        voice = self._voice(item.fold)
        ranges = _NATURAL_RANGES if voice.engine == "kokoro" else _RANGES
        rate, pitch = (math.exp(rng.uniform(math.log(low), math.log(high))) for low, high in ranges)
        level_db, tone = rng.uniform(*LEVEL_RANGE_DB), rng.uniform(*TONE_RANGE)
        return PlannedClip(
            number,
            item,
            voice,
            rate=round(rate, 3),
            pitch=round(pitch, 3),
            level_db=round(level_db, 1),
            tone=round(tone, 2) if voice.tone else 0.0,
        )

    def _member(self, clip: PlannedClip, style: Style | None, in_session: bool) -> PlannedClip:
        """Return a member of a pair with what is its own: style, look, and what came before."""
        item = clip.item
        if style is not None:
            clip = self._styled(clip, style)
        if clip.voice.engine == "kokoro":
            words = clip.spoken or clip.item.text
            clip = replace(clip, spoken=punctuated(words, self._rng))
        if clip.scene.room is not None and clip.scene.channel == "air":
            away = self._rng.random() < AWAY_SHARE[item.label]
            clip = replace(clip, facing="away" if away else "device")
        if in_session or item.previous_text:
            previous = item.previous_text or self.texts.any(item.fold, DIRECTED).text
            at_once = item.previous_text is not None
            clip = replace(clip, context=draw_context(item.label, previous, at_once, self._rng))
        return clip

    def _styled(self, clip: PlannedClip, style: Style) -> PlannedClip:
        item = clip.item
        if item.source not in BY_NAME:
            text = restyled(item.text, style.name, self._rng)
            if self.texts.stays(text, item.fold):
                item = replace(item, text=text)
        return replace(
            clip,
            item=item,
            spoken=spoken(item.text, style.name, self._rng),
            style=style,
            rate=round(clip.rate * style.rate, 3),
            level_db=round(clip.level_db + style.level_db, 1),
        )

    def _voice(self, fold: str) -> Voice:
        """Deal from a shuffled deck, so that each voice keeps its share at any corpus size."""
        deck = self._decks[fold]
        if not deck:
            deck.extend(
                v for v in self._voices if v.fold == fold for _ in range(round(v.share * 10))
            )
            self._rng.shuffle(deck)
        return deck.pop()
