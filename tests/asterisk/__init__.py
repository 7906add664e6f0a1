"""Tests against a real Asterisk, which script/asterisk fetches and which runs here."""
