"""The first minutes of a source that would go on for ever."""

from collections.abc import Iterator

from turbo_stream.audio.source import Block, Gap, Source, SourceItem


class Limited:
    """A source that ends after so many samples, heard or lost."""

    def __init__(self, source: Source, samples: int) -> None:
        """End `source` after `samples`."""
        self.live = source.live
        self._source = source
        self._samples = samples

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield what the source yields, until then."""
        left = self._samples
        for item in self._source:
            if isinstance(item, Block):
                left -= len(item.pcm)
            elif isinstance(item, Gap):
                left -= item.lost_samples
            yield item
            if left <= 0:
                break
        self.close()

    def close(self) -> None:
        """End the source."""
        self._source.close()
