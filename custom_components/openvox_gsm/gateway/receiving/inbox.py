r"""Decides from the events of SMS channels what is one genuine SMS.

The text of an SMS is hostile. Asterisk writes it raw into events (1.8 into VarSet
and Newexten, later versions into Newexten), so a text with CR LF CR LF ends the
packet that contains it, and what follows reads like packets of its own. Whatever the
text contains, one SMS must not become two, nor come from somebody else:

* A packet that the text cut in two is put together again: nothing comes between its
  pieces, and its genuine end is known, as it repeats a Uniqueid that SMSSRC, which
  comes before the text, has already given.
* A message begins with its SMSSRC. One SMS is too short to forge that and another
  event, and too short for the many headers of a later Asterisk's event.
* The PDU is hex, so the text can't break out of it. Everything is taken from it where
  there is one, unless its sender differs from SMSSRC.
* A message whose Uniqueid appears in another message's text may have been forged by
  that text: it counts only with a PDU that doesn't appear there as well.
* A text can forge only while its own message comes in, or right after. So a message
  with its PDU is delivered at once if every recent text is known and none of them
  could forge anything; otherwise it waits a moment until all texts are known.

Without a PDU this doesn't hold against a sender who guesses the Uniqueid of their own
message beforehand. Nor does it, even without a guess, on an Asterisk before 12 that
shows only Newexten events, if process_sms isn't among them or the driver doesn't
escape the quotes in the text. With `requires_pdu` no message is accepted without one.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
import logging
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer

from .assembly import ReceivedPart
from .events import CHANNEL, MARKER, PROCESS_SMS, EventReader, MessageKey, SmsEvent
from .message import Message, imitates_packet

_LOGGER = logging.getLogger(__name__)

# All events of one SMS come within milliseconds. A message is taken as it is after
# the longer time; one that has its PDU waits for the shorter one at most.
MESSAGE_TIMEOUT: Final = 2.0  # seconds
SETTLE_TIME: Final = 0.25  # seconds
_MAX_RECENT_MESSAGES: Final = 200
_MAX_TORN: Final = 16 * 1024  # bytes; an SMS has at most 160 characters

_PACKET_END = b"\r\n\r\n"


class Inbox:
    """Turns the events of a gateway into received SMS.

    Subscribe `receive` with the test `wants`.
    """

    def __init__(
        self,
        on_part: Callable[[ReceivedPart], None],
        call_later: CallLater,
        *,
        requires_pdu: bool = False,
        channel: re.Pattern[str] = CHANNEL,
        marker: str = MARKER,
    ) -> None:
        """Call `on_part` with each SMS; use `call_later` for the time limits.

        With `requires_pdu` a message without its PDU is dropped, with a warning.
        `channel` matches the whole name of an SMS channel, its group `voice` is the
        number of the span's voice channel, and every such name contains `marker`.
        """
        self._on_part = on_part
        self._call_later = call_later
        #: Whether a message needs its PDU; may be changed at any time.
        self.requires_pdu = requires_pdu
        self._reader = EventReader(channel)
        self._marker = marker
        #: Every packet of an SMS contains it, unless the packet was cut in two.
        self.marker = marker.encode()
        self._open: dict[MessageKey, Message] = {}
        self._recent: dict[MessageKey, Message] = {}  # already decided
        # How many of all these began with their sender, by Uniqueid.
        self._genuine_uniqueids: Counter[str] = Counter()
        # Those of them whose texts may still forge something, for a moment.
        self._suspects: dict[Message, Timer] = {}
        self._warned: Timer | None = None  # about a forgery, a moment ago
        self._pieces: list[bytes] = []  # of a packet that its text cut in two
        self._pieces_timer: Timer | None = None

    def wants(self, raw: bytes) -> bool:
        """Return quickly whether a packet may be about an SMS."""
        return self.marker in raw or bool(self._pieces)

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        if self._pieces and self._is_certainly_no_piece(packet.raw):
            self._abandon_pieces()
        pieces = [*self._pieces, packet.raw]
        event = self._reader.read(_PACKET_END.join(pieces))
        if event is None:
            return
        if self._is_torn(event):
            if not self._pieces:
                self._pieces_timer = self._call_later(
                    MESSAGE_TIMEOUT, self._abandon_pieces
                )
            self._pieces = pieces
            if sum(map(len, pieces)) > _MAX_TORN:
                self._abandon_pieces()
        elif self._is_credible(event):
            self._forget_pieces()
            self._add(event)
        else:
            self._pieces = pieces
            self._abandon_pieces()

    @property
    def is_mid_packet(self) -> bool:
        """Whether the next packet may be the rest of one that a text cut in two."""
        return bool(self._pieces)

    @property
    def is_mid_message(self) -> bool:
        """Whether an SMS is coming in whose text isn't known for certain yet."""
        return bool(self._open)

    def has_usual_headers(self, packet: Packet) -> bool:
        """Return whether an event of another kind is written as this gateway does."""
        return self._reader.has_usual_headers(packet)

    def may_have_forged(self, uniqueid: str) -> bool:
        """Return whether a Uniqueid is an SMS's own, or is part of a suspicious text.

        If so, that text has written the event of another kind with this Uniqueid.
        """
        return any(
            uniqueid == message.uniqueid
            or any(uniqueid in text for text in message.texts)
            for message in self._messages()
        )

    def connection_lost(self) -> None:
        """Deliver what is there, as no more will come.

        A gateway that has restarted may use the same Uniqueids again.
        """
        self._forget_pieces()
        for message in list(self._open.values()):
            self._decide(message, is_final=True)
        self._recent.clear()
        self._genuine_uniqueids.clear()
        for timer in self._suspects.values():
            timer.cancel()
        self._suspects.clear()
        self._reader.forget()

    def stop(self) -> None:
        """Deliver what is there and end all timers."""
        self.connection_lost()
        if self._warned:
            self._warned.cancel()

    # Packets that the text of an SMS cut in two

    def _is_torn(self, event: SmsEvent) -> bool:
        """Return whether the packet's end isn't the one that the gateway wrote.

        Where messages begin with their sender, only their Uniqueids count as an end.
        Elsewhere any Uniqueid does.
        """
        if not event.has_usual_headers:
            return False
        if event.has_uniqueid_last:
            if event.uniqueid in self._genuine_uniqueids:
                return False
            if not event.uniqueid or not self._may_begin_message(event):
                return True
        return event.is_unfinished

    def _is_certainly_no_piece(self, raw: bytes) -> bool:
        """Return whether this event shows that the one before only seemed torn.

        No text is as long as a later Asterisk's event, and quotes in a text are
        escaped.
        """
        event = self._reader.read(raw)
        if not event or not event.has_usual_headers:
            return False
        if not event.has_uniqueid_last:
            return True
        first = self._reader.read(self._pieces[0])
        assert first
        return (
            first.is_unfinished
            and self._may_begin_message(first)
            and PROCESS_SMS.fullmatch(event.value) is not None
        )

    def _abandon_pieces(self) -> None:
        """Take the first piece as a whole event, and read the others again."""
        first, *others = self._pieces
        self._forget_pieces()
        event = self._reader.read(first)
        assert event
        if self._is_credible(event):
            self._add(event)
        else:
            self._warn_of_forgery(event.span)
        for raw in others:
            self.receive(Packet(raw))

    def _forget_pieces(self) -> None:
        self._pieces = []
        if self._pieces_timer:
            self._pieces_timer.cancel()
            self._pieces_timer = None

    # From events to messages

    def _messages(self) -> Iterator[Message]:
        yield from self._open.values()
        yield from self._recent.values()

    def _is_credible(self, event: SmsEvent) -> bool:
        """Return whether an event is written as usual and belongs to a message."""
        return (
            bool(event.uniqueid)
            and event.has_usual_headers
            and (
                event.key in self._open
                or event.key in self._recent
                or self._may_begin_message(event)
            )
        )

    def _may_begin_message(self, event: SmsEvent) -> bool:
        """Return whether an event may be the first one of its message.

        That is SMSSRC, unless the gateway doesn't show it.
        """
        return (
            event.variable == "SMSSRC"
            or not (self._open or self._genuine_uniqueids)
            or not self._all_began_with_sender
        )

    @property
    def _all_began_with_sender(self) -> bool:
        return all(message.began_with_sender for message in self._open.values())

    def _add(self, event: SmsEvent) -> None:
        message = self._open.get(event.key)
        if not message:
            if event.key in self._recent or not event.is_part_of_sms:
                return
            message = self._begin(event)
        if not message.add(event):
            return
        self._decide_later(message, SETTLE_TIME, is_final=False)
        if not self._suspects and not any(
            each.may_forge(self._marker) for each in self._open.values()
        ):
            for each in list(self._open.values()):
                self._decide(each, is_final=False)

    def _begin(self, event: SmsEvent) -> Message:
        began_with_sender = event.variable == "SMSSRC" and self._all_began_with_sender
        message = Message(
            event.key,
            event.span,
            datetime.now(UTC),
            began_with_sender=began_with_sender,
        )
        self._open[event.key] = message
        if began_with_sender:
            self._genuine_uniqueids[event.uniqueid] += 1
        self._decide_later(message, MESSAGE_TIMEOUT, is_final=True)
        return message

    # Which messages are genuine

    def _decide_later(self, message: Message, delay: float, *, is_final: bool) -> None:
        message.timers.append(
            self._call_later(delay, partial(self._decide, message, is_final=is_final))
        )

    def _decide(self, message: Message, *, is_final: bool) -> None:
        """Deliver the message, unless another message's text has forged it.

        Without a PDU this waits for the final decision.
        """
        texts = self._texts_that_name(message)
        variables = message.variables_not_in(texts)
        pdu = message.genuine_pdu(variables)
        if not pdu and not is_final:
            return
        for timer in message.timers:
            timer.cancel()
        del self._open[message.key]
        if (texts and not pdu) or self._is_on_wrong_channel(message):
            self._release_uniqueid(message)
            # Not together with the other warnings: it may be an honest message.
            _LOGGER.warning(
                "Span %s: dropped a message that the text of another SMS seems to "
                "have forged",
                message.span,
            )
            return
        part = message.read_pdu(pdu) if pdu else message.read_rendering(variables)
        if part is None:
            self._release_uniqueid(message)
            _LOGGER.warning(
                "Span %s: the gateway gave too little of an incoming SMS to read it",
                message.span,
            )
            return
        self._remember(message)
        if imitates_packet(part.text, self._marker):
            self._warn_of_forgery(message.span)
        if self.requires_pdu and not pdu:
            _LOGGER.warning(
                "Span %s: dropped an SMS that came without its PDU, as the gateway's "
                "options require one",
                message.span,
            )
            return
        self._on_part(part)

    def _warn_of_forgery(self, span: int) -> None:
        """Warn of a hostile text, once for everything that comes of it."""
        if self._warned:
            return
        self._warned = self._call_later(MESSAGE_TIMEOUT, self._allow_warning)
        _LOGGER.warning(
            "Span %s: the text of an SMS imitates the gateway's own events; it counts "
            "as text, and the events are ignored",
            span,
        )

    def _allow_warning(self) -> None:
        self._warned = None

    def _texts_that_name(self, message: Message) -> list[str]:
        """Return other messages' texts that contain the message's Uniqueid."""
        return [
            text
            for other in self._messages()
            if other is not message
            for text in other.texts
            if message.uniqueid in text
        ]

    def _is_on_wrong_channel(self, message: Message) -> bool:
        """Return whether the Uniqueid more likely belongs to another channel."""
        if message.began_with_sender or message.has_program:
            return False
        return any(
            other.uniqueid == message.uniqueid
            for other in self._messages()
            if other is not message
        )

    def _remember(self, message: Message) -> None:
        if message.may_forge(self._marker):
            self._suspects[message] = self._call_later(
                MESSAGE_TIMEOUT, partial(self._suspects.__delitem__, message)
            )
        else:
            message.texts.clear()  # they can't have forged anything
        self._recent[message.key] = message
        while len(self._recent) > _MAX_RECENT_MESSAGES:
            self._release_uniqueid(self._recent.pop(next(iter(self._recent))))

    def _release_uniqueid(self, message: Message) -> None:
        """Stop counting the Uniqueid of a message that isn't kept."""
        if message.began_with_sender:
            self._genuine_uniqueids[message.uniqueid] -= 1
            if not self._genuine_uniqueids[message.uniqueid]:
                del self._genuine_uniqueids[message.uniqueid]
