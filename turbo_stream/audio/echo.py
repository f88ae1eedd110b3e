"""Takes the device's own voice out of what its microphone hears, and notices barge-in."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.source import Pcm
from turbo_stream.errors import InputError

FRAME = 160
"""Samples the canceller works on at a time, 10 ms."""

DELAY_SAMPLES = 288
"""How much later a sound leaves `EchoGate` than it entered: one frame, and 128 for the filters."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class EchoGateConfig:
    """When sound that is left after the echo was cancelled counts as somebody speaking.

    The defaults were chosen with `tools.measurements.sound.echo`; its table is in
    `docs/lab/log.md`.
    """

    reference_floor_db: float = -50.0
    """dBFS above which the device counts as speaking."""

    reference_hold_frames: int = 50
    """10 ms frames for which its echo is expected to go on afterwards."""

    near_floor_db: float = -52.0
    """dBFS that near speech must reach."""

    near_to_echo_db: float = -9.0
    """Near speech may be this much below the loudest that the microphone heard of late."""

    echo_decay_db_s: float = 10.0
    """How fast that loudest level is forgotten, in dB per second; slower than a room's reverb."""

    near_frames: int = 8
    """So many of the last `near_window` frames must hold near speech."""

    near_window: int = 12


@dataclass
class EchoState:
    """What `EchoGate` carries from call to call."""

    pcm: Pcm = field(default_factory=lambda: np.zeros(0, np.int16))
    """Samples that do not fill a frame yet."""

    reference: Pcm = field(default_factory=lambda: np.zeros(0, np.int16))

    out: Pcm = field(default_factory=lambda: np.zeros(FRAME, np.int16))
    """Finished samples not yet returned; starts with one frame, so that there always are enough."""

    near: Flags = field(default_factory=lambda: np.zeros(FRAME, np.bool_))

    heard_power: float = 0.0
    """Of the microphone, smoothed over about 30 ms, full scale = 1."""

    left_power: float = 0.0
    """The same after cancelling."""

    loudest_power: float = 0.0
    """`heard_power` at its loudest of late."""

    reference_hold: int = 0
    """Frames for which the device still counts as speaking."""

    near_frames: deque[bool] = field(default_factory=deque)
    """For the latest frames, whether near speech was in them."""

    def reset(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]


class EchoGate:
    """WebRTC's echo canceller (AEC3, from the `livekit` package) with a near-speech detector.

    Deterministic, and independent of how the stream is cut into calls.
    """

    def __init__(self, config: EchoGateConfig | None = None) -> None:
        """Start the canceller.

        Raises:
            InputError: the `echo` extra is not installed.
        """
        try:
            from livekit import rtc
        except ImportError as error:
            raise InputError(
                "an echo reference needs the extra `echo`: pip install 'turbo-listen[echo]'; or "
                "call pause() while the device speaks"
            ) from error
        self._rtc: Any = rtc
        self.config = config or EchoGateConfig()
        self.state = EchoState()
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self.state.reset()
        self._canceller = self._rtc.AudioProcessingModule(
            echo_cancellation=True, high_pass_filter=True
        )

    def process(self, pcm: Pcm, reference: Pcm) -> tuple[Pcm, Flags]:
        """Cancel the echo of `reference` in `pcm`.

        Args:
            pcm: `[N]` int16, 16 kHz, from the microphone.
            reference: `[N]` int16, 16 kHz, what the device was playing at the same time; the echo
                may come up to about 200 ms later.

        Returns:
            `[N]` samples without the echo, `DELAY_SAMPLES` (18 ms) late, beginning with silence;
            and `[N]` flags for these samples: True where somebody speaks while the device
            does, or up to half a second after it. A flag needs 80 ms of speech to rise and falls
            50 ms after it.

        Raises:
            InputError: the two have different shapes.
        """
        if pcm.ndim != 1 or pcm.shape != reference.shape:
            raise InputError(
                f"pcm {list(pcm.shape)} and reference {list(reference.shape)} must be equally "
                "long, [N]; pad the reference with zeros while the device is silent"
            )
        state = self.state
        heard, played = np.append(state.pcm, pcm), np.append(state.reference, reference)
        out, near = [state.out], [state.near]
        whole = len(heard) // FRAME * FRAME
        for start in range(0, whole, FRAME):
            frame = heard[start : start + FRAME]
            left = self._cancel(frame, played[start : start + FRAME])
            speech = self._near_speech(frame, played[start : start + FRAME], left)
            out.append(left)
            near.append(np.full(FRAME, speech))
        state.pcm, state.reference = heard[whole:], played[whole:]
        samples, flags = np.concatenate(out), np.concatenate(near)
        state.out, state.near = samples[len(pcm) :], flags[len(pcm) :]
        return samples[: len(pcm)], flags[: len(pcm)]

    def _cancel(self, heard: Pcm, played: Pcm) -> Pcm:
        self._canceller.process_reverse_stream(self._frame(played))
        frame = self._frame(heard)
        self._canceller.process_stream(frame)
        return np.array(frame.data, dtype=np.int16)

    def _frame(self, samples: Pcm) -> Any:
        return self._rtc.AudioFrame(bytearray(samples.tobytes()), SAMPLE_RATE, 1, FRAME)

    def _near_speech(self, heard: Pcm, played: Pcm, left: Pcm) -> bool:
        config, state = self.config, self.state
        state.heard_power += 0.3 * (_power(heard) - state.heard_power)
        state.left_power += 0.3 * (_power(left) - state.left_power)
        fade = 10 ** (-config.echo_decay_db_s / 10 * FRAME / SAMPLE_RATE)
        state.loudest_power = max(state.heard_power, state.loudest_power * fade)
        state.reference_hold -= 1
        if _db(_power(played)) > config.reference_floor_db:
            state.reference_hold = config.reference_hold_frames
        left_db = _db(state.left_power)
        state.near_frames.append(
            state.reference_hold > 0
            and left_db > config.near_floor_db
            and left_db > _db(state.loudest_power) + config.near_to_echo_db
        )
        if len(state.near_frames) > config.near_window:
            state.near_frames.popleft()
        return sum(state.near_frames) >= config.near_frames


def _power(samples: Pcm) -> float:
    scaled = samples.astype(np.float32) / np.float32(32768)
    return float(scaled @ scaled) / len(samples)


def _db(power: float) -> float:
    return 10 * math.log10(power + 1e-12)
