"""How much of what a gateway says is taken. What's beyond that, no honest one says."""

from typing import Final

# Characters of a number or of another value; as many as a state of Home Assistant has.
MAX_VALUE: Final = 255
# Characters. One answer of a network has at most 182 (3GPP TS 23.038, 5).
MAX_USSD: Final = 1024
MAX_SPANS: Final = 64  # each has a device with some twenty entities
MAX_LINES: Final = 100  # that show a span; the driver of 2013 prints 22
# Characters of a step of the dialplan.
MAX_STEP: Final = 1024
# Bytes of an event of a call; Asterisk's own are far shorter.
MAX_CALL_EVENT: Final = 8 * 1024
