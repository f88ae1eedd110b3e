"""The state machine that turns a stream of samples into utterances."""

import math
from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE, ms_to_samples
from turbo_stream.errors import InputError
from turbo_stream.segmentation._edge import OUTWARD, find_offset, find_onset
from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation._history import History
from turbo_stream.segmentation._state import SegmenterState
from turbo_stream.segmentation._utterance import Frame, OpenUtterance, loud_level, split_point
from turbo_stream.segmentation._watched_vad import WatchedVad
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.judged_pause import judged_pause
from turbo_stream.segmentation.level import NoiseFloor, frame_level
from turbo_stream.segmentation.segment import (
    DropReason,
    PauseScorer,
    Segment,
    SegmenterOutput,
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)
from turbo_stream.segmentation.vad import Vad

QUIET_START_DB = -75.0
"""Noise floor assumed until the room has been heard: low, so that no quiet voice is refused."""


class Segmenter:
    """Finds utterances in 16 kHz mono PCM.

    Works frame by frame of the detector, so what it returns is a function of the samples alone
    and not of how they were chunked, and later samples never change an earlier answer. Every
    `SegmentStarted` is followed by exactly one `Segment` of its id and `start_sample`; spans are
    in order and do not overlap. Between the two, every pause yields a `SegmentPaused`, and a
    `SegmentResumed` if it was not the end. Positions count from the start of the stream, lost
    samples included. Memory holds one utterance of the maximum length and does not grow; the sound
    of an utterance that has ended is overwritten.

    A detector that fails at a frame has heard no speech in it, and a pause scorer that fails
    cannot say: silence alone decides then. Both are logged, and the stream goes on.
    """

    def __init__(
        self,
        vad: Vad,
        config: SegmenterConfig | None = None,
        pause_scorer: PauseScorer | None = None,
    ) -> None:
        """Take the parts; `pause_scorer` is asked at every pause and may shorten the silence."""
        self._vad = WatchedVad(vad)
        self._config = config or SegmenterConfig()
        self.pause_scorer = pause_scorer
        self._onset_frames = self._frames(self._config.onset_voice_ms)
        self._resume_frames = self._frames(self._config.resume_voice_ms)
        self._resume_window = max(
            self._resume_frames,
            ms_to_samples(self._config.resume_window_ms) // self._vad.frame_samples,
        )
        self._state = self._fresh()

    @property
    def fed_samples(self) -> int:
        """Samples given to `process` so far."""
        return self._state.fed_samples

    @property
    def lost_samples(self) -> int:
        """Samples reported to `gap` so far; with `fed_samples` the stream's time."""
        return self._state.lost_samples

    @property
    def speech_samples(self) -> int:
        """Samples fed that lie inside the spans of finished utterances."""
        return self._state.speech_samples

    @property
    def now_sample(self) -> int:
        """Stream time up to which frames have been looked at."""
        return self._state.history.end

    @property
    def speaking(self) -> SegmentStarted | None:
        """The utterance that is being spoken, None in silence and in its pauses."""
        utterance = self._state.utterance
        if utterance is None or utterance.draft is not None:
            return None
        return SegmentStarted(utterance.id, utterance.start_sample)

    @property
    def oldest_sample(self) -> int:
        """No utterance that ends from here on begins before this."""
        return self._state.history.oldest

    @property
    def earliest_start(self) -> int:
        """No utterance whose end is told from here on begins before this."""
        state = self._state
        if state.utterance is not None:
            return state.utterance.start_sample
        window = (state.recent.maxlen or 0) * self._vad.frame_samples
        return max(state.last_end, state.history.oldest, state.history.end - window - OUTWARD)

    @property
    def idle(self) -> bool:
        """Whether nobody speaks, and nothing in the onset window could become speech."""
        state = self._state
        return state.utterance is None and not any(frame.voiced for frame in state.recent)

    def so_far(self) -> Segment:
        """Return what was said so far of the utterance that is being spoken.

        Raises `RuntimeError` where nobody is `speaking`.
        """
        if self._state.utterance is None:
            raise RuntimeError("nobody is speaking: ask `speaking` first")
        return self._draft(self._state.utterance, self._state.history.end)

    def process(self, pcm: NDArray[np.int16]) -> list[SegmenterOutput]:
        """Take in the next samples, `[N]` int16 at 16 kHz, N >= 0; return what they decided.

        Raises `InputError` for another type or shape.
        """
        if not isinstance(pcm, np.ndarray) or pcm.dtype != np.int16 or pcm.ndim != 1:
            given = f"{getattr(pcm, 'dtype', type(pcm).__name__)} {getattr(pcm, 'shape', '')}"
            raise InputError(f"segmenter takes int16 samples of shape [N], got {given.strip()}")
        self._state.fed_samples += pcm.size
        return self._take(pcm)

    def flush(self) -> list[SegmenterOutput]:
        """End the stream: take in the unfinished frame and end an open utterance.

        One that is spoken up to `cut_off_ms` before the end is degraded by `cut_off`.
        """
        rest = self._take_rest()
        return [*rest, *self._stop(degraded=("cut_off",) if self._speech_goes_on() else ())]

    def abort(self) -> list[SegmenterOutput]:
        """End the stream because its source vanished: an open utterance is `source_lost`."""
        return self._stop(dropped="source_lost")

    def gap(self, lost_samples: int) -> list[SegmenterOutput]:
        """Let the stream's clock pass over `lost_samples` that were never received.

        Up to `bridge_gap_ms` they are taken for silence; more of them end an open utterance at
        the last sample received. Either way that utterance is degraded by `gap`. Raises
        `InputError` for a negative number.
        """
        if lost_samples < 0:
            raise InputError(f"a gap of {lost_samples} samples was reported; it must be 0 or more")
        state = self._state
        state.lost_samples += lost_samples
        if lost_samples <= ms_to_samples(self._config.bridge_gap_ms):
            start = state.history.end + state.pending.size
            state.bridged.append((start, start + lost_samples))
            return self._take(np.zeros(lost_samples, np.int16))
        outputs = self._stop(degraded=("gap",))
        state.history.restart(state.history.end + lost_samples)
        state.last_end = state.history.end
        return outputs

    def reset(self) -> None:
        """Start anew: time, ids and counters begin at 0."""
        self._vad.reset()
        self._state = self._fresh()

    def _fresh(self) -> SegmenterState:
        config, frame = self._config, self._vad.frame_samples
        longest_ms = config.max_utterance_ms + config.longest_silence_ms + config.pre_roll_ms
        return SegmenterState(
            history=History(ms_to_samples(longest_ms + 1000) + 2 * frame),
            floor_low=NoiseFloor(1000 * frame / SAMPLE_RATE, QUIET_START_DB),
            floor_high=NoiseFloor(1000 * frame / SAMPLE_RATE, QUIET_START_DB),
            end_silence=EndSilence(config),
            recent=deque(
                maxlen=max(self._onset_frames, ms_to_samples(config.onset_window_ms) // frame)
            ),
        )

    def _frames(self, duration_ms: float) -> int:
        return max(1, math.ceil(ms_to_samples(duration_ms) / self._vad.frame_samples))

    def _take(self, pcm: NDArray[np.int16]) -> list[SegmenterOutput]:
        state, size = self._state, self._vad.frame_samples
        if state.pending.size:
            pcm = np.concatenate((state.pending, pcm))
        whole = pcm.size // size * size
        outputs: list[SegmenterOutput] = []
        for start in range(0, whole, size):
            outputs += self._hear(pcm[start : start + size], size)
        state.pending = pcm[whole:].copy()
        return outputs

    def _stop(
        self, dropped: DropReason | None = None, degraded: tuple[str, ...] = ()
    ) -> list[SegmenterOutput]:
        state, outputs = self._state, self._take_rest()
        if state.utterance is not None:
            outputs.append(self._close(state.utterance, dropped, degraded))
        state.recent.clear()
        state.pause_start = None
        self._vad.reset()
        return outputs

    def _take_rest(self) -> list[SegmenterOutput]:
        """Take in the samples that do not fill a frame."""
        state = self._state
        received = state.pending.size
        if not received:
            return []
        padded = np.zeros(self._vad.frame_samples, np.int16)
        padded[:received] = state.pending
        state.pending = np.empty(0, np.int16)
        return self._hear(padded, received)

    def _speech_goes_on(self) -> bool:
        """Return whether somebody was still speaking when the sound ended."""
        utterance, end = self._state.utterance, self._state.history.end
        if utterance is None:
            return False
        late = end - ms_to_samples(self._config.cut_off_ms)
        if utterance.draft is None:
            return self._draft(utterance).end_sample > late
        return any(f.voiced and f.stop > late for f in utterance.after_speech())

    def _hear(self, frame: NDArray[np.int16], received: int) -> list[SegmenterOutput]:
        """Take in one frame, of which the first `received` samples are real."""
        state = self._state
        start = state.history.end
        state.history.append(frame[:received])
        while state.bridged and state.bridged[0][1] < state.history.oldest:
            state.bridged.popleft()
        level = frame_level(frame[:received])
        over_noise_db = max(
            level.low_db - state.floor_low.update(level.low_db),
            level.high_db - state.floor_high.update(level.high_db),
        )
        utterance = state.utterance
        threshold = self._vad.onset_threshold if utterance is None else self._vad.hold_threshold
        voiced = self._vad.speech_probability(
            frame
        ) >= threshold and over_noise_db >= self._margin_db(start)
        heard = Frame(start, start + received, level, voiced)
        return self._listen(heard) if utterance is None else self._follow(utterance, heard)

    def _margin_db(self, now: int) -> float:
        """Return how far above the noise floor a voice must be at the sample `now`."""
        config, utterance = self._config, self._state.utterance
        if utterance is None:
            return config.voice_margin_db
        old_s = (now - utterance.start_sample) / SAMPLE_RATE - config.long_after_ms / 1000
        grown_db = min(config.long_margin_db, max(0.0, config.long_margin_db_per_s * old_s))
        return config.voice_margin_db + grown_db

    def _listen(self, frame: Frame) -> list[SegmenterOutput]:
        """Nobody speaks: open an utterance when enough of the onset window is voiced."""
        state = self._state
        state.recent.append(frame)
        voiced = [f for f in state.recent if f.voiced]
        if not frame.voiced or len(voiced) < self._onset_frames:
            return []
        first, peak = voiced[0], loud_level(voiced)
        start = find_onset(state.history, first.start, state.floor, peak, state.last_end)
        if state.pause_start is not None:
            state.end_silence.observe((start - state.pause_start) * 1000 / SAMPLE_RATE)
        return [self._open(start, [f for f in state.recent if f.start >= first.start])]

    def _open(self, start: int, frames: list[Frame]) -> SegmentStarted:
        state = self._state
        utterance = OpenUtterance(state.next_id, start, state.last_end, frames)
        if frames:
            utterance.extend(frames)
        state.next_id += 1
        state.utterance = utterance
        state.recent.clear()
        return SegmentStarted(utterance.id, start)

    def _follow(self, utterance: OpenUtterance, frame: Frame) -> list[SegmenterOutput]:
        """Somebody speaks: go on, wait out a pause, end, or split."""
        state, config = self._state, self._config
        outputs: list[SegmenterOutput] = []
        draft = utterance.draft
        utterance.frames.append(frame)
        if frame.voiced:
            window = utterance.after_speech(self._resume_window)
            if frame.start == utterance.speech_end:
                utterance.extend([frame])
            elif sum(f.voiced for f in window) >= self._resume_frames:
                resumed = next(f.start for f in window if f.voiced)
                pause = resumed - utterance.speech_end
                state.end_silence.observe(pause * 1000 / SAMPLE_RATE)
                utterance.extend(window)
            if draft is not None and utterance.draft is None and draft.dropped is None:
                outputs.append(SegmentResumed(utterance.id))
        silence = frame.stop - utterance.speech_end
        if utterance.draft is None and silence >= ms_to_samples(config.pause_ms):
            utterance.draft = self._draft(utterance)
            if utterance.draft.dropped is None:
                score = judged_pause(self.pause_scorer, utterance.draft.pcm)
                utterance.draft = replace(utterance.draft, pause=score)
                outputs.append(SegmentPaused(utterance.draft))
        if silence >= self._end_silence(utterance):
            return [*outputs, self._close(utterance)]
        if utterance.speech_end - utterance.start_sample >= ms_to_samples(config.max_utterance_ms):
            return [*outputs, *self._split(utterance)]
        return outputs

    def _end_silence(self, utterance: OpenUtterance) -> int:
        """Return the samples of silence that end `utterance`."""
        pause = None if utterance.draft is None else utterance.draft.pause
        return self._state.end_silence.required_samples(
            utterance.voiced_samples * 1000 / SAMPLE_RATE,
            None if pause is None else pause.finished_probability,
        )

    def _split(self, utterance: OpenUtterance) -> list[SegmenterOutput]:
        """Cut a too long utterance in two; the second goes on where the first ends."""
        search = utterance.speech_end - ms_to_samples(self._config.split_search_ms)
        margin = utterance.speech_end - ms_to_samples(500)
        candidates = [f for f in utterance.frames if f.start >= search and f.stop <= margin]
        cut = split_point(candidates, ms_to_samples(100))
        first = self._close(utterance, end=cut)
        return [first, self._open(cut, [f for f in utterance.frames if f.start >= cut])]

    def _close(
        self,
        utterance: OpenUtterance,
        dropped: DropReason | None = None,
        degraded: tuple[str, ...] = (),
        end: int | None = None,
    ) -> Segment:
        state = self._state
        draft = utterance.draft
        if draft is None or end is not None:
            draft = self._draft(utterance, end)
        start, end = draft.start_sample, draft.end_sample
        lost = sum(max(0, min(b, end) - max(a, start)) for a, b in state.bridged)
        state.speech_samples += end - start - lost
        state.last_end = state.pause_start = end
        state.utterance = None
        state.recent.clear()
        # The next utterance reaches back to here at most.
        state.history.wipe(end)
        return replace(
            draft,
            endpoint_sample=state.history.end,
            dropped=dropped or draft.dropped,
            degraded=tuple(dict.fromkeys((*draft.degraded, *degraded))),
        )

    def _draft(self, utterance: OpenUtterance, end: int | None = None) -> Segment:
        """Return what `utterance` is if it ends here: at `end`, else where its sound does."""
        config, history = self._config, self._state.history
        start = utterance.start_sample
        tail = ms_to_samples(config.tail_ms)
        if end is None:
            peak = loud_level([f for f in utterance.frames if f.voiced])
            end = find_offset(history, utterance.speech_end, self._state.floor, peak, start + 1)
        else:
            tail = 0
        pcm_start = max(
            start - ms_to_samples(config.pre_roll_ms), utterance.earliest_pcm, history.oldest
        )
        pcm_stop = min(end + tail, history.end)
        too_short = utterance.voiced_samples < ms_to_samples(config.min_speech_ms)
        too_short |= end - start < ms_to_samples(config.min_sound_ms)
        bridged = any(a < pcm_stop and b > pcm_start for a, b in self._state.bridged)
        return Segment(
            id=utterance.id,
            start_sample=start,
            end_sample=end,
            endpoint_sample=history.end,
            pcm=history.read(pcm_start, pcm_stop),
            dropped="too_short" if too_short else None,
            degraded=("gap",) if bridged else (),
            lost_samples=self._state.lost_samples,
        )
