"""What `tools.train_test_whisper` trains a real, very small Whisper on, and of what shape."""
