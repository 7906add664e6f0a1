"""Tests of what goes wrong; docs/development/reliability.md is their table."""
