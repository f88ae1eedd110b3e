"""The recognizer's windows, readings and stalls."""
