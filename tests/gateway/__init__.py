"""What OpenVox adds to the manager, told by tests: spans, SMS, USSD."""
