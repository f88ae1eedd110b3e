"""What lies between a pair of talkers and their files, drawn once for both classes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tools.corpus.room import Room, draw_room
from turbo_stream.evaluation.corpus.codec import CODECS

CLEAN_SHARE = 0.35
"""Share of pairs left as spoken: the trainer's own augmentation begins with them."""
ROOM_SHARE = 0.7
"""Of the other pairs, as all below."""
NOISE_SHARE = 0.6
OVERLAP_SHARE = 0.15
CODEC_SHARE = 0.25
CLIPPED_SHARE = 0.08
MARGIN_S = 0.08
"""Before and after the speech of a clean clip."""
_MARGIN_RANGE_S = (0.08, 0.5)
_SNR_RANGE_DB = (3.0, 30.0)
_OVERLAP_RANGE_DB = (4.0, 16.0)
_DRIVE_RANGE_DB = (3.0, 12.0)
_BABBLE_SHARE = 0.25
_RECORDED_NOISE_SHARE, _RECORDED_ROOM_SHARE = 0.5, 0.2
"""Where recordings are given. In a recorded room nobody can be turned to the device or away."""

BABBLE_TALKERS = 6


@dataclass(frozen=True)
class GivenSound:
    """A recorded noise or room response, given by a manifest."""

    path: str
    license: str
    fold: str
    offset_s: float = 0.0
    duration_s: float | None = None


@dataclass(frozen=True)
class Scene:
    """Everything in the way of the sound; both members of a pair meet the same."""

    seed: int
    """Of whatever is random in the samples themselves."""
    fold: str = "train"
    """Whose talkers may be heard in it."""
    lead_s: float = MARGIN_S
    trail_s: float = MARGIN_S
    channel: str = "air"
    """`air`, or `loudspeaker`: a television for people's talk, an intercom for commands."""
    room: Room | None = None
    response: GivenSound | None = None
    """A recorded room instead of a simulated one."""
    noise: str | None = None
    """`coloured`, `babble` or `recorded`."""
    noise_recording: GivenSound | None = None
    snr_db: float | None = None
    overlap_db: float | None = None
    """How much quieter the second talker is."""
    others: tuple[int, ...] = ()
    """Which talkers of the background are heard: the second one, or those of the babble."""
    codec: str | None = None
    drive_db: float | None = None
    """How far the peak stands over the limit at which it is clipped."""


class Scenery:
    """Draws scenes from simulated rooms and noises and the recordings that are given."""

    def __init__(
        self,
        rng: random.Random,
        noises: Sequence[GivenSound] = (),
        responses: Sequence[GivenSound] = (),
    ) -> None:
        self._rng = rng
        self._noises, self._responses = noises, responses

    def draw(
        self, fold: str, strangers: Sequence[int], channel: str = "air", *, noisy: bool = False
    ) -> Scene:
        """Return a scene in `fold` in which `strangers` of the background may be heard.

        A `noisy` one has noise in any case: recordings bring some of their own, and it must not
        end with the speech.
        """
        rng = self._rng
        seed = rng.getrandbits(32)
        if channel == "air" and not noisy and rng.random() < CLEAN_SHARE:
            return Scene(seed, fold)
        kinds: dict = {}
        if channel == "loudspeaker" or rng.random() < ROOM_SHARE:
            kinds |= self._place(fold)
        if noisy or rng.random() < NOISE_SHARE:
            kinds |= self._noise(fold, strangers)
        if rng.random() < OVERLAP_SHARE and kinds.get("noise") != "babble":
            kinds["overlap_db"] = self._uniform(_OVERLAP_RANGE_DB)
            kinds["others"] = self._some(strangers, 1)
        if rng.random() < CODEC_SHARE:
            kinds["codec"] = rng.choice(sorted(CODECS))
        if rng.random() < CLIPPED_SHARE:
            kinds["drive_db"] = self._uniform(_DRIVE_RANGE_DB)
        lead_s, trail_s = (round(rng.uniform(*_MARGIN_RANGE_S), 3) for _ in range(2))
        return Scene(seed, fold, lead_s, trail_s, channel, **kinds)

    def _place(self, fold: str) -> dict:
        recorded = [response for response in self._responses if response.fold == fold]
        if recorded and self._rng.random() < _RECORDED_ROOM_SHARE:
            return {"response": self._rng.choice(recorded)}
        return {"room": draw_room(self._rng)}

    def _noise(self, fold: str, strangers: Sequence[int]) -> dict:
        rng = self._rng
        snr_db = self._uniform(_SNR_RANGE_DB)
        recorded = [noise for noise in self._noises if noise.fold == fold]
        if rng.random() < _BABBLE_SHARE:
            others = self._some(strangers, BABBLE_TALKERS)
            return {"noise": "babble", "snr_db": snr_db, "others": others}
        if recorded and rng.random() < _RECORDED_NOISE_SHARE:
            recording = rng.choice(recorded)
            return {"noise": "recorded", "snr_db": snr_db, "noise_recording": recording}
        return {"noise": "coloured", "snr_db": snr_db}

    def _some(self, strangers: Sequence[int], count: int) -> tuple[int, ...]:
        return tuple(self._rng.sample(strangers, count))

    def _uniform(self, span: tuple[float, float]) -> float:
        return round(self._rng.uniform(*span), 1)
