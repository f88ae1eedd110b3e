"""Listening as a whole: response time, cost, streams at once."""
