"""Where sound comes from: microphone, file, raw PCM."""
