"""Passes on what goes to and fro to those who count it and keep it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway.receiving.inbox import Inbox

from .seen import Seen
from .trace import Trace

# The driver's own events begin with one of these. Nothing else of a gateway does.
_DRIVER_EVENTS: Final = (
    *(b"Event: SMS", b"Event: Sim", b"Event: Extra", b"Event: GSM", b"Event: USSD"),
)
# Of calls only these: there is an event for each of their steps as well.
_CALL_EVENTS: Final = (
    *(b"Event: Newchannel\r\n", b"Event: Newstate\r\n", b"Event: Hangup\r\n"),
    b"Event: OriginateResponse\r\n",
)
_SUSPICIOUS_TIME: Final = 2.0  # seconds after an SMS


class Observer:
    """Sees each action with its answer, and the events that concern spans.

    Subscribe `receive` with the test `wants`.
    """

    marker: Final = (b"EXTRA", *_DRIVER_EVENTS)

    def __init__(self, inbox: Inbox) -> None:
        """Observe; the inbox knows whether a packet may be the rest of a text."""
        self._inbox = inbox
        self.seen = Seen()
        self.trace = Trace()
        self._recordings: list[Trace] = []
        self._sms_seen_at = -_SUSPICIOUS_TIME

    @property
    def is_recording(self) -> bool:
        """Whether someone records."""
        return bool(self._recordings)

    @contextmanager
    def record(
        self, on_line: Callable[[float, str, str], None] | None = None
    ) -> Iterator[Trace]:
        """Keep everything from now on, in a trace of its own."""
        recording = Trace(max_lines=None, on_line=on_line)
        self._recordings.append(recording)
        try:
            yield recording
        finally:
            self._recordings.remove(recording)

    def wants(self, raw: bytes) -> bool:
        """Return quickly whether an event may concern a span."""
        return (
            b"\r\nChannel: EXTRA-SMS" in raw
            or raw.startswith(_DRIVER_EVENTS)
            or (raw.startswith(_CALL_EVENTS) and b"\r\nChannel: EXTRA/" in raw)
            or self._inbox.is_mid_packet
        )

    def receive(self, packet: Packet) -> None:
        """Count and keep an event."""
        is_torn = self._inbox.is_mid_packet
        now = monotonic()
        may_be_text = is_torn or now - self._sms_seen_at < _SUSPICIOUS_TIME
        if b"EXTRA-SMS" in packet.raw:
            self._sms_seen_at = now
        if not is_torn or b"EXTRA" in packet.raw:
            self.seen.event(packet, may_be_text=may_be_text)
        for trace in (self.trace, *self._recordings):
            trace.event(packet.raw, is_torn=is_torn)

    def answered(self, sent: bytes, answer: Packet | None, seconds: float) -> None:
        """Count and keep an action; `seconds` is how long ago it was sent."""
        asked_at = monotonic() - seconds
        for trace in (self.trace, *self._recordings):
            trace.answered(sent, answer.raw if answer else None, asked_at)
        _, found, command = sent.rpartition(b"\r\nCommand: ")
        if found and answer:
            self.seen.answer(
                command.decode("utf-8", "replace").removesuffix("\r\n\r\n"),
                answer.output,
            )
