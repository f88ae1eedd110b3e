"""Sound through a lossy codec and back, in memory, by FFmpeg (PyAV)."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE


@dataclass(frozen=True)
class Codec:
    """How FFmpeg is asked to encode."""

    encoder: str
    container: str
    rate: int
    """Hertz at which the codec works."""

    sample_format: str
    bit_rate: int | None = None
    """Bits per second; None where the codec has but one."""


CODECS = {
    "g711": Codec("pcm_mulaw", "wav", 8_000, "s16"),
    "opus-12k": Codec("libopus", "ogg", 16_000, "s16", 12_000),
    "mp3-24k": Codec("libmp3lame", "mp3", 16_000, "s16p", 24_000),
}
"""The telephone, a voice chat, and a badly compressed recording."""


def through_codec(pcm: NDArray[np.int16], name: str) -> NDArray[np.int16]:
    """Return `pcm`, `[N]` at 16 kHz, as it comes back from the codec `name`, `[N]`.

    The delay that the codec adds is taken out as far as its container tells of it.
    """
    codec = CODECS[name]
    decoded = _decode(_encode(pcm, codec))
    if len(decoded) < len(pcm):
        decoded = np.concatenate([decoded, np.zeros(len(pcm) - len(decoded), np.int16)])
    return decoded[: len(pcm)]


def _encode(pcm: NDArray[np.int16], codec: Codec) -> io.BytesIO:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=codec.rate)
        stream.layout = "mono"
        if codec.bit_rate is not None:
            stream.bit_rate = codec.bit_rate
        resampler = av.AudioResampler(codec.sample_format, "mono", codec.rate)
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        # Encoders want their own frame size; only the last frame may be shorter.
        size = stream.codec_context.frame_size or fifo.samples or 1
        while fifo.samples:
            container.mux(stream.encode(fifo.read(min(size, fifo.samples))))
        container.mux(stream.encode(None))
    file.seek(0)
    return file


def _decode(file: io.BytesIO) -> NDArray[np.int16]:
    import av

    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    parts: list[NDArray[np.int16]] = []
    with av.open(file) as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)
