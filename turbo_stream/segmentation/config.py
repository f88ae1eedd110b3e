"""The durations by which the segmenter decides; `docs/lab/segmentation.md` has the measurements."""

from dataclasses import dataclass, fields

from turbo_stream.errors import InputError


@dataclass(frozen=True)
class SegmenterConfig:
    """Settings of `Segmenter`. Raises `InputError` when they contradict each other."""

    pre_roll_ms: float = 300
    """Audio kept before the first sample of speech."""

    tail_ms: float = 200
    """Audio kept after the last sample of speech, as far as it was heard at `pause_ms`."""

    onset_voice_ms: float = 80
    """Voice needed within `onset_window_ms` before an utterance opens."""

    onset_window_ms: float = 200
    """The window in which that voice is looked for."""

    resume_voice_ms: float = 60
    """Voice needed within `resume_window_ms` before a pause counts as over."""

    resume_window_ms: float = 100
    """The window in which that voice is looked for."""

    min_speech_ms: float = 90
    """An utterance with less voice than this is dropped as `too_short`."""

    min_sound_ms: float = 50
    """So is one whose sound is shorter than this: a click on which the detector hung over."""

    pause_ms: float = 160
    """Silence after which an utterance is taken for perhaps finished: its sound is scored, and
    speculative work on it may begin."""

    finished_threshold: float = 0.5
    """From this probability on, that the speaker has finished is likely enough to be believed."""

    likely_silence_ms: float = 540
    """Silence that ends an utterance of that probability."""

    doubt_silence_ms: float = 150
    """How much longer it must be where an end is less likely by a factor of e, and how much shorter
    it may be where it is likelier."""

    finished_silence_ms: float = 400
    """Silence that ends an utterance which surely sounds finished."""

    unfinished_silence_ms: float = 800
    """Silence that ends any utterance of which it can be said how finished it sounds."""

    end_silence_ms: float = 600
    """Silence that ends an utterance as long as nothing is known about the speaker."""

    end_silence_min_ms: float = 500
    """The shortest end silence that a speaker without pauses can bring about."""

    end_silence_max_ms: float = 750
    """The longest end silence that a hesitating speaker can bring about."""

    short_speech_ms: float = 500
    """Utterances with less voice than this wait `short_extra_ms` longer."""

    short_extra_ms: float = 100
    """The extra wait after a short utterance: a name is often followed by its command."""

    cut_off_ms: float = 100
    """Speech that comes so near to the end of the stream is taken for cut off by it."""

    max_utterance_ms: float = 15_000
    """Longer utterances are split."""

    split_search_ms: float = 5_000
    """The last part of a too long utterance, in which the place to split it is looked for."""

    bridge_gap_ms: float = 300
    """Up to this many lost samples are replaced by silence; more of them end an utterance."""

    voice_margin_db: float = 2
    """Frames less than this above the noise floor hold no voice, whatever the detector says."""

    long_after_ms: float = 3_000
    """From this age on an utterance must be louder and louder to go on: a television or other
    talkers behind a command would otherwise keep it open up to its maximum length."""

    long_margin_db_per_s: float = 1.5
    """How fast that margin grows."""

    long_margin_db: float = 8
    """The most it grows."""

    @property
    def longest_silence_ms(self) -> float:
        """The longest silence inside an utterance."""
        return max(self.end_silence_max_ms, self.unfinished_silence_ms)

    def __post_init__(self) -> None:
        """Check the settings against each other."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < float("inf"):
                raise InputError(f"segmenter setting {field.name}={value} must be 0 or more")
        ordered = [
            ("onset_voice_ms", "onset_window_ms"),
            ("resume_voice_ms", "resume_window_ms"),
            ("end_silence_min_ms", "end_silence_ms"),
            ("end_silence_ms", "end_silence_max_ms"),
            ("bridge_gap_ms", "end_silence_min_ms"),
            ("pause_ms", "finished_silence_ms"),
            ("finished_silence_ms", "likely_silence_ms"),
            ("likely_silence_ms", "unfinished_silence_ms"),
        ]
        for small, large in ordered:
            if getattr(self, small) > getattr(self, large):
                raise InputError(
                    f"segmenter setting {small}={getattr(self, small)} must not exceed "
                    f"{large}={getattr(self, large)}"
                )
        if not 1_000 <= self.split_search_ms <= self.max_utterance_ms / 2:
            raise InputError(
                f"segmenter setting split_search_ms={self.split_search_ms} must lie between 1000 "
                f"and half of max_utterance_ms={self.max_utterance_ms}"
            )
