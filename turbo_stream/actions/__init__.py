"""Accepted speech handed on to other programs: a command, a webhook."""
