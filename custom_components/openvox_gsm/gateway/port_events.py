"""Events of the driver that tell at once what the next poll would tell.

Boxes sold since about 2016 raise them when a span comes or goes (the vendor's own
programs listen to them). Of their headers nothing is certain, so they only say that
the spans are worth reading. The text of an SMS may forge them, which does no harm.
"""

from collections.abc import Callable
from typing import Final

from custom_components.openvox_gsm.ami import Packet

PORT_EVENTS: Final = (
    "SimInserted",
    "ExtraReady",
    "ExtraDown",
    "ExtraLock",
    "ExtraUnlock",
)


class PortEvent:
    """Says that one kind of event has come. Subscribe `receive` with the test `wants`."""

    def __init__(self, name: str, on_event: Callable[[], None]) -> None:
        """Call `on_event` with each event of this name."""
        self.marker = f"Event: {name}\r\n".encode()
        self._on_event = on_event

    def wants(self, raw: bytes) -> bool:
        """Return quickly whether a packet is such an event."""
        return raw.startswith(self.marker)

    def receive(self, _packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        self._on_event()
