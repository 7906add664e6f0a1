"""A packet that the text in it cut into pieces."""

from dataclasses import dataclass
from typing import Final

from custom_components.openvox_gsm.gateway.timer import Timer

from .events import SmsEvent

_PACKET_END: Final = b"\r\n\r\n"
# All that the driver reads at once may stand in SMSPDU; it's far less than this.
_MAX_SIZE: Final = 16 * 1024  # bytes
# An SMS has 160 characters. The driver writes up to four bytes for one of them, and a
# step of the dialplan has its own words around them.
_MAX_TEXT: Final = 1024  # bytes


@dataclass(eq=False)
class TornPacket:
    """The pieces of a packet, as far as they have come."""

    first: SmsEvent  # what the first piece says
    pieces: list[bytes]
    timer: Timer
    is_late: bool = False  # whether the rest should have come by now

    @property
    def is_too_long(self) -> bool:
        """Whether no text is as long as all that came since the first piece.

        Then there are whole packets in it.
        """
        may_be_pdus = self.first.variable == "SMSPDU" and not self.is_late
        return self._size > (_MAX_SIZE if may_be_pdus else _MAX_TEXT)

    @property
    def may_go_on(self) -> bool:
        """Whether what came since it began may be the text of one SMS, cut by itself.

        Where the Uniqueid comes first, no text can cut its packet for certain.
        """
        return self.first.has_uniqueid_last and self._size <= _MAX_TEXT

    def goes_on_behind(self, piece: bytes) -> bool:
        """Return whether a piece certainly isn't the end, without reading all of them."""
        return self.first.has_uniqueid_last and b"Uniqueid: " not in piece

    @property
    def _size(self) -> int:
        return len(_PACKET_END.join(self.pieces[1:]))
