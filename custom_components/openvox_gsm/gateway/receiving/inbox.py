r"""Decides from the events of SMS channels what is one genuine SMS.

The text of an SMS is hostile. Asterisk writes it raw into events (1.8 into VarSet
and Newexten, later versions into Newexten), so a text with CR LF CR LF ends the
packet that contains it, and what follows reads like packets of its own. Whatever the
text contains, one SMS must not become two, nor come from somebody else:

* A packet that the text cut in two is put together again: nothing comes between its
  pieces, and its genuine end, which is waited for, repeats the channel's Uniqueid.
* That Uniqueid is known from what comes before any text: a variable in which no text
  can stand (SMSSRC, SIMIMSI and the like, in whatever order), or a step that says the
  same of every SMS. Where a text comes first, what follows is set aside until more
  such variables have shown the Uniqueid than one SMS is long enough to forge. A later
  Asterisk writes it before the value, behind more headers than an SMS can hold.
* The PDU is hex, so the text can't break out of it. Everything is taken from it where
  there is one, unless its sender differs from SMSSRC. If the driver has read several
  SMS at once, all of them stand in SMSPDU; each counts unless a text contains it.
* A message whose Uniqueid appears in another message's text may have been forged by
  that text: it counts only with a PDU that doesn't appear there as well. The same goes
  for one whose Uniqueid is known from another channel.
* A text can forge only while its own message comes in, or right after. So a message
  with its PDU is delivered at once if every recent text is known and none of them
  could forge anything; otherwise it waits a moment until all texts are known.

Without a PDU this doesn't hold against a sender who guesses the Uniqueid of their own
message beforehand. Nor does it, even without a guess, on an Asterisk before 12 that
shows only Newexten events, if no known program is among them or the driver doesn't
escape the quotes in the text; or that shows a text first and neither two of the other
variables nor such a program. With `requires_pdu` no message is accepted without one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.ami.session import PING_INTERVAL, PING_TIMEOUT
from custom_components.openvox_gsm.gateway.model import StatusReport
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer

from .events import CHANNEL, MARKER, EventReader, MessageKey, SmsEvent
from .message import Message, is_readable
from .messages import Messages
from .opening import Opening
from .patience import Patience
from .received_part import ReceivedPart
from .sorting import Sorter
from .steps import Steps
from .torn import TornPacket

# All events of one SMS come within milliseconds, unless the connection stalls. A message
# is taken as it is after the longer time; one with its PDU after the shorter one.
MESSAGE_TIMEOUT: Final = 2.0  # seconds
SETTLE_TIME: Final = 0.25  # seconds
LONGEST_STALL: Final = PING_INTERVAL + PING_TIMEOUT  # by then the connection is lost
_PACKET_END = b"\r\n\r\n"
# Several from each span of the largest gateway.
_MAX_OPEN: Final = 200  # messages that are coming in
_MANY_TEXTS: Final = 10  # of a message; usually it has three
# More than all spans receive in that time. Only a hostile gateway has more.
_MAX_SUSPECTS: Final = 200


class Inbox:
    """Turns the events of a gateway into received SMS.

    Subscribe `receive` with the test `wants`.
    """

    def __init__(
        self,
        on_part: Callable[[ReceivedPart], None],
        call_later: CallLater,
        *,
        on_report: Callable[[StatusReport], None] = lambda _report: None,
        requires_pdu: bool = False,
        channel: re.Pattern[str] = CHANNEL,
        marker: str = MARKER,
    ) -> None:
        """Call `on_part` with each SMS; use `call_later` for the time limits.

        It must not call before everything has been read that was sent by then.
        `on_report` gets the status reports. With `requires_pdu` a message without its
        PDU is dropped, with a warning. `channel` matches the whole name of an SMS
        channel, its group `voice` is the number of the span's voice channel, and every
        such name contains `marker`.
        """
        self._call_later = call_later
        #: Whether a message needs its PDU; may be changed at any time.
        self.requires_pdu = requires_pdu
        #: How often what came by: messages with and without PDU, programs among the
        #: steps, what is no text for a person, what was dropped.
        self.seen: Counter[str] = Counter()
        self._sorter = Sorter(on_part, on_report, self.seen, call_later)
        self._reader = EventReader(channel)
        self._marker = marker
        #: Every packet of an SMS contains it, unless the packet was cut in two.
        self.marker = marker.encode()
        self._messages = Messages()
        # Those whose texts may still forge something, for a moment.
        self._suspects: dict[Message, Timer] = {}
        self._torn: TornPacket | None = None  # until its end is there
        self._opening: Opening | None = None
        self._is_reading_pieces = False
        self._patience = Patience()

    def learn_steps(self, steps: Sequence[str] | None) -> None:
        """Take the steps for an SMS as ``dialplan show`` prints them; None if unknown."""
        self._reader.steps = Steps(steps)

    def wants(self, raw: bytes) -> bool:
        """Return quickly whether a packet may be about an SMS."""
        return self.marker in raw or self.has_unread_text

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        self._patience.grow()
        if not self.has_unread_text:
            self._reader.learn(packet.raw)
        self._read(packet)

    def _read(self, packet: Packet) -> None:
        if self._opening:
            event = self._reader.read(packet.raw)
            is_known = event is not None and event.key in self._messages
            self._opening.add(packet.raw, None if is_known else event)
            if self._opening.is_over:
                self._end_opening()
            return
        if self._torn and self._is_certainly_no_piece(self._torn.first, packet.raw):
            self._abandon_torn(self._torn.pieces)
        pieces = [packet.raw]
        if self._torn:
            pieces = self._torn.pieces = [*self._torn.pieces, packet.raw]
            if self._torn.is_too_long:
                self._abandon_torn(pieces)
                return
            if self._torn.goes_on_behind(packet.raw):
                return
        event = self._reader.read(_PACKET_END.join(pieces))
        if event is None:
            return
        if not self._torn and self._is_opening(event):
            timer = self._call_later(SETTLE_TIME, self._end_opening)
            is_piece = not event.uniqueid or self._messages.lack(event)
            self._opening = Opening(event, timer, is_piece=is_piece)
            self._opening.add(packet.raw, event)
        elif self._is_torn(event):
            self._hold(event, pieces)
        elif self._is_credible(event):
            self._forget_torn()
            self._add(event)
        else:
            self._abandon_torn(pieces)

    @property
    def is_mid_packet(self) -> bool:
        """Whether the next packet may be the rest of one that a text cut in two."""
        return self._torn is not None

    @property
    def is_mid_message(self) -> bool:
        """Whether an SMS is coming in whose text isn't known for certain yet."""
        return bool(self._messages.open or self._opening)

    @property
    def has_unread_text(self) -> bool:
        """Whether packets are set aside, in which there may be the text of an SMS."""
        return bool(self._torn or self._opening)

    def has_usual_headers(self, packet: Packet) -> bool:
        """Return whether an event of another kind is written as this gateway does."""
        return self._reader.has_usual_headers(packet)

    def may_have_forged(self, uniqueid: str) -> bool:
        """Return whether a Uniqueid is an SMS's own, or is part of a suspicious text.

        If so, that text has written the event of another kind with this Uniqueid.
        """
        return self._messages.may_have_forged(uniqueid)

    def connection_lost(self) -> None:
        """Deliver what is there, as no more will come.

        A gateway that has restarted may use the same Uniqueids again.
        """
        while self._opening:
            self._end_opening()
        self._forget_torn()
        for message in list(self._messages.open.values()):
            self._decide_now(message)
        self._messages.forget_recent()
        for timer in self._suspects.values():
            timer.cancel()
        self._suspects.clear()
        self._reader.forget()

    def stop(self) -> None:
        """Deliver what is there and end all timers."""
        self.connection_lost()
        self._sorter.stop()

    # Messages that begin with a text

    def _is_opening(self, event: SmsEvent) -> bool:
        """Return whether this may begin a message, with a Uniqueid behind a text."""
        return (
            bool(event.variable)
            and event.has_usual_headers
            and not self._messages.any_began_with_step
            and not event.shows_uniqueid
            and event.key not in self._messages
            and not (
                self._messages.lack(event)
                and (not event.uniqueid or self._messages.is_certain(event.uniqueid))
            )
        )

    def _end_opening(self) -> None:
        """Begin the message, and read what was set aside."""
        opening, self._opening = self._opening, None
        assert opening
        opening.timer.cancel()
        first = opening.first
        packet, *others = opening.packets
        uniqueid = opening.uniqueid
        if uniqueid and self._messages.is_certain(uniqueid):
            uniqueid = None  # it's another channel's
        if uniqueid:
            self._begin((first.channel, uniqueid), first.span, is_certain=True)
        is_piece = opening.is_piece or self._messages.lack(first)
        if not uniqueid and not is_piece and first.is_part_of_sms:
            self._begin(first.key, first.span, is_certain=False)
        if first.key in self._messages:
            self._add(first)
        elif is_piece:
            self._hold(first, [packet])
        self._read_again(others, first.span)

    # Packets that the text of an SMS cut in two

    def _is_torn(self, event: SmsEvent) -> bool:
        """Return whether the packet's end isn't the one that the gateway wrote.

        Where the Uniqueids of messages are certain, only these count as an end.
        Elsewhere any Uniqueid does.
        """
        if not event.has_usual_headers:
            return False
        if event.has_uniqueid_last:
            if self._messages.is_certain(event.uniqueid):
                return False
            if not event.uniqueid or not (
                event.key in self._messages or self._may_begin_message(event)
            ):
                return True
        return event.is_unfinished

    def _is_certainly_no_piece(self, first: SmsEvent, raw: bytes) -> bool:
        """Return whether this event shows that the one before only seemed torn.

        No text is as long as a later Asterisk's event, and quotes in a text are
        escaped.
        """
        event = self._reader.read(raw)
        if not event or not event.has_usual_headers:
            return False
        if not event.has_uniqueid_last:
            return True
        return (
            first.is_unfinished
            and self._may_begin_message(first)
            and event.program is not None
        )

    def _hold(self, event: SmsEvent, pieces: list[bytes]) -> None:
        """Wait for the rest of a packet, as which all that follows counts."""
        if not self._torn:
            timer = self._call_later(MESSAGE_TIMEOUT, self._torn_for_long)
            self._torn = TornPacket(event, pieces, timer)

    def _torn_for_long(self) -> None:
        """Wait on where the end is sure to come, unless this is too long for a text."""
        torn = self._torn
        assert torn
        messages = self._messages.open_on(torn.first.channel)
        if any(map(self._is_being_read, messages)) and not torn.is_late:
            torn.is_late = True
            torn.timer = self._call_later(LONGEST_STALL, self._torn_for_long)
        else:
            self._abandon_torn(torn.pieces)

    def _abandon_torn(self, pieces: list[bytes]) -> None:
        """Take the first piece as a whole event, and read the others again."""
        first, *others = pieces
        self._forget_torn()
        event = self._reader.read(first)
        assert event
        if self._is_credible(event):
            self._add(event)
        else:
            self._sorter.warn_of_forgery(event.span)
            if not event.shows_uniqueid:
                # It may be a text that ends as another message's packet would.
                for message in self._messages.open_on(event.channel):
                    message.texts.append(event.value)
        was_reading_pieces, self._is_reading_pieces = self._is_reading_pieces, True
        self._read_again(others, event.span)
        self._is_reading_pieces = was_reading_pieces

    def _read_again(self, packets: list[bytes], span: int) -> None:
        """Read packets that were set aside; they may be set aside again."""
        if self._patience.lasts_for(len(packets)):
            for raw in packets:
                self._read(Packet(raw))
        else:
            self._sorter.drop_unreadable(span)

    def _forget_torn(self) -> None:
        if self._torn:
            self._torn.timer.cancel()
            self._torn = None

    # From events to messages

    def _is_credible(self, event: SmsEvent) -> bool:
        """Return whether an event is written as usual and belongs to a message."""
        return (
            bool(event.uniqueid)
            and event.has_usual_headers
            and (event.key in self._messages or self._may_begin_message(event))
        )

    def _may_begin_message(self, event: SmsEvent) -> bool:
        """Return whether an event may be the first one of its message.

        A step is that only on a gateway that doesn't show the variables. A variable in
        which a text can stand is set aside instead: see `_is_opening`.
        """
        if event.shows_uniqueid or self._messages.any_began_with_step:
            return True
        is_first = not self._messages.open and not self._messages.has_certain_ones
        return is_first and not event.variable and not self._reader.shows_variables

    def _add(self, event: SmsEvent) -> None:
        if event.program:
            self.seen[f"step {event.program.name}"] += 1
        message = self._messages.open.get(event.key)
        if not message:
            if event.key in self._messages or not event.is_part_of_sms:
                return
            among_steps = self._messages.any_began_with_step
            is_certain = event.shows_uniqueid and not among_steps
            message = self._begin(
                event.key,
                event.span,
                is_certain=is_certain,
                began_with_step=not is_certain,
                may_begin_with_text=self._is_reading_pieces,
            )
        is_readable_now = message.add(event)
        if len(message.texts) > _MANY_TEXTS and not self._messages.make_room():
            self._decide_now(next(iter(self._messages.open.values())))
        if not is_readable_now or event.key not in self._messages.open:
            return
        self._decide_later(message, SETTLE_TIME, is_final=False)
        if not self._suspects and not any(
            each.may_forge(self._marker) for each in self._messages.open.values()
        ):
            for each in list(self._messages.open.values()):
                self._decide(each, is_final=False)

    def _begin(self, key: MessageKey, span: int, **traits: bool) -> Message:
        """Begin a message; see `Message` for its traits."""
        message = Message(key, span, datetime.now(UTC), **traits)
        self._messages.add(message)
        self._decide_later(message, MESSAGE_TIMEOUT, is_final=True)
        if len(self._messages.open) > _MAX_OPEN:
            self._decide_now(next(iter(self._messages.open.values())))
        return message

    # Which messages are genuine

    def _decide_later(self, message: Message, delay: float, *, is_final: bool) -> None:
        message.timers.append(
            self._call_later(delay, partial(self._decide, message, is_final=is_final))
        )

    def _decide_now(self, message: Message) -> None:
        """Take a message as it is."""
        message.is_late = True
        self._decide(message, is_final=True)

    def _decide(self, message: Message, *, is_final: bool) -> None:
        """Deliver the message, unless another message's text has forged it.

        Without a PDU, or with one that can't be read, this waits for the final decision.
        """
        if self._is_being_read(message):
            self._decide_later(message, SETTLE_TIME, is_final=is_final)
            return
        texts = self._messages.texts_that_name(message)
        pdus = message.genuine_pdus(texts, self._messages.texts_beside(message))
        has_any = any(map(is_readable, pdus))
        has_first = any(map(is_readable, pdus[:1]))
        if not has_first and not is_final:
            return
        for timer in message.timers:
            timer.cancel()
        misplaced = self._messages.is_on_wrong_channel(message, has_pdu=has_any)
        if (texts and not has_any) or misplaced:
            self._messages.close(message, keep=False)
            self._sorter.drop_forged(message.span)
            return
        part = None if has_first else message.read_rendering(texts)
        is_enough = has_any or (part is not None and not self.requires_pdu)
        if not is_enough and message.lacks_pdu and not message.is_late:
            # A slow gateway may still give it, and until then there's nothing to deliver.
            message.is_late = True
            self._decide_later(message, LONGEST_STALL, is_final=True)
            return
        if has_any or part:
            self._keep(message)
        else:
            self._messages.close(message, keep=False)
        self._sorter.sort(
            message, pdus, part, marker=self._marker, requires_pdu=self.requires_pdu
        )

    def _is_being_read(self, message: Message) -> bool:
        """Return whether more of it, or a text that may have forged it, is set aside."""
        torn = self._torn
        if not torn or torn.first.channel != message.channel:
            return self._opening is not None
        return message.is_certain and torn.may_go_on

    def _keep(self, message: Message) -> None:
        """Remember a message that is decided, with a text that may have forged."""
        if message.may_forge(self._marker):
            if len(self._suspects) >= _MAX_SUSPECTS:
                self._suspects.pop(next(iter(self._suspects))).cancel()
            self._suspects[message] = self._call_later(
                MESSAGE_TIMEOUT, partial(self._suspects.__delitem__, message)
            )
        else:
            message.texts.clear()  # they can't have forged anything
        self._messages.close(message, keep=True)
