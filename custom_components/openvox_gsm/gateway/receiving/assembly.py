"""Joins the parts of long SMS, and drops what the network delivers twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Final

from custom_components.openvox_gsm.gateway.model import IncomingSms
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer

from .pdu import DeliverPdu, join_texts

_LOGGER = logging.getLogger(__name__)

# Parts come seconds apart, or minutes if the phone was out of reach.
PARTS_TIMEOUT: Final = 300.0  # seconds
# Without an acknowledgement a network delivers the same SMS again.
REPETITION_WINDOW: Final = timedelta(minutes=5)


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


type _Identity = tuple[int, str, str, str]


def _identity(part: ReceivedPart) -> _Identity:
    """Return what two deliveries of one SMS have in common."""
    place = part.pdu.concatenation if part.pdu else None
    return (part.span, part.sender, part.time_stamp, f"{place}{part.text}")


class _LongSms:
    """A long SMS of which not all parts have arrived."""

    def __init__(self, count: int, timer: Timer) -> None:
        self.count = count
        self.timer = timer
        self.parts: dict[int, ReceivedPart] = {}  # by sequence number


type _LongKey = tuple[int, str, int, bool, int]


class Assembler:
    """Joins received parts into whole messages."""

    def __init__(
        self, on_sms: Callable[[IncomingSms], None], call_later: CallLater
    ) -> None:
        """Call `on_sms` with each message, once; use `call_later` for time limits."""
        self._on_sms = on_sms
        self._call_later = call_later
        self._long: dict[_LongKey, _LongSms] = {}
        self._received: dict[_Identity, datetime] = {}

    def add(self, part: ReceivedPart) -> None:
        """Deliver a single message at once, a long one when its last part arrives."""
        if self._is_repetition(part):
            _LOGGER.info("Span %s: an SMS came twice; dropped the second", part.span)
            return
        place = part.pdu.concatenation if part.pdu else None
        if place is None:
            self._deliver([part], 1)
            return
        # 8- and 16-bit references are counted separately (3GPP TS 23.040, 9.2.3.24).
        key = (part.span, part.sender, place.reference, place.is_wide, place.total)
        if key in self._long and place.sequence in self._long[key].parts:
            if self._long[key].parts[place.sequence].pdu == part.pdu:
                return  # a repetition without a time stamp
            self._expire(key)  # the sender has started counting again
        if key not in self._long:
            timer = self._call_later(PARTS_TIMEOUT, partial(self._expire, key))
            self._long[key] = _LongSms(place.total, timer)
        long = self._long[key]
        long.parts[place.sequence] = part
        if len(long.parts) == long.count:
            self._finish(key)

    def flush(self) -> None:
        """Deliver what has arrived of every long message, marked as incomplete."""
        for key in list(self._long):
            self._expire(key)

    def _is_repetition(self, part: ReceivedPart) -> bool:
        """Return whether this very SMS came a few minutes ago, and remember it."""
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
        self._on_sms(
            IncomingSms(
                span=first.span,
                sender=first.sender,
                text=join_texts(pdus) if pdus else first.text,
                sent_at=first.sent_at,
                arrived_at=max(part.arrived_at for part in parts),
                parts=count,
                complete=len(parts) == count,
            )
        )
