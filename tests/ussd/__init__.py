"""Tests of the USSD queries."""
