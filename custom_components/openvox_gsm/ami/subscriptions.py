"""Who gets which events of a session."""

from collections.abc import Callable
import logging
import re
from typing import Final

from .errors import ProtocolError
from .packet import Packet

_LOGGER = logging.getLogger(__name__)

_MATCHES_NOTHING: Final = re.compile(b"(?!)")
# Of an event that is wanted. Asterisk's longest variable has 8 KiB, and escapes twice that.
MAX_EVENT: Final = 64 * 1024  # bytes
# Such an error does not end the session.
_HANDLER_FAILED: Final = "A handler of events failed"

# A handler that sees an action: its bytes, its answer if one came, and the seconds in
# between.
type AnswerHandler = Callable[[bytes, Packet | None, float], None]
type PacketTest = Callable[[bytes], bool]
type PacketHandler = Callable[[Packet], None]


class Subscriptions:
    """Passes packets on to the handlers that want them."""

    def __init__(self) -> None:
        """Start without subscriptions: no packet is wanted."""
        self._subscriptions: list[tuple[PacketTest, PacketHandler]] = []
        # Every packet that is wanted contains one of these; None: any may be wanted.
        self._markers: set[bytes] | None = set()
        self._pattern: re.Pattern[bytes] | None = _MATCHES_NOTHING

    def add(
        self, test: PacketTest, handler: PacketHandler, markers: tuple[bytes, ...]
    ) -> None:
        """Add a subscription; see `Session.subscribe`."""
        self._subscriptions.append((test, handler))
        if not all(markers):
            self._markers = self._pattern = None
        elif self._markers is not None:
            self._markers.update(markers)
            self._pattern = re.compile(_any_of(self._markers))

    @property
    def pattern(self) -> re.Pattern[bytes] | None:
        """What a packet must match to be wanted now; None: any may be."""
        if self._pattern is None or any(test(b"") for test, _ in self._subscriptions):
            return None
        return self._pattern

    def deliver(self, raw: bytes, packet: Packet | None) -> None:
        """Call the handlers that want a packet; parse it once, and only for them.

        Raises ProtocolError if it's larger than MAX_EVENT.
        """
        handlers = []
        for test, handler in self._subscriptions:
            try:
                if test(raw):
                    handlers.append(handler)
            except Exception:
                _LOGGER.exception(_HANDLER_FAILED)
        if not handlers:
            return
        if len(raw) > MAX_EVENT:
            raise ProtocolError(
                f"The gateway sent an event of more than {MAX_EVENT} bytes"
            )
        packet = packet or Packet(raw)
        for handler in handlers:
            try:
                handler(packet)
            except Exception:
                _LOGGER.exception(_HANDLER_FAILED)


def _any_of(markers: set[bytes]) -> bytes:
    """Return a pattern that finds any of them; the shorter it is, the faster."""
    needed = (
        marker
        for marker in markers
        if not any(other in marker for other in markers - {marker})
    )
    return b"|".join(map(re.escape, sorted(needed)))
