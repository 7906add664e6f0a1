"""Calls: what happens to them, and calls of our own."""
