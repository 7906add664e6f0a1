"""Calls on the spans, from the events of their channels.

A call on span N is a channel ``EXTRA/<2N-1>-<n>``: ``Newchannel`` when it begins,
``Newstate`` when it rings or is answered, ``Hangup`` with a cause when it ends
(Asterisk's own events; they need the ``call`` right).

As recorded on the driver, an incoming call begins with the state ``Rsrvd`` and the
extension ``s`` of the span's context. ``Ring`` follows 3 s later, or never if the
caller gives up before. An outgoing call has neither number nor extension, and never
shows ``Ringing``.
"""

import asyncio
from collections import deque
from collections.abc import Callable
import logging
import re
from time import monotonic
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway.bounds import MAX_CALL_EVENT, MAX_VALUE
from custom_components.openvox_gsm.gateway.model import (
    CallDirection,
    CallEvent,
    CallEventType,
)
from custom_components.openvox_gsm.gateway.receiving.inbox import SETTLE_TIME, Inbox
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer
from custom_components.openvox_gsm.gateway.warner import Warner

_LOGGER = logging.getLogger(__name__)

_EVENTS = (b"Event: Newchannel\r\n", b"Event: Newstate\r\n", b"Event: Hangup\r\n")
_CHANNEL = re.compile(r"EXTRA/(?P<voice>[0-9]{1,4})-[0-9]{1,4}")
# Seconds and a counter, after the system's name if it has one. Digits are the same
# in every alphabet of an SMS, so they can be found again in its text.
_UNIQUEID = re.compile(r"(?:[!-~]+-)?[0-9]+\.[0-9]+")
_MAX_CALLS: Final = 200
# Each takes a timer and 20 KB. Enough for a minute of the largest gateway.
_MAX_WAITING: Final = 2000  # events
# An extension that is the number that was dialled.
_NUMBER = re.compile(r"\+?[0-9*#]{1,64}")
# What Asterisk writes where the number is withheld or not known.
_NO_NUMBER: Final = frozenset(("", "<unknown>", "unknown", "<null>"))


def voice_channel(span: int) -> int:
    """Return the number of a span's voice channel (driver: span N has 2N-1)."""
    return 2 * span - 1


class DialledCall:
    """A call that we make: its channel as soon as it has one, and why it ended.

    `cause` gets that of Q.850 when the call ends, None if the gateway doesn't give it.
    """

    def __init__(self, span: int, number: str, order_id: str | None = None) -> None:
        """Create a call that hasn't begun yet."""
        self.span = span
        self.number = number
        self.order_id = order_id
        self.channel: str | None = None
        self.cause: asyncio.Future[int | None] = (
            asyncio.get_running_loop().create_future()
        )


class _Call:
    """A call that has begun and not ended."""

    def __init__(self, span: int, channel: str, uniqueid: str) -> None:
        self.span = span
        self.channel = channel
        self.uniqueid = uniqueid
        self.direction: CallDirection | None = None
        self.caller = ""  # the number that the channel shows
        self.dialled = ""  # the number that was called, where that's known
        self.ours: DialledCall | None = None
        self.ringing_at: float | None = None
        self.answered_at: float | None = None

    @property
    def number(self) -> str:
        """The other side's number; empty where it isn't known."""
        if self.direction is CallDirection.INCOMING:
            return self.caller
        return self.dialled or self.caller


class CallTracker:
    """Turns the events of a call's channel into what happens to the call.

    Subscribe `receive` with the test `wants`, after the inbox. The text of an SMS can
    forge the events of a call, which may open a gate somewhere. So an event that comes
    in the middle of a message waits until all texts are known, and the inbox says what
    they may have forged.
    """

    marker = b"EXTRA/"

    def __init__(
        self,
        on_call: Callable[[CallEvent], None],
        inbox: Inbox,
        call_later: CallLater,
    ) -> None:
        """Call `on_call` with everything that happens to a call."""
        self._on_call = on_call
        self._inbox = inbox
        self._call_later = call_later
        self._warner = Warner(_LOGGER)
        # Events, and the calls that end behind them.
        self._waiting: deque[Packet | DialledCall] = deque()
        self._timers: deque[Timer] = deque()  # one for each that's waiting
        self._calls: dict[str, _Call] = {}
        self._expected: list[DialledCall] = []

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet may be about a call on a span."""
        return (
            raw.startswith(_EVENTS) and cls.marker in raw and len(raw) <= MAX_CALL_EVENT
        )

    def connection_lost(self) -> None:
        """Forget the calls, as their end will not be seen."""
        self._calls.clear()
        self._expected.clear()
        self._waiting.clear()
        while self._timers:
            self._timers.popleft().cancel()

    def stop(self) -> None:
        """End all timers, and warn of what was left out."""
        self.connection_lost()
        self._warner.flush()

    def expect(
        self, span: int, number: str, order_id: str | None = None
    ) -> DialledCall:
        """Expect that the next call that goes out on a span is ours, to a number.

        What happens to it carries the `order_id`. Call `forget` when the call is over.
        """
        dialled = DialledCall(span, number, order_id)
        self._expected.append(dialled)
        return dialled

    def forget(self, dialled: DialledCall) -> None:
        """Stop expecting a call, which may never have begun, or be among what waits."""
        if self._waiting:
            self._waiting.append(dialled)
            self._wait()
        else:
            self._forget(dialled)

    def _forget(self, dialled: DialledCall) -> None:
        if dialled in self._expected:
            self._expected.remove(dialled)

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        if self._inbox.is_mid_packet:
            return  # the gateway writes nothing between the pieces of a packet
        if len(self._waiting) >= _MAX_WAITING:
            self._warner.warn(
                "Dropped events of calls, as more came in at once than a gateway has calls"
            )
        elif self._waiting or self._inbox.is_mid_message:
            # Each waits for the full time, so they stay in order.
            self._waiting.append(packet)
            self._wait()
        else:
            self._read(packet)

    def _wait(self) -> None:
        self._timers.append(self._call_later(SETTLE_TIME, self._read_next))

    def _read_next(self) -> None:
        self._timers.popleft()
        if self._inbox.has_unread_text:
            self._wait()
        elif isinstance(first := self._waiting.popleft(), DialledCall):
            self._forget(first)
        else:
            self._read(first)

    def _read(self, packet: Packet) -> None:
        channel, uniqueid = packet.get("Channel"), packet.get("Uniqueid")
        match = _CHANNEL.fullmatch(channel)
        if not match or not self._is_genuine(packet, uniqueid):
            return
        span = (int(match["voice"]) + 1) // 2
        if packet.event == "Newchannel" and uniqueid not in self._calls:
            self._calls[uniqueid] = self._begun(_Call(span, channel, uniqueid), packet)
            while len(self._calls) > _MAX_CALLS:
                del self._calls[next(iter(self._calls))]
        call = self._calls.get(uniqueid)
        if call is None or call.channel != channel:
            return
        number = packet.get("CallerIDNum")[:MAX_VALUE]
        if not call.caller and number not in _NO_NUMBER:
            call.caller = number
        if packet.event == "Hangup":
            del self._calls[uniqueid]
            self._ended(call, packet)
            return
        state = packet.get("ChannelStateDesc")
        if packet.event == "Newchannel" and _is_first_ring(call.span, packet):
            state = "Ring"
        self._changed(call, state)

    def _begun(self, call: _Call, packet: Packet) -> _Call:
        """Read who is called, unless the call comes in."""
        if (
            _is_first_ring(call.span, packet)
            or packet.get("ChannelStateDesc") == "Ring"
        ):
            return call
        expected = (each for each in self._expected if each.span == call.span)
        if ours := next(expected, None):
            self._expected.remove(ours)
            ours.channel = call.channel
            call.ours, call.dialled = ours, ours.number
            call.direction = CallDirection.OUTGOING
        elif _NUMBER.fullmatch(extension := packet.get("Exten")):
            call.dialled = extension
        return call

    def _is_genuine(self, packet: Packet, uniqueid: str) -> bool:
        """Return whether no SMS known by now can have written this event."""
        return (
            _UNIQUEID.fullmatch(uniqueid) is not None
            and self._inbox.has_usual_headers(packet)
            and not self._inbox.may_have_forged(uniqueid)
        )

    def _changed(self, call: _Call, state: str) -> None:
        """Read a channel's new state: Ring is an incoming call, Ringing an outgoing one."""
        if state == "Ring" and call.direction is None:
            call.direction = CallDirection.INCOMING
            call.ringing_at = monotonic()
            self._report(call, CallEventType.RINGING)
        elif state in ("Dialing", "Ringing") and call.direction is None:
            call.direction = CallDirection.OUTGOING
        if state == "Ringing" and call.ringing_at is None:
            call.ringing_at = monotonic()
        if state == "Up" and call.answered_at is None:
            call.direction = call.direction or CallDirection.OUTGOING
            call.answered_at = monotonic()
            self._report(call, CallEventType.ANSWERED)

    def _ended(self, call: _Call, packet: Packet) -> None:
        missed = call.direction is CallDirection.INCOMING and call.answered_at is None
        cause_text = packet.get("Cause")
        cause = int(cause_text) if re.fullmatch("[0-9]{1,3}", cause_text) else None
        if call.ours and not call.ours.cause.done():
            call.ours.cause.set_result(cause)
        self._report(
            call,
            CallEventType.MISSED if missed else CallEventType.ENDED,
            cause=cause,
            cause_text=packet.get("Cause-txt")[:MAX_VALUE],
        )

    def _report(
        self,
        call: _Call,
        kind: CallEventType,
        *,
        cause: int | None = None,
        cause_text: str = "",
    ) -> None:
        ended = kind in (CallEventType.MISSED, CallEventType.ENDED)
        self._on_call(
            CallEvent(
                type=kind,
                span=call.span,
                direction=call.direction or CallDirection.OUTGOING,
                number=call.number,
                talk_time=_seconds_since(call.answered_at) if ended else None,
                ring_time=_seconds_since(call.ringing_at) or 0,
                cause=cause,
                cause_text=cause_text,
                call_id=call.uniqueid,
                order_id=call.ours.order_id if call.ours else None,
            )
        )


def _is_first_ring(span: int, packet: Packet) -> bool:
    """Return whether a new channel is an incoming call that rings for the first time."""
    return (
        packet.get("ChannelStateDesc") == "Rsrvd"
        and packet.get("Exten") == "s"
        and packet.get("Context") == f"gsm-{span}"
    )


def _seconds_since(moment: float | None) -> int | None:
    return None if moment is None else round(monotonic() - moment)
