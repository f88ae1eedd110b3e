"""Processor time and memory."""
