"""How much of what a gateway says is taken. What's beyond that, no honest one says."""

from typing import Final

# Characters of a number or of another value; as many as a state of Home Assistant has.
MAX_VALUE: Final = 255
# Characters. One answer of a network has at most 182 (3GPP TS 23.038, 5).
MAX_USSD: Final = 1024
MAX_SPANS: Final = 64  # each has a device with some twenty entities
