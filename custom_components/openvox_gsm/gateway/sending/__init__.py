"""Outgoing SMS: text → parts → commands → outcome."""
