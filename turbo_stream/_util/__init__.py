"""Small things that many rooms share: files, clocks, queues. Not API."""
