"""The manager interface (AMI): framing of bytes, sessions, actions."""
