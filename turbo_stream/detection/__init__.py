"""From an utterance and its text to a verdict: Turbo on ONNX Runtime."""
