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


class PortEvents:
    """Says that such an event has come. Subscribe `receive` with the test `wants`."""

    marker: Final = tuple(f"Event: {name}\r\n".encode() for name in PORT_EVENTS)

    def __init__(self, on_event: Callable[[], None]) -> None:
        """Call `on_event` with each of them."""
        self._on_event = on_event

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet is such an event."""
        return raw.startswith(cls.marker)

    def receive(self, _packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        self._on_event()
