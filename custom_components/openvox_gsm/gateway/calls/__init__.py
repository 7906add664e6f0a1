"""Calls on the spans: what happens to them, and calls of our own."""
