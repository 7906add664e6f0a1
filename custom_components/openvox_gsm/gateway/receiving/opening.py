"""What comes in before the Uniqueid of a message is certain."""

from collections import defaultdict
from typing import Final

from custom_components.openvox_gsm.gateway.timer import Timer

from .events import SmsEvent

# This many different variables show the Uniqueid at once, or when the time is over. One
# SMS has 160 characters, and to forge one of them takes 90.
_ENOUGH: Final = 3
_ENOUGH_IN_TIME: Final = 2
_PACKET_END: Final = b"\r\n\r\n"
_MAX_SIZE: Final = 16 * 1024  # bytes


class Opening:
    """The packets since an event that shows a new Uniqueid behind a text.

    The Uniqueid may be part of the text. The genuine one is shown by the variables that
    follow: an SMS is too short to forge two of them.
    """

    def __init__(self, event: SmsEvent, timer: Timer, *, is_piece: bool) -> None:
        """Begin with the first event.

        `is_piece` says that it's likely a piece of a message that is coming in.
        """
        self.first = event
        self.is_piece = is_piece
        self.timer = timer
        self.packets: list[bytes] = []
        self._size = 0  # with the empty line that each packet ends with
        self._witnesses: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, raw: bytes, event: SmsEvent | None) -> None:
        """Set a packet aside; `event` is what it says, unless its message is known."""
        self.packets.append(raw)
        self._size += len(raw) + len(_PACKET_END)
        if event and event.has_usual_headers and event.channel == self.first.channel:
            if event.uniqueid and event.is_witness:
                self._witnesses[event.uniqueid].add(event.variable)

    @property
    def is_over(self) -> bool:
        """Whether the Uniqueid is certain, or too much has been set aside."""
        most = max(map(len, self._witnesses.values()), default=0)
        return most >= _ENOUGH or self._size > _MAX_SIZE

    @property
    def uniqueid(self) -> str | None:
        """The genuine Uniqueid; None where it isn't certain."""
        names = {uniqueid: len(seen) for uniqueid, seen in self._witnesses.items()}
        most = max(names.values(), default=0)
        best = [uniqueid for uniqueid, count in names.items() if count == most]
        return best[0] if most >= _ENOUGH_IN_TIME and len(best) == 1 else None
