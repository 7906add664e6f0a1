"""Tests of what goes wrong; docs/reliability.md is their table."""
