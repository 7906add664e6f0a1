"""Joins the parts of long SMS, and drops what the network delivers twice."""

from collections import defaultdict
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
# Without an acknowledgement a network delivers the same SMS again, even hours later.
# So many are remembered.
MAX_REMEMBERED: Final = 1000


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


def _identity(part: ReceivedPart) -> int:
    """Return a hash of what two deliveries of one SMS have in common."""
    place = part.pdu.concatenation if part.pdu else None
    return hash((part.span, part.sender, part.time_stamp, place, part.text))


class _LongSms:
    """A long SMS of which not all parts have arrived."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.timer: Timer | None = None
        self.parts: dict[int, ReceivedPart] = {}  # by sequence number

    def holds(self, part: ReceivedPart, sequence: int) -> bool:
        """Return whether this very part is there."""
        return sequence in self.parts and self.parts[sequence].pdu == part.pdu

    def distance(self, part: ReceivedPart) -> timedelta:
        """Return how far from this message's parts another one was sent."""
        times = [each.sent_at for each in self.parts.values() if each.sent_at]
        if not times or not part.sent_at:
            return timedelta()
        return min(abs(part.sent_at - time) for time in times)


type _LongKey = tuple[int, str, int, bool, int]


class Assembler:
    """Joins received parts into whole messages."""

    def __init__(
        self, on_sms: Callable[[IncomingSms], None], call_later: CallLater
    ) -> None:
        """Call `on_sms` with each message, once; use `call_later` for time limits."""
        self._on_sms = on_sms
        self._call_later = call_later
        # A sender may use a reference again before the first message is whole.
        self._long: defaultdict[_LongKey, list[_LongSms]] = defaultdict(list)
        self._received: dict[int, None] = {}  # the latest at the end

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
        if any(long.holds(part, place.sequence) for long in self._long[key]):
            return  # a repetition without a time stamp
        long = self._fitting(key, part, place.sequence)
        long.parts[place.sequence] = part
        if len(long.parts) == long.count:
            self._finish(key, long)

    def _fitting(self, key: _LongKey, part: ReceivedPart, sequence: int) -> _LongSms:
        """Return the message that lacks this part and was sent at about the same time.

        Without a time, and of several equally near ones, the last one begun.
        """
        lacking = [each for each in self._long[key] if sequence not in each.parts]
        if lacking:
            return min(reversed(lacking), key=lambda each: each.distance(part))
        long = _LongSms(key[-1])
        long.timer = self._call_later(PARTS_TIMEOUT, partial(self._expire, key, long))
        self._long[key].append(long)
        return long

    def flush(self) -> None:
        """Deliver what has arrived of every long message, marked as incomplete."""
        for key, messages in list(self._long.items()):
            for long in list(messages):
                self._expire(key, long)

    def _is_repetition(self, part: ReceivedPart) -> bool:
        """Return whether this very SMS has come before, and remember it."""
        if not part.time_stamp:
            return False
        identity = _identity(part)
        is_repetition = identity in self._received
        self._received.pop(identity, None)
        self._received[identity] = None
        if len(self._received) > MAX_REMEMBERED:
            del self._received[next(iter(self._received))]
        return is_repetition

    def _expire(self, key: _LongKey, long: _LongSms) -> None:
        _LOGGER.warning(
            "Span %s: only %s of %s parts of a long SMS arrived",
            key[0],
            len(long.parts),
            long.count,
        )
        self._finish(key, long)

    def _finish(self, key: _LongKey, long: _LongSms) -> None:
        self._long[key].remove(long)
        if not self._long[key]:
            del self._long[key]
        if long.timer:
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
