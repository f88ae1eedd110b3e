"""From an utterance and its text to a score: Turbo on ONNX Runtime."""
