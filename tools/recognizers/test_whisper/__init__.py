"""What `tools.recognizers.test_whisper` trains a real, very small Whisper on, and of what shape."""
