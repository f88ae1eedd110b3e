"""Our answers and those of other programs to the same sound, with the same Whisper folder."""
