"""Incoming SMS: from the bytes of the wire to whole messages."""
