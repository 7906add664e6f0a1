"""The manager client, told by tests: framing first, then a session."""
