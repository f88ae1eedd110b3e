"""Files as recorders and browsers leave them, made by PyAV."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def encode(
    path: Path, tracks: list[np.ndarray], codec: str, rate: int, *, late_s: int = 0, picture=False
) -> None:
    """Write mono float tracks `[N]`, which begin `late_s` after the picture, if there is one."""
    with av.open(str(path), "w") as container:
        if picture:
            video = container.add_stream("mpeg4", rate=5)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
        streams = [container.add_stream(codec, rate=rate, layout="mono") for _ in tracks]
        if picture:
            for number in range(5 * (late_s + 1)):
                image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
                image.pts, image.time_base = number, Fraction(1, 5)
                container.mux(video.encode(image))
            container.mux(video.encode(None))
        for stream, samples in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = late_s * rate
            cut = av.AudioResampler(stream.format.name, "mono", rate, stream.frame_size or 1024)
            for part in (*cut.resample(frame), *cut.resample(None)):
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))


def restamp(source: Path, target: Path, stamp: Callable[[float], float | None]) -> None:
    """Copy the packets of `source`, each at the time `stamp` says, or left out if it says None."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.audio[0]
        out = written.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.dts is None:
                continue
            at_s = float(packet.pts * packet.time_base)
            then_s = stamp(at_s)
            if then_s is None:
                continue
            packet.pts = packet.dts = round(then_s / float(packet.time_base))
            packet.stream = out
            written.mux(packet)
