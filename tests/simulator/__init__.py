"""What the simulated gateway does, told by tests that speak to it over plain sockets."""
