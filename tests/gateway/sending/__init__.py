"""Outgoing SMS: from a text to its outcome."""
