"""The messages of the gateways."""
