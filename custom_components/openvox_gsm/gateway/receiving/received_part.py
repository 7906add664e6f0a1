"""One SMS as the network delivered it."""

from dataclasses import dataclass, field
from datetime import datetime

from .pdu import DeliverPdu


@dataclass(frozen=True)
class ReceivedPart:
    """One SMS as the network delivered it: a message, or a part of one.

    `pdu` is None where the gateway gave none; `text` is the gateway's own rendering
    then. `time_stamp` tells repetitions from new messages: the service centre's time
    as far as it is known, empty where it isn't. `arrived_at` is in UTC.
    """

    span: int
    sender: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: datetime | None
    time_stamp: str
    arrived_at: datetime
    pdu: DeliverPdu | None = None
