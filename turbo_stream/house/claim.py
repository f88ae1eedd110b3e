"""What a room says of accepted speech so that one room answers it: no text, no sound."""

from dataclasses import dataclass

SAME_SPEECH_S = 0.5
"""What ends within this is the same speech, heard in two rooms."""

STEP_DB = 3.0
"""Levels are compared in steps of this: what differs by less was heard as well."""


@dataclass(frozen=True)
class Claim:
    """One accepted utterance, as one room heard it."""

    id: str
    """Random."""

    room: str

    ear: str
    """Which stream of sound it was heard in, random; a server may hear several rooms."""

    over_noise_db: float
    """How far the speech stood out of the noise of its room."""

    score: float
    """In [0, 1]."""

    ended_s: float
    """When its last sound was there, on the clock of whoever holds this claim."""

    @property
    def order(self) -> tuple[float, float, str, str]:
        """Return what claims are sorted by, the best first; the same for everybody.

        Who heard it best answers: the level first, then the score; the names make it definite.
        """
        return (-round(self.over_noise_db / STEP_DB), -self.score, self.room, self.id)

    def same_speech(self, other: "Claim") -> bool:
        """Return whether `other` is of the same speech, as far as times tell.

        Two utterances of one stream never are.
        """
        return self.ear != other.ear and abs(self.ended_s - other.ended_s) <= SAME_SPEECH_S
