"""Decoding with PocketSphinx, also as a program: sound on standard input, words on standard output.

As a program it stands alone, so that it starts quickly: the standard library and PocketSphinx.

A request has two parts, each a number of bytes (4 bytes, little-endian) and as many bytes: words
for it alone, JSON as of `add_words` or nothing, and s16 PCM at 16 kHz. The answer is a line of
JSON: `{"words": [...], "logprobs": [...]}`; or, where there is none, `{"error": ...}` with the type
of an exception. Each request gets one answer, in order. A request without sound has no answer: it
asks that the one under way be given up, whose answer then is `{"error": "stopped"}`. The first
line, `{"ready": true}`, comes when the models are loaded. Each line has `cpu_s`, the processor time
it took in seconds. The end of standard input ends the program.
"""

import json
import math
import os
import re
import select
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from time import process_time
from typing import Any

_NOT_A_WORD = re.compile(r"^[<\[+]")
_VARIANT = re.compile(r"\(\d+\)$")

_PIPE_BYTES = 65_536


def load_decoder(options: dict[str, Any]) -> Any:
    """Return a decoder with these options of PocketSphinx.

    Raises RuntimeError for a model that it cannot read.
    """
    from pocketsphinx import Config, Decoder

    return Decoder(Config(loglevel="FATAL", **options))


def add_words(decoder: Any, words: Sequence[tuple[str, list[str], float]]) -> None:
    """Have `decoder` know these words, too, each with its pronunciations: phones, blanks between.

    The number says how likely it is, of what all words are on average.
    """
    model = decoder.get_lm()
    for word, _, weight in words:
        # Before the decoder does, which would make it as likely as any word.
        model.add_word(word, weight)
    entries = [
        (word if number == 1 else f"{word}({number})", phones)
        for word, ways, _ in words
        for number, phones in enumerate(ways, 1)
    ]
    for number, (entry, phones) in enumerate(entries, 1):
        decoder.add_word(entry, phones, update=number == len(entries))


def decode(decoder: Any, pcm: bytearray) -> tuple[list[str], list[float]]:
    """Return the words of an utterance and the log-posterior of each, fillers left out."""
    try:
        return _decode(decoder, pcm)
    finally:
        # The words of the last utterance stay in a decoder until the next one begins; and one that
        # failed amid an utterance begins no other.
        for step in (decoder.end_utt, decoder.start_utt, decoder.end_utt):
            with suppress(RuntimeError):
                step()


def _decode(decoder: Any, pcm: bytearray) -> tuple[list[str], list[float]]:
    # Without this the noise estimate of the utterance before would be subtracted from this one.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return [], []
    found = [s for s in decoder.seg() or () if not _NOT_A_WORD.match(s.word)]
    # The logarithm's base of 1.0001 lets a posterior come out a hair above 1.
    logprobs = [math.log(min(max(s.prob, 1e-10), 1.0)) for s in found]
    return [_VARIANT.sub("", s.word) for s in found], logprobs


def serve(decoder: Any, requests: int, answers: int) -> None:
    """Answer requests from one file descriptor to another until the first one ends.

    Each is decoded by a fork, which shares the models: it can be given up at any time, and this
    process still hears of the end of its input.
    """
    _tell(answers, {"ready": True, "cpu_s": process_time()})
    while (words := _part(requests)) is not None and (pcm := _part(requests)) is not None:
        if pcm:  # else too late: that request has been answered
            _serve(decoder, words, pcm, requests, answers)
            _overwrite(pcm)


def _serve(decoder: Any, words: bytearray, pcm: bytearray, requests: int, answers: int) -> None:
    """Answer one request; its words are in one buffer here, which is overwritten then."""
    reader, writer = os.pipe()
    fork = os.fork()
    if fork == 0:
        for descriptor in (requests, answers, reader):
            os.close(descriptor)
        _decode_and_exit(decoder, words, pcm, writer)
    os.close(writer)
    answer = _answer(reader, requests)
    if answer is None:
        os.kill(fork, signal.SIGKILL)
    os.close(reader)
    _, _, used = os.wait4(fork, 0)
    if answer is None:
        answer = bytearray(b'{"error": "stopped"}\n')
    elif not answer.endswith(b"}\n"):
        _overwrite(answer)
        answer = bytearray(b'{"error": "died"}\n')
    _write(answers, memoryview(answer)[:-2])
    _write(answers, b', "cpu_s": %.6f}\n' % (used.ru_utime + used.ru_stime))
    _overwrite(answer)


def _overwrite(data: bytearray) -> None:
    data[:] = bytes(len(data))


def _decode_and_exit(decoder: Any, words: bytearray, pcm: bytearray, writer: int) -> None:
    try:
        if words:
            add_words(decoder, json.loads(words))
        found, logprobs = decode(decoder, pcm)
        answer: dict[str, Any] = {"words": found, "logprobs": logprobs}
    except Exception as error:
        answer = {"error": type(error).__name__}
    try:
        _tell(writer, answer)
    finally:
        os._exit(0)


def _answer(reader: int, requests: int) -> bytearray | None:
    """Return what the fork writes, or None as soon as anything comes from the other side."""
    room, size = bytearray(_PIPE_BYTES), 0
    poll = select.poll()
    for descriptor in (reader, requests):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if requests in ready:
            _overwrite(room)
            return None
        if size == len(room):
            # Not by growing it, which may leave a copy behind.
            larger = bytearray(2 * len(room))
            larger[:size] = room
            _overwrite(room)
            room = larger
        read = os.readv(reader, [memoryview(room)[size:]])
        if not read:
            del room[size:]
            return room
        size += read


def _part(descriptor: int) -> bytearray | None:
    """Return the next part of a request, None at the end."""
    size = _read(descriptor, 4)
    return None if size is None else _read(descriptor, int.from_bytes(size, "little"))


def _read(descriptor: int, size: int) -> bytearray | None:
    # Straight into the one buffer that is overwritten in the end.
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        read = os.readv(descriptor, [rest])
        if not read:
            return None
        rest = rest[read:]
    return data


def _tell(descriptor: int, answer: dict[str, Any]) -> None:
    _write(descriptor, json.dumps(answer).encode() + b"\n")


def _write(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def main() -> None:
    """Run the program; its argument is JSON: `{"path": ..., "options": {}, "words": []}`."""
    # An interrupt at the terminal and the end of a service go to every process: the one that
    # listens still wants its last text, and says by closing the pipe that it is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Whatever the library might print must not stand between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    settings = json.loads(sys.argv[1])
    sys.path.append(settings["path"])
    # A broken pipe: nobody is left who would want an answer.
    with suppress(BrokenPipeError):
        decoder = load_decoder(settings["options"])
        add_words(decoder, settings["words"])
        serve(decoder, 0, answers)
    os._exit(0)


if __name__ == "__main__":
    main()
