"""Tests of the soak: what it would find."""
