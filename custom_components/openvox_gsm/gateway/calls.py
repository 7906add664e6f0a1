"""Calls on the spans, from the events of their channels.

A call on span N is a channel ``EXTRA/<2N-1>-<n>``: ``Newchannel`` when it begins,
``Newstate`` when it rings or is answered, ``Hangup`` with a cause when it ends
(Asterisk's own events; they need the ``call`` right).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
import re
from time import monotonic
from typing import Final

from custom_components.openvox_gsm.ami import Packet

from .assembly import CallLater, Timer
from .inbox import REST, Inbox
from .model import CallDirection, CallNews, CallNewsType

_EVENTS = (b"Event: Newchannel\r\n", b"Event: Newstate\r\n", b"Event: Hangup\r\n")
_CHANNEL = re.compile(r"EXTRA/(?P<voice>[0-9]{1,4})-[0-9]{1,4}")
# Seconds and a counter, behind the system's name if it has one. Digits are the same
# in every alphabet of an SMS, so they are found again in its text.
_UNIQUEID = re.compile(r"(?:[!-~]+-)?[0-9]+\.[0-9]+")
_CAUSE = re.compile(r"[0-9]{1,3}")  # Q.850
_MAX_CALLS: Final = 200
# What Asterisk writes where it knows no number.
_NO_NUMBER: Final = frozenset(("", "<unknown>", "unknown", "<null>"))


def voice_channel(span: int) -> int:
    """Return the number of a span's voice channel (driver: span N has 2N-1)."""
    return 2 * span - 1


@dataclass(slots=True)
class _Call:
    """A call that has begun and not ended."""

    span: int
    channel: str
    order: int
    direction: CallDirection | None = None
    number: str = field(default="", repr=False)
    ringing_at: float | None = None
    answered_at: float | None = None


class CallTracker:
    """Turns the events of a call's channel into news of the call.

    Subscribe `receive` with the test `wants`, behind the inbox: the text of an
    SMS can forge the events of a call, which may open a gate somewhere, so an
    event that comes while a text is being read waits until the text is known.
    The inbox says what the text may have forged. News come out of `deliver`.
    """

    def __init__(
        self,
        deliver: Callable[[CallNews], None],
        inbox: Inbox,
        call_later: CallLater,
    ) -> None:
        """Know of no call yet."""
        self._deliver = deliver
        self._inbox = inbox
        self._call_later = call_later
        self._waiting: deque[tuple[Packet, Timer]] = deque()
        self._calls: dict[str, _Call] = {}
        #: How many calls have begun so far: `channel_of_outgoing` counts from it.
        self.begun = 0

    mark = b"EXTRA/"

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Tell cheaply whether a packet may concern a call on a span."""
        return raw.startswith(_EVENTS) and cls.mark in raw

    def connection_lost(self) -> None:
        """Forget the calls whose end nobody will tell any more."""
        self._calls.clear()
        while self._waiting:
            _, timer = self._waiting.popleft()
            timer.cancel()

    def channel_of_outgoing(self, span: int, begun: int) -> str | None:
        """Return the channel of the call that goes out on a span now.

        It is the newest of those that began after so many others. One that shows
        neither that it comes in nor that it goes out is none yet.
        """
        for call in reversed(self._calls.values()):
            if call.order < begun:
                break
            if call.span == span and call.direction is CallDirection.OUTGOING:
                return call.channel
        return None

    def receive(self, packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        if self._inbox.is_in_packet:
            return  # nothing of the gateway's own comes between the pieces of one
        if self._waiting or self._inbox.is_reading:
            # Each waits its full time, in the order in which they came.
            timer = self._call_later(REST, self._take_next)
            self._waiting.append((packet, timer))
        else:
            self._take(packet)

    def _take_next(self) -> None:
        packet, _ = self._waiting.popleft()
        self._take(packet)

    def _take(self, packet: Packet) -> None:
        channel, uniqueid = packet.get("Channel"), packet.get("Uniqueid")
        match = _CHANNEL.fullmatch(channel)
        if not match or not self._is_genuine(packet, uniqueid):
            return
        if packet.event == "Newchannel":
            span = (int(match["voice"]) + 1) // 2
            if uniqueid not in self._calls:
                self._calls[uniqueid] = _Call(span, channel, self.begun)
                self.begun += 1
            while len(self._calls) > _MAX_CALLS:
                del self._calls[next(iter(self._calls))]
        call = self._calls.get(uniqueid)
        if call is None or call.channel != channel:
            return
        number = packet.get("CallerIDNum")
        if not call.number and number not in _NO_NUMBER:
            call.number = number
        if packet.event == "Hangup":
            del self._calls[uniqueid]
            self._ended(call, packet)
        else:
            self._changed(call, packet.get("ChannelStateDesc"))

    def _is_genuine(self, packet: Packet, uniqueid: str) -> bool:
        """Tell whether no SMS that is known by now can have written this event."""
        return (
            _UNIQUEID.fullmatch(uniqueid) is not None
            and self._inbox.is_written_as_usual(packet)
            and not self._inbox.may_have_forged(uniqueid)
        )

    def _changed(self, call: _Call, state: str) -> None:
        """Take a channel's new state: Ring is a call that comes in, Ringing one out."""
        if state == "Ring" and call.direction is None:
            call.direction = CallDirection.INCOMING
            call.ringing_at = monotonic()
            self._tell(call, CallNewsType.RINGING)
        elif state in ("Dialing", "Ringing") and call.direction is None:
            call.direction = CallDirection.OUTGOING
        if state == "Ringing" and call.ringing_at is None:
            call.ringing_at = monotonic()
        if state == "Up" and call.answered_at is None:
            call.direction = call.direction or CallDirection.OUTGOING
            call.answered_at = monotonic()
            self._tell(call, CallNewsType.ANSWERED)

    def _ended(self, call: _Call, packet: Packet) -> None:
        missed = call.direction is CallDirection.INCOMING and call.answered_at is None
        cause = packet.get("Cause")
        self._tell(
            call,
            CallNewsType.MISSED if missed else CallNewsType.ENDED,
            cause=int(cause) if _CAUSE.fullmatch(cause) else None,
            cause_text=packet.get("Cause-txt"),
        )

    def _tell(
        self,
        call: _Call,
        kind: CallNewsType,
        *,
        cause: int | None = None,
        cause_text: str = "",
    ) -> None:
        ended = kind in (CallNewsType.MISSED, CallNewsType.ENDED)
        self._deliver(
            CallNews(
                type=kind,
                span=call.span,
                direction=call.direction or CallDirection.OUTGOING,
                number=call.number,
                talk_time=_seconds_since(call.answered_at) if ended else None,
                ring_time=_seconds_since(call.ringing_at),
                cause=cause,
                cause_text=cause_text,
            )
        )


def _seconds_since(moment: float | None) -> int:
    return 0 if moment is None else round(monotonic() - moment)
