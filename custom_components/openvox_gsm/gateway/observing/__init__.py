"""What a gateway said: counted, and kept without anything private."""
