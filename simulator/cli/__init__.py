"""The Asterisk command line: Asterisk's own commands and the driver's ``gsm …``."""
