"""What was seen of a gateway: counts, a trace, and nothing private."""
