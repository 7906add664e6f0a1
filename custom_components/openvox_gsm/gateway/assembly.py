"""Joins the parts of long SMS and drops what the network delivers twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Final, Protocol

from .model import IncomingSms
from .pdu import Deliver, join

_LOGGER = logging.getLogger(__name__)

# Parts come seconds apart; a phone out of reach can make it minutes.
PARTS_TIMEOUT: Final = 300.0  # seconds
# A network that saw no acknowledgement delivers the same SMS again.
REPETITION_WINDOW: Final = timedelta(minutes=5)


class Timer(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Never call the function."""


type CallLater = Callable[[float, Callable[[], None]], Timer]
type Deliverer = Callable[[IncomingSms], None]


@dataclass(frozen=True, slots=True)
class ReceivedPart:
    """One SMS as the network delivered it: a message, or a part of one.

    `pdu` is None where the gateway gave none; `text` is then the gateway's own
    rendering. `time_stamp` tells repetitions apart from new messages: the
    service centre's time as far as it is known, empty where it is not.
    `arrived_at` is in UTC.
    """

    span: int
    sender: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: datetime | None
    time_stamp: str
    arrived_at: datetime
    pdu: Deliver | None = None


type _Identity = tuple[int, str, str, str]


def _identity(part: ReceivedPart) -> _Identity:
    """What two deliveries of one SMS have in common."""
    place = part.pdu.concatenation if part.pdu else None
    return (part.span, part.sender, part.time_stamp, f"{place}{part.text}")


@dataclass(slots=True)
class _LongSms:
    """The parts of a long SMS that are there, by their sequence number."""

    count: int
    timer: Timer
    parts: dict[int, ReceivedPart] = field(default_factory=dict)


type _LongKey = tuple[int, str, int, bool, int]


class Assembler:
    """Takes received parts, hands on whole messages."""

    def __init__(self, deliver: Deliverer, call_later: CallLater) -> None:
        """Call `deliver` with each message, once."""
        self._deliver_message = deliver
        self._call_later = call_later
        self._long: dict[_LongKey, _LongSms] = {}
        self._received: dict[_Identity, datetime] = {}

    def add(self, part: ReceivedPart) -> None:
        """Deliver a single message at once, a part when it completes its message."""
        if self._is_repetition(part):
            _LOGGER.info("Span %s: an SMS came twice; dropped the second", part.span)
            return
        place = part.pdu.concatenation if part.pdu else None
        if place is None:
            self._deliver([part], 1)
            return
        # 8- and 16-bit references are counted apart (3GPP TS 23.040, 9.2.3.24).
        key = (part.span, part.sender, place.reference, place.wide, place.count)
        if key in self._long and place.sequence in self._long[key].parts:
            if self._long[key].parts[place.sequence].pdu == part.pdu:
                return  # a repetition without a time stamp
            self._expire(key)  # the sender began to count again
        if key not in self._long:
            timer = self._call_later(PARTS_TIMEOUT, partial(self._expire, key))
            self._long[key] = _LongSms(place.count, timer)
        long = self._long[key]
        long.parts[place.sequence] = part
        if len(long.parts) == long.count:
            self._finish(key)

    def flush(self) -> None:
        """Deliver what is there of every long message, marked as incomplete."""
        for key in list(self._long):
            self._expire(key)

    def _is_repetition(self, part: ReceivedPart) -> bool:
        """Tell whether this very SMS came a few minutes ago, and remember it."""
        oldest = part.arrived_at - REPETITION_WINDOW
        self._received = {
            identity: when for identity, when in self._received.items() if when > oldest
        }
        if not part.time_stamp:
            return False
        identity = _identity(part)
        is_repetition = identity in self._received
        self._received[identity] = part.arrived_at
        return is_repetition

    def _expire(self, key: _LongKey) -> None:
        long = self._long[key]
        _LOGGER.warning(
            "Span %s: only %s of %s parts of a long SMS arrived",
            key[0],
            len(long.parts),
            long.count,
        )
        self._finish(key)

    def _finish(self, key: _LongKey) -> None:
        long = self._long.pop(key)
        long.timer.cancel()
        self._deliver([part for _, part in sorted(long.parts.items())], long.count)

    def _deliver(self, parts: list[ReceivedPart], count: int) -> None:
        first = parts[0]
        pdus = [part.pdu for part in parts if part.pdu]
        self._deliver_message(
            IncomingSms(
                span=first.span,
                sender=first.sender,
                text=join(pdus) if pdus else first.text,
                sent_at=first.sent_at,
                arrived_at=max(part.arrived_at for part in parts),
                parts=count,
                complete=len(parts) == count,
            )
        )
