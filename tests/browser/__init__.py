"""The ways of a user through Home Assistant's pages, in a real browser."""
