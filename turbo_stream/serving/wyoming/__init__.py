"""A Wyoming server: speech-to-text for Home Assistant that keeps side talk to itself."""
