"""Events of SMS channels, read from packets.

For each incoming SMS the driver makes a channel ``EXTRA-SMS/<voice channel>-<n>``,
sets the variables SMSSRC, SMSTXT, SMSPDU, SMSTIME, SMSTZ and DIALSTATUS on it, and
runs extension ``sms`` of the span's context. The variables appear as VarSet events,
the steps of the extension as Newexten events; firmware may leave out either. Only
the channel's ``Uniqueid`` tells one SMS from the next.
"""

from dataclasses import dataclass, field
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet

from .rendering import decode_text, unescape_c

# A channel of an incoming SMS, and the beginning of every such name.
CHANNEL: Final = re.compile(r"EXTRA-SMS/(?P<voice>[0-9]{1,4})-[0-9]{1,4}")
MARKER: Final = "EXTRA-SMS/"

# process_sms "<span>" "<sender>" "<time>" "<text>": the gateway's own program.
_PROGRAM: Final = r'\S*process_sms "[0-9]+" "(?P<sender>[^"]*)" "(?P<time>[^"]*)" '
PROCESS_SMS: Final = re.compile(_PROGRAM + r'"(?P<text>.*)"[^"]*', re.DOTALL)
_UNFINISHED_PROCESS_SMS = re.compile(_PROGRAM + r'"(?:[^"\\]|\\.)*\\?', re.DOTALL)

_SMS_VARIABLES: Final = frozenset(
    ("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS")
)
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

    @property
    def key(self) -> MessageKey:
        """The message that this is part of."""
        return self.channel, self.uniqueid

    @property
    def is_unfinished(self) -> bool:
        """Whether the closing quote of process_sms is missing."""
        return not self.variable and bool(_UNFINISHED_PROCESS_SMS.fullmatch(self.value))

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
        # The headers that all events have, from the first one.
        self._headers: frozenset[str] | None = None

    def forget(self) -> None:
        """Forget how the gateway writes: after a restart it may be another Asterisk."""
        self._headers = None

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
