"""Which box is simulated, and how its Asterisk frames what it says."""

from enum import Enum, StrEnum


class Dialect(Enum):
    """How Asterisk frames its answers (gateway-protocol, part 1)."""

    ASTERISK_1_8 = "1.8"
    """1.8 to 13: ``Response: Follows`` … ``--END COMMAND--``; greeting 1.1."""
    ASTERISK_14 = "14"
    """14 and later: one ``Output:`` header a line; greeting 11.0.0 as Asterisk 22."""


class Box(StrEnum):
    """Which box answers: its driver and its dialplan."""

    OF_2013 = "2013"
    """The vendor's open driver, chan_extra 2.0.8."""
    TODAY = "today"
    """The boxes sold since about 2016, LTE included."""
