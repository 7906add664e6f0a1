"""Tests of how a gateway is reached."""
