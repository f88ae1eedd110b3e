"""One training run: model, optimization, calibration, figures."""
