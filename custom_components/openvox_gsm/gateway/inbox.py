r"""Incoming SMS: VarSet and Newexten events in, one IncomingSms each out.

For each SMS the driver makes a channel ``EXTRA-SMS/<voice channel>-<n>``, sets
the variables SMSSRC, SMSTXT, SMSPDU, SMSTIME, SMSTZ and DIALSTATUS on it, and
runs extension ``sms`` of the span's context. The variables show as VarSet
events, the steps of the extension as Newexten events; firmware may hold back
either. The channel's ``Uniqueid`` tells one SMS from the next.

The text of an SMS is hostile. Asterisk writes it raw into events (1.8 into
both kinds, later versions into Newexten), so a text with CR LF CR LF ends the
packet it stands in, and what follows reads as packets of its own. Whatever the
text holds, one SMS must not become two, nor come from somebody else:

* A packet that the text cut in two is put together again: nothing comes between
  its pieces, and the genuine end is known, since it repeats a Uniqueid that
  SMSSRC, which comes before the text, has told.
* A message begins with its SMSSRC. One SMS is too short to forge that and
  another event, and too short for the many headers of a later Asterisk's event.
* The PDU is hex, so the text cannot break out of it. Everything is taken from
  it where it comes, unless it names another sender than SMSSRC.
* A message whose Uniqueid stands in another message's text may be that text's
  work: it counts only by a PDU that does not stand there as well.
* A text can forge only while its own message comes in, or right after. So a
  message that has its PDU is delivered at once where every text that was lately
  there is known, and none could forge anything; else it rests for a moment, so
  that all texts are known when it is judged.

Without a PDU this does not hold against a sender who guesses the Uniqueid of his
own message beforehand. Nor does it, guess or not, on an Asterisk before 12 that
shows Newexten events only, if no process_sms is among them or the driver does not
escape the quotes in the text. Whoever cannot live with that takes no message
without its PDU (`requires_pdu`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
import logging
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet

from .assembly import CallLater, ReceivedPart, Timer
from .pdu import Deliver, PduError, decode_deliver, every_reading

_LOGGER = logging.getLogger(__name__)

# All events of one SMS come within milliseconds. After the longer time a message
# is taken as it is; one that has its PDU rests for the shorter at most.
MESSAGE_TIMEOUT: Final = 2.0  # seconds
REST: Final = 0.25  # seconds
_MAX_MESSAGES_REMEMBERED: Final = 200
_MAX_TORN: Final = 16 * 1024  # bytes; an SMS has at most 160 characters

_PACKET_END = b"\r\n\r\n"
# A channel of an incoming SMS, and what stands in the name of every one.
_CHANNEL: Final = re.compile(r"EXTRA-SMS/(?P<voice>[0-9]{1,4})-[0-9]{1,4}")
_MARK: Final = "EXTRA-SMS/"
_UNIQUEID = re.compile(r"[!-~]+")
_SMS_VARIABLES: Final = frozenset(
    ("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS")
)
# The headers in which the events of one gateway differ.
_OF_SOME_EVENTS: Final = frozenset(
    ("variable", "context", "extension", "priority", "application")
)
_PROGRAM = r'\S*process_sms "[0-9]+" "(?P<sender>[^"]*)" "(?P<time>[^"]*)" '
_PROCESS_SMS = re.compile(_PROGRAM + r'"(?P<text>.*)"[^"]*', re.DOTALL)
_UNFINISHED_PROCESS_SMS = re.compile(_PROGRAM + r'"(?:[^"\\]|\\.)*\\?', re.DOTALL)
_POSES_AS_PACKET = re.compile(
    r"[\r\n](?:(?:Event|Response|Uniqueid)\s*:|--END COMMAND--)", re.IGNORECASE
)

type _Key = tuple[str, str]  # a channel and its Uniqueid


@dataclass(frozen=True, slots=True)
class _Step:
    """One event of an SMS channel: a variable that was set, or a dialplan step."""

    span: int
    channel: str
    uniqueid: str  # empty where the packet ends before it
    has_uniqueid_last: bool
    has_usual_headers: bool
    variable: str  # empty for a dialplan step
    extension: str
    priority: str
    value: str = field(repr=False)

    @property
    def key(self) -> _Key:
        """The message that this belongs to."""
        return self.channel, self.uniqueid

    @property
    def is_unfinished(self) -> bool:
        """Whether the closing quote of process_sms is missing."""
        return not self.variable and bool(_UNFINISHED_PROCESS_SMS.fullmatch(self.value))

    @property
    def tells_of_sms(self) -> bool:
        """Whether this is one of the events that make up a message."""
        if self.variable:
            return self.variable in _SMS_VARIABLES
        return self.extension in ("sms", "")


@dataclass(slots=True, eq=False)
class _Message:
    """What has been seen of one SMS so far."""

    key: _Key
    span: int
    arrived_at: datetime
    # Whether it began with SMSSRC, on a gateway that shows it for all messages.
    is_announced: bool
    timers: list[Timer] = field(default_factory=list)
    # All different values of a variable: all but one are somebody's forgery.
    variables: dict[str, list[str]] = field(default_factory=dict)
    pdus: dict[str, Deliver] = field(default_factory=dict)  # by their hex digits
    program: re.Match[str] | None = None
    # All that may be its text, in any form.
    texts: list[str] = field(default_factory=list)
    first_step: str | None = None


class Inbox:
    """Decides from the events of a gateway what is one genuine SMS.

    Subscribe `receive` with the test `wants`. Messages come out of `deliver`.
    """

    def __init__(
        self,
        deliver: Callable[[ReceivedPart], None],
        call_later: CallLater,
        *,
        requires_pdu: bool = False,
        channel: re.Pattern[str] = _CHANNEL,
        mark: str = _MARK,
    ) -> None:
        """Use `call_later` (as of an event loop) for the time limits.

        With `requires_pdu` a message without its PDU is dropped, with a warning.
        `channel` matches the whole name of an SMS channel, its group `voice` is
        the number of the span's voice channel, and every such name holds `mark`.
        """
        self._call_later = call_later
        #: Whether a message is taken only with its PDU; may be changed at any time.
        self.requires_pdu = requires_pdu
        self._channel = channel
        self._mark = mark
        #: Stands in every packet that may be an SMS's, unless one was cut in two.
        self.mark = mark.encode()
        self._deliver = deliver
        self._open: dict[_Key, _Message] = {}
        self._judged: dict[_Key, _Message] = {}  # lately
        # How many of all these were announced, by their Uniqueids.
        self._announced: Counter[str] = Counter()
        # Those of them whose texts may still forge something, for a moment.
        self._suspects: dict[_Message, Timer] = {}
        self._warned: Timer | None = None  # of a forgery, a moment ago
        self._pieces: list[bytes] = []  # of a packet that its text cut in two
        self._pieces_timer: Timer | None = None
        # The headers that all events of this gateway have, from its first one.
        self._headers: frozenset[str] | None = None

    def wants(self, raw: bytes) -> bool:
        """Tell cheaply whether a packet may concern an SMS."""
        return self.mark in raw or bool(self._pieces)

    def receive(self, packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        if self._pieces and self._is_surely_no_text(packet.raw):
            self._give_pieces_up()
        pieces = [*self._pieces, packet.raw]
        step = self._read_step(_PACKET_END.join(pieces))
        if step is None:
            return
        if self._is_torn(step):
            if not self._pieces:
                self._pieces_timer = self._call_later(
                    MESSAGE_TIMEOUT, self._give_pieces_up
                )
            self._pieces = pieces
            if sum(map(len, pieces)) > _MAX_TORN:
                self._give_pieces_up()
        elif self._is_credible(step):
            self._forget_pieces()
            self._take(step)
        else:
            self._pieces = pieces
            self._give_pieces_up()

    @property
    def is_in_packet(self) -> bool:
        """Whether what comes now may be the rest of a packet that a text cut in two."""
        return bool(self._pieces)

    @property
    def is_reading(self) -> bool:
        """Whether an SMS is coming in whose text is not known for certain yet."""
        return bool(self._open)

    def is_written_as_usual(self, packet: Packet) -> bool:
        """Tell whether an event of another kind has the headers of this gateway's.

        A later Asterisk writes so many that no SMS could hold them.
        """
        return self._headers is None or self._headers <= packet.keys

    def may_have_forged(self, uniqueid: str) -> bool:
        """Tell whether a Uniqueid is an SMS's own, or stands in a text that may forge.

        An event of another kind with such a Uniqueid is the work of that text.
        """
        return any(
            uniqueid == message.key[1]
            or any(uniqueid in text for text in message.texts)
            for message in self._messages()
        )

    def connection_lost(self) -> None:
        """Deliver what is there: nothing more comes of it.

        A gateway that has restarted may give the same Uniqueids again.
        """
        self._forget_pieces()
        for message in list(self._open.values()):
            self._judge(message, at_last=True)
        self._judged.clear()
        self._announced.clear()
        for timer in self._suspects.values():
            timer.cancel()
        self._suspects.clear()
        self._headers = None

    def stop(self) -> None:
        """Deliver what is there and end all timers."""
        self.connection_lost()
        if self._warned:
            self._warned.cancel()

    # From packets to events

    def _read_step(self, raw: bytes) -> _Step | None:
        """Read a VarSet or Newexten of an SMS channel.

        The value is what stands between its key and the packet's end, whatever
        lines it seems to consist of. Asterisk 12 and later write Uniqueid before
        it, earlier ones as the packet's last line.
        """
        if raw.startswith(b"Event: VarSet\r\n"):
            before, found, value = raw.partition(b"\r\nValue: ")
        elif raw.startswith(b"Event: Newexten\r\n"):
            before, found, value = raw.partition(b"\r\nAppData: ")
        else:
            return None
        head = Packet(before)
        channel = self._channel.fullmatch(head.get("Channel"))
        if not found or not channel:
            return None
        variable = head.get("Variable")
        uniqueid = head.get("Uniqueid")
        text = _decode_text(value)
        has_uniqueid_last = not uniqueid
        if has_uniqueid_last:
            text, last_line, uniqueid = text.rpartition("\r\nUniqueid: ")
            if not last_line:
                text, uniqueid = uniqueid, ""
        elif variable:
            text = _unescape_c(text)
        return _Step(
            span=(int(channel["voice"]) + 1) // 2,
            channel=channel[0],
            uniqueid=uniqueid if _UNIQUEID.fullmatch(uniqueid) else "",
            has_uniqueid_last=has_uniqueid_last,
            has_usual_headers=self._has_usual_headers(head),
            variable=variable,
            extension=head.get("Extension"),
            priority=head.get("Priority"),
            value=text,
        )

    def _has_usual_headers(self, head: Packet) -> bool:
        """Tell whether an event is written as this gateway writes its events.

        The head of the first one is genuine: it stands before any text.
        """
        if self._headers is None:
            self._headers = frozenset(head.keys - _OF_SOME_EVENTS)
        is_of_same_dialect = ("Uniqueid" in head) == ("uniqueid" in self._headers)
        return is_of_same_dialect and self._headers <= head.keys

    # Packets that the text of an SMS cut in two

    def _is_torn(self, step: _Step) -> bool:
        """Tell whether the packet's end is not the one that the gateway wrote.

        The Uniqueid of an announced message cannot be a forged one. Where the
        gateway announces none any other has to do.
        """
        if not step.has_usual_headers:
            return False
        if step.has_uniqueid_last:
            if step.uniqueid in self._announced:
                return False
            if not step.uniqueid or not self._may_begin_message(step):
                return True
        return step.is_unfinished

    def _is_surely_no_text(self, raw: bytes) -> bool:
        """Tell whether this is an event after what only seemed to be torn.

        No text is as long as a later Asterisk's event, and quotes in a text are
        escaped.
        """
        step = self._read_step(raw)
        if not step or not step.has_usual_headers:
            return False
        if not step.has_uniqueid_last:
            return True
        first = self._read_step(self._pieces[0])
        assert first
        return (
            first.is_unfinished
            and self._may_begin_message(first)
            and _PROCESS_SMS.fullmatch(step.value) is not None
        )

    def _give_pieces_up(self) -> None:
        """Take the first piece for what it is, and read on."""
        first, *others = self._pieces
        self._forget_pieces()
        step = self._read_step(first)
        assert step
        if self._is_credible(step):
            self._take(step)
        else:
            self._warn_of_forgery(step.span)
        for raw in others:
            self.receive(Packet(raw))

    def _forget_pieces(self) -> None:
        self._pieces = []
        if self._pieces_timer:
            self._pieces_timer.cancel()
            self._pieces_timer = None

    # From events to messages

    def _messages(self) -> Iterator[_Message]:
        yield from self._open.values()
        yield from self._judged.values()

    def _is_credible(self, step: _Step) -> bool:
        """Tell whether an event is written as it should be, and of a message."""
        return (
            bool(step.uniqueid)
            and step.has_usual_headers
            and (
                step.key in self._open
                or step.key in self._judged
                or self._may_begin_message(step)
            )
        )

    def _may_begin_message(self, step: _Step) -> bool:
        """Tell whether an event may be the first one of its message.

        That is SMSSRC, unless the gateway does not show it.
        """
        return (
            step.variable == "SMSSRC"
            or not (self._open or self._announced)
            or not self._all_are_announced
        )

    @property
    def _all_are_announced(self) -> bool:
        return all(message.is_announced for message in self._open.values())

    def _take(self, step: _Step) -> None:
        message = self._open.get(step.key)
        if not message:
            if step.key in self._judged or not step.tells_of_sms:
                return
            message = self._begin(step)
        if step.variable:
            values = message.variables.setdefault(step.variable, [])
            if step.value not in values:
                values.append(step.value)
                self._look_into(message, step)
        elif program := _PROCESS_SMS.fullmatch(step.value):
            message.program = program
            message.texts.append(program["text"])
        elif message.first_step is None and step.priority == "1":
            message.first_step = step.value

    def _look_into(self, message: _Message, step: _Step) -> None:
        if step.variable == "SMSTXT":
            message.texts.append(step.value)
        elif step.variable == "SMSPDU":
            pdu = _decode(step.value)
            if not pdu or not pdu.is_plain:
                # What the driver makes of it may be something else.
                message.texts += every_reading(step.value)
            if not pdu:
                return
            message.pdus[step.value] = pdu
            message.texts.append(pdu.text)
            self._judge_later(message, REST, at_last=False)
            if not self._suspects and not any(
                map(self._may_forge, self._open.values())
            ):
                for each in list(self._open.values()):
                    self._judge(each, at_last=False)

    def _begin(self, step: _Step) -> _Message:
        is_announced = step.variable == "SMSSRC" and self._all_are_announced
        message = _Message(step.key, step.span, datetime.now(UTC), is_announced)
        self._open[step.key] = message
        if is_announced:
            self._announced[step.uniqueid] += 1
        self._judge_later(message, MESSAGE_TIMEOUT, at_last=True)
        return message

    def _judge_later(self, message: _Message, delay: float, *, at_last: bool) -> None:
        message.timers.append(
            self._call_later(delay, partial(self._judge, message, at_last=at_last))
        )

    def _judge(self, message: _Message, *, at_last: bool) -> None:
        """Hand the message on, unless it is the work of another message's text.

        Without a PDU that stays open until the last.
        """
        accusing = self._texts_that_name(message)
        values = {
            variable: [
                value for value in values if not any(value in text for text in accusing)
            ]
            for variable, values in message.variables.items()
        }
        pdu = _genuine_pdu(message, values)
        if not pdu and not at_last:
            return
        for timer in message.timers:
            timer.cancel()
        del self._open[message.key]
        if (accusing and not pdu) or self._is_on_wrong_channel(message):
            self._forget(message)
            # Not with the others: it may be an honest one.
            _LOGGER.warning(
                "Span %s: dropped a message that the text of another SMS seems to "
                "have forged",
                message.span,
            )
            return
        part = _read_pdu(message, pdu) if pdu else _read_rendering(message, values)
        if part is None:
            self._forget(message)
            _LOGGER.warning(
                "Span %s: an SMS came in of which the gateway told too little to "
                "read it",
                message.span,
            )
            return
        self._remember(message)
        if self._poses_as_packet(part.text):
            self._warn_of_forgery(message.span)
        if self.requires_pdu and not pdu:
            _LOGGER.warning(
                "Span %s: dropped an SMS that came without its PDU, as the option of "
                "the gateway wants it",
                message.span,
            )
            return
        self._deliver(part)

    def _may_forge(self, message: _Message) -> bool:
        """Tell whether a message's text, as far as it is known, may forge an event.

        It is known by the PDU, unless the driver may make something else of that.
        """
        if not message.is_announced or len(message.pdus) != 1:
            return True
        (pdu,) = message.pdus.values()
        return (
            not _is_same_sender(_sender(message, message.variables), pdu.sender)
            or not pdu.is_plain
            or any(map(self._poses_as_packet, message.texts))
        )

    def _warn_of_forgery(self, span: int) -> None:
        """Warn of a hostile text; once, for all that is noticed of it."""
        if self._warned:
            return
        self._warned = self._call_later(MESSAGE_TIMEOUT, self._warn_again)
        _LOGGER.warning(
            "Span %s: the text of an SMS imitates the gateway's own events; it is taken "
            "as a text, and the events are not believed",
            span,
        )

    def _warn_again(self) -> None:
        self._warned = None

    def _poses_as_packet(self, text: str) -> bool:
        return self._mark in text or _POSES_AS_PACKET.search(text) is not None

    def _texts_that_name(self, message: _Message) -> list[str]:
        """Return other messages' texts in which the message's Uniqueid stands."""
        uniqueid = message.key[1]
        return [
            text
            for other in self._messages()
            if other is not message
            for text in other.texts
            if uniqueid in text
        ]

    def _is_on_wrong_channel(self, message: _Message) -> bool:
        """Tell whether the Uniqueid is more likely that of another channel."""
        if message.is_announced or message.program:
            return False
        return any(
            other.key[1] == message.key[1]
            for other in self._messages()
            if other is not message
        )

    def _remember(self, message: _Message) -> None:
        if self._may_forge(message):
            self._suspects[message] = self._call_later(
                MESSAGE_TIMEOUT, partial(self._suspects.__delitem__, message)
            )
        else:
            message.texts.clear()  # nothing in them can be held against another
        self._judged[message.key] = message
        while len(self._judged) > _MAX_MESSAGES_REMEMBERED:
            self._forget(self._judged.pop(next(iter(self._judged))))

    def _forget(self, message: _Message) -> None:
        """Forget that a message which is not kept was announced."""
        if message.is_announced:
            self._announced[message.key[1]] -= 1
            if not self._announced[message.key[1]]:
                del self._announced[message.key[1]]


# The PDU


def _decode(value: str) -> Deliver | None:
    try:
        return decode_deliver(value)
    except PduError:
        return None


def _sender(message: _Message, variables: dict[str, list[str]]) -> str | None:
    """Return the sender as the driver told it, from where no text can forge it."""
    if message.program and not message.is_announced:
        return message.program["sender"]
    return _first(variables, "SMSSRC")


def _genuine_pdu(message: _Message, variables: dict[str, list[str]]) -> Deliver | None:
    """Return the PDU of a message that its own text cannot have forged.

    A forged one stands in the text of the genuine one, or in that of the program.
    """
    sender = _sender(message, variables)
    pdus = {
        value: pdu
        for value, pdu in message.pdus.items()
        if value in variables["SMSPDU"] and _is_same_sender(sender, pdu.sender)
    }
    texts = [pdu.text for pdu in pdus.values()]
    if message.program:
        texts.append(message.program["text"])
    for value, pdu in pdus.items():
        if not any(value in text for text in texts):
            return pdu
    return None


# What the driver makes of some characters is not certain enough to compare them:
# all beyond ASCII, the at sign that it adds to names of seven letters, the "+" of
# unusual kinds of numbers, and "e", which may be half a euro sign.
_UNCERTAIN_IN_SENDER = re.compile(r"[^A-Za-df-z0-9]")
_DRIVER_DIGITS = str.maketrans("*#abc", "ABCDE")


def _is_same_sender(told: str | None, sender: str) -> bool:
    """Compare a sender as the driver told it with the one of a PDU.

    The driver tells none for a PDU without service centre.
    """
    if not told:
        return True
    told, *forms = (
        _UNCERTAIN_IN_SENDER.sub("", form)
        for form in (told, sender, sender.translate(_DRIVER_DIGITS))
    )
    return told in forms


def _read_pdu(message: _Message, pdu: Deliver) -> ReceivedPart:
    return ReceivedPart(
        span=message.span,
        sender=pdu.sender,
        text=pdu.text,
        sent_at=pdu.sent_at,
        time_stamp=str(pdu.sent_at or ""),
        arrived_at=message.arrived_at,
        pdu=pdu,
    )


# The driver's own rendering, mended as far as that can be done

_UCS2_MARK = "\ufeff"  # stands before texts and senders that came in UCS-2
_DRIVER_ESCAPE = re.compile(r'\\\\\\(["\\`])')
_DRIVER_UNESCAPED = re.compile(r'["\\`]')
_C_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_C_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    '"': '"',
    "'": "'",
    "?": "?",
    "\\": "\\",
}
# West of Greenwich and beyond five hours the driver tells GMT+0, half hours it
# cuts: GMT+5 is India's +5:30 more often than not.
_UNCERTAIN_HOURS: Final = (0, 5)
_EASTERNMOST: Final = 14


def _first(variables: dict[str, list[str]], name: str) -> str | None:
    """Return the first value of a variable, None where it was not set."""
    return next(iter(variables.get(name, [])), None)


def _read_rendering(
    message: _Message, variables: dict[str, list[str]]
) -> ReceivedPart | None:
    """Read a message without its PDU; None where too little was told."""
    sender, text = _sender(message, variables), _first(variables, "SMSTXT")
    time, zone = _first(variables, "SMSTIME") or "", _first(variables, "SMSTZ") or ""
    if program := message.program:
        time = time or program["time"]
        # The shorter one, if any, was cut by what it holds. Asterisk 13.5 and later
        # spoil in a variable what is no UTF-8.
        text = max(
            text or "",
            program["text"],
            key=lambda each: (-each.count("\ufffd"), len(each)),
        )
    elif text is None:
        text = message.first_step
    if text is None:
        return None
    return ReceivedPart(
        span=message.span,
        sender=_mend_sender(sender or ""),
        text=_mend_text(text),
        sent_at=_read_time(time, zone),
        time_stamp=time,
        arrived_at=message.arrived_at,
    )


def _decode_text(value: bytes) -> str:
    """Decode UTF-8, or the bytes that the driver makes of GSM 7-bit.

    Those are Latin-1, except for the euro sign, Ö, and Greek, which is lost.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        if _UCS2_MARK.encode() in value:
            return value.decode(errors="replace")
        text = value.decode("latin-1")
        return text.replace("ÿe", "€").replace("ÿ", "\ufffd").replace("Ì", "Ö")


def _unescape_c(value: str) -> str:
    """Undo what Asterisk 13.5 and later do to the value of a VarSet event.

    A value that cannot have been escaped so is returned as it is.
    """
    if any(escape not in _C_ESCAPES for escape in _C_ESCAPE.findall(value)):
        return value
    return _C_ESCAPE.sub(lambda match: _C_ESCAPES[match[1]], value)


def _mend_text(text: str) -> str:
    """Undo the driver's escapes, and take off the mark it puts before UCS-2."""
    if not _DRIVER_UNESCAPED.search(_DRIVER_ESCAPE.sub("", text)):
        text = _DRIVER_ESCAPE.sub(r"\1", text)
    return text.removeprefix(_UCS2_MARK)


def _mend_sender(sender: str) -> str:
    """Take off the blank of text mode and the ``@`` after seven letters."""
    sender = _mend_text(sender).strip()
    return sender[:-1] if re.fullmatch(".{7}@", sender) else sender


def _read_time(time: str, zone: str) -> datetime | None:
    """Read SMSTIME and SMSTZ; None where the zone is not certain."""
    match = re.fullmatch(r"GMT\+([0-9]{1,2})", zone.strip())
    if not match:
        return None
    hours = int(match[1])
    if hours in _UNCERTAIN_HOURS or hours > _EASTERNMOST:
        return None
    for form in ("%Y/%m/%d %H:%M:%S", "%y/%m/%d,%H:%M:%S"):
        try:
            local = datetime.strptime(time.strip(), form)
        except ValueError:
            continue
        return local.replace(tzinfo=timezone(timedelta(hours=hours)))
    return None
