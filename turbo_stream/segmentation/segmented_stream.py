"""The first half of a stream: from what a source yields to events and segments."""

from dataclasses import replace
from numbers import Integral

import numpy as np

from turbo_stream._util.option import shown
from turbo_stream._util.origin import Origin
from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.barge_in import BargeIn
from turbo_stream.audio.source import Block, Connection, Gap, Pcm, SourceItem
from turbo_stream.errors import InputError
from turbo_stream.events import Event, GapReported, SourceChanged, SpeechStarted
from turbo_stream.segmentation.segment import (
    Segment,
    SegmenterOutput,
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)
from turbo_stream.segmentation.segmenter import Segmenter

StreamOutput = Event | Segment | SegmentPaused | SegmentResumed
"""An event that is certain, or a segment that somebody has to decide on."""


class SegmentedStream:
    """Echo, breaks in listening and gaps, then the segmenter; the one way in for sound.

    The synchronous core and the live shell both feed it and differ in what they do with the
    segments. Not thread-safe: one thread feeds it.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        self.origin = Origin("a stream")
        """Whose it is; checked with everything that is fed."""
        self._barge_in = BargeIn()
        self._paused = False

    @property
    def paused(self) -> bool:
        """Whether sound is taken for silence at present."""
        return self._paused

    @property
    def now_sample(self) -> int:
        """Stream time so far: samples fed and samples lost."""
        return self.segmenter.fed_samples + self.segmenter.lost_samples

    def feed(self, item: SourceItem) -> list[StreamOutput]:
        """Process one item of a source."""
        match item:
            case Block(pcm, reference):
                return self.process(pcm, reference)
            case Gap(lost_samples, cause):
                return self.gap(lost_samples, cause)
            case Connection():
                return self.connection(item)
            case _:
                raise InputError(
                    f"a source gave {type(item).__name__}; give `Block`, `Gap` or `Connection`"
                )

    def process(self, pcm: Pcm, reference: Pcm | None = None) -> list[StreamOutput]:
        """Feed `pcm`, `[N]` int16 at 16 kHz; `reference`, `[N]`, is what the device played."""
        self.origin.check()
        pcm = _checked(pcm)
        if self._paused:
            pcm = np.zeros_like(pcm)
        elif reference is not None or self._barge_in.listening:
            played = np.zeros_like(pcm) if reference is None else _checked(reference)
            pcm = self._barge_in.without_echo(pcm, played, self.now_sample)
        outputs = self._outputs(self.segmenter.process(pcm))
        self._barge_in.forget(self.segmenter.oldest_sample)
        return outputs

    def gap(self, lost_samples: int, cause: str) -> list[StreamOutput]:
        """Advance the stream by `lost_samples` that nobody heard."""
        self.origin.check()
        if not isinstance(lost_samples, Integral) or lost_samples < 0:
            raise InputError(
                f"a gap of {shown(lost_samples)} samples was reported; give an integer from 0 on"
            )
        lost_samples = int(lost_samples)
        report = GapReported(to_seconds(self.now_sample), lost_samples, cause)
        return [report, *self._outputs(self.segmenter.gap(lost_samples))]

    def connection(self, change: Connection) -> list[StreamOutput]:
        """Note that the source changed; an utterance that it broke off is dropped."""
        self.origin.check()
        event = SourceChanged(change.state, change.detail)
        if change.state in ("active", "muted"):
            return [event]
        return [event, *self.abort()]

    def abort(self) -> list[StreamOutput]:
        """End the stream because its source broke: an utterance still open is dropped."""
        self.origin.check()
        return self._outputs(self.segmenter.abort())

    def pause(self) -> list[StreamOutput]:
        """Take sound for silence from here on; ends an open utterance."""
        self._paused = True
        return self.flush()

    def resume(self) -> None:
        """Listen again."""
        self._paused = False

    def flush(self) -> list[StreamOutput]:
        """End an utterance that is still open."""
        self.origin.check()
        return self._outputs(self.segmenter.flush())

    def reset(self) -> None:
        """Start a new stream."""
        self.segmenter.reset()
        self._barge_in.reset()
        self._paused = False

    def _outputs(self, outputs: list[SegmenterOutput]) -> list[StreamOutput]:
        return [self._output(output) for output in outputs]

    def _output(self, output: SegmenterOutput) -> StreamOutput:
        match output:
            case SegmentStarted(id, start_sample):
                return SpeechStarted(id, to_seconds(start_sample))
            case Segment():
                during = self._barge_in.during(output.start_sample, output.end_sample)
                return output if during is None else replace(output, barge_in=during)
            case _:
                return output


def _checked(pcm: Pcm) -> Pcm:
    if not isinstance(pcm, np.ndarray):
        raise InputError(
            f"samples were given as {type(pcm).__name__}; give an array, of raw bytes "
            "numpy.frombuffer(data, numpy.int16)"
        )
    if pcm.dtype != np.int16 or pcm.ndim != 1:
        raise InputError(
            f"samples of type {pcm.dtype} and shape {list(pcm.shape)} were given; "
            "give int16 of shape [N], 16 kHz mono"
        )
    return pcm
