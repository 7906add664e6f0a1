"""Events of SMS channels, read from packets.

For each incoming SMS the driver makes a channel ``EXTRA-SMS/<voice channel>-<n>``,
sets variables on it, and runs extension ``sms`` of the span's context. The variables
appear as VarSet events, the steps of the extension as Newexten events; firmware may
leave out either. The driver of 2013 sets SMSSRC, SMSTXT, SMSPDU, SMSTIME, SMSTZ and
DIALSTATUS, in this order; boxes sold since have more, and others may come first. Only
the channel's ``Uniqueid`` tells one SMS from the next.
"""

from dataclasses import dataclass, field
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet

from .rendering import decode_text, unescape_c
from .steps import Program, Steps

# A channel of an incoming SMS, and the beginning of every such name.
CHANNEL: Final = re.compile(r"EXTRA-SMS/(?P<voice>[0-9]{1,4})-[0-9]{1,4}")
MARKER: Final = "EXTRA-SMS/"

# No text can stand in these: a number or a name of 11 letters, a time, a few digits.
_PLAIN_VARIABLES: Final = frozenset(
    ("SMSSRC", "SMSTIME", "SMSTZ", "SMSC", "SIMIMSI", "DIALSTATUS")
)
#: The text as the driver gives it, and as it was.
TEXT_VARIABLES: Final = ("SMSTXT", "SMSORITXT")
_SMS_VARIABLES: Final = _PLAIN_VARIABLES | {*TEXT_VARIABLES, "SMSPDU"}
# Events of the same gateway differ in these headers.
_HEADERS_OF_SOME: Final = frozenset(
    ("variable", "context", "extension", "priority", "application")
)

type MessageKey = tuple[str, str]  # a channel and its Uniqueid


@dataclass(eq=False)
class SmsEvent:
    """An event of an SMS channel: a variable that was set, or a dialplan step."""

    span: int
    channel: str
    uniqueid: str  # empty where the packet ends before it
    has_uniqueid_last: bool
    has_usual_headers: bool
    variable: str  # empty for a dialplan step
    extension: str
    priority: str
    value: str = field(repr=False)
    steps: Steps = field(repr=False)

    @property
    def key(self) -> MessageKey:
        """The message that this is part of."""
        return self.channel, self.uniqueid

    @property
    def is_unfinished(self) -> bool:
        """Whether the closing quote of a program's text is missing."""
        return not self.variable and self.steps.is_unfinished(self.value)

    @property
    def program(self) -> Program | None:
        """The call of a program with the whole SMS, if this is one."""
        return None if self.variable else self.steps.read_program(self.value)

    @property
    def sender_of_program(self) -> str | None:
        """The sender in such a call, even if the text in it is cut."""
        return None if self.variable else self.steps.read_sender(self.value)

    @property
    def is_text_alone(self) -> bool:
        """Whether this may be a step of which the text is all there is."""
        is_first = not self.variable and self.priority == "1"
        return is_first and self.steps.is_text(self.value)

    @property
    def shows_uniqueid(self) -> bool:
        """Whether no text can have changed the Uniqueid that stands here."""
        if self.variable:
            return not self.has_uniqueid_last or self.variable in _PLAIN_VARIABLES
        return self.priority == "1" and self.steps.comes_before_text(self.value)

    @property
    def is_witness(self) -> bool:
        """Whether this shows the Uniqueid of its channel, unless all of it is forged."""
        return self.variable in _PLAIN_VARIABLES or (
            self.variable == "SMSPDU"
            and re.fullmatch("[0-9A-Fa-f]+", self.value) is not None
        )

    @property
    def is_part_of_sms(self) -> bool:
        """Whether this is one of the events that make up a message."""
        if self.variable:
            return self.variable in _SMS_VARIABLES
        return self.extension in ("sms", "")


class EventReader:
    """Reads the events of one gateway, and learns how that gateway writes them."""

    def __init__(self, channel: re.Pattern[str]) -> None:
        """Read events of channels whose name `channel` matches as a whole."""
        self._channel = channel
        #: How to read the steps of the dialplan.
        self.steps = Steps()
        # The headers that all events have, from the first one.
        self._headers: frozenset[str] | None = None
        #: Whether the gateway shows the variables of an SMS.
        self.shows_variables = False

    def forget(self) -> None:
        """Forget how the gateway writes: after a restart it may be another Asterisk."""
        self._headers = None
        self.shows_variables = False

    def learn(self, raw: bytes) -> None:
        """Learn from a packet that's no piece of a text, which may look like a variable."""
        if not self.shows_variables and (event := self.read(raw)):
            self.shows_variables = bool(event.variable) and event.is_part_of_sms

    def read(self, raw: bytes) -> SmsEvent | None:
        """Read a VarSet or Newexten of an SMS channel; None for any other packet.

        The value is everything between its key and the packet's end, whatever lines
        it seems to consist of. Asterisk 12 and later write Uniqueid before it,
        earlier versions as the packet's last line.
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
        text = decode_text(value)
        has_uniqueid_last = not uniqueid
        if has_uniqueid_last:
            text, last_line, uniqueid = text.rpartition("\r\nUniqueid: ")
            if not last_line:
                text, uniqueid = uniqueid, ""
        elif variable:
            text = unescape_c(text)
        return SmsEvent(
            span=(int(channel["voice"]) + 1) // 2,
            channel=channel[0],
            uniqueid=uniqueid if re.fullmatch("[!-~]+", uniqueid) else "",
            has_uniqueid_last=has_uniqueid_last,
            has_usual_headers=self._learn_headers(head),
            variable=variable,
            extension=head.get("Extension"),
            priority=head.get("Priority"),
            value=text,
            steps=self.steps,
        )

    def _learn_headers(self, head: Packet) -> bool:
        """Return whether an event is written as this gateway writes its events.

        The head of the first one is genuine: it comes before any text.
        """
        if self._headers is None:
            self._headers = frozenset(head.keys - _HEADERS_OF_SOME)
        is_same_dialect = ("Uniqueid" in head) == ("uniqueid" in self._headers)
        return is_same_dialect and self._headers <= head.keys

    def has_usual_headers(self, packet: Packet) -> bool:
        """Return whether an event of another kind has this gateway's usual headers.

        Later versions of Asterisk write so many that they don't fit into an SMS.
        """
        return self._headers is None or self._headers <= packet.keys
