"""Voice activity detectors on recordings."""
