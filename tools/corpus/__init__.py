"""The device-directed-speech corpus: texts, voices, the plan that pairs them, the synthesis."""
