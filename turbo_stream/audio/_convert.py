"""Decoded frames of FFmpeg as float samples of one rate and layout."""

from typing import Any

from turbo_stream.audio._bounds import MOST_DECODED, check_bounds, pieces
from turbo_stream.audio.frames import Frames, Undecodable
from turbo_stream.errors import InputError


class Converter:
    """Makes of each frame what the first one was: a broadcast may go from stereo to 5.1 and back.

    Joined files may change even their rate, and say anything of it.
    """

    def __init__(self, layout: str, rate: int, channels: int) -> None:
        """Convert to `rate` Hz and `channels` channels, which are called `layout`."""
        self._layout = layout
        self._rate = rate
        self._channels = channels
        self._made_for: tuple[str, str, int] | None = None
        self._convert: Any = None

    def converted(self, frame: Any) -> list[Frames]:
        """Return the samples of a frame of PyAV in blocks, `[N, C]` float32.

        Raises:
            Undecodable: it is of a kind that no recording of speech has.
        """
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        try:
            check_bounds("a part of it", rate, channels)
        except InputError:
            raise Undecodable(f"{channels} channels of {rate} samples a second") from None
        longest = max(frame.samples, frame.samples * self._rate // rate)
        if longest * max(channels, self._channels) > MOST_DECODED:
            raise Undecodable(f"{frame.samples} samples of {channels} channels at once")
        shape = (frame.format.name, frame.layout.name, rate)
        try:
            if shape != self._made_for:
                self._made_for = None
                self._convert = _resampler(self._layout, self._rate)
                self._made_for = shape
            # Its own clock would fill up what the stamps leave out.
            frame.pts = None
            # Interleaved: PyAV crashes on 8 separate planes, one for each channel.
            made = [one.to_ndarray().reshape(-1, self._channels) for one in self._ask(frame)]
        except Exception as error:
            raise Undecodable(refusal(error)) from error
        return [piece for samples in made for piece in pieces(samples, self._rate)]

    def _ask(self, frame: Any) -> list[Any]:
        found: list[Any] = self._convert.resample(frame)
        return found


def refusal(error: Exception) -> str:
    """Return what PyAV says of what it refuses: it raises many types, `ValueError` among them."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(said.split())


def _resampler(layout: str, rate: int) -> Any:
    import av

    return av.AudioResampler("flt", layout, rate)
