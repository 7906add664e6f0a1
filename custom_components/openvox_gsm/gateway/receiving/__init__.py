"""Incoming SMS: channel events → one authentic SMS → whole messages."""
