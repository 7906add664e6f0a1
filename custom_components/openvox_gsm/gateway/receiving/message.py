"""One incoming SMS, collected from its events."""

from datetime import datetime
import re
from typing import Final

from custom_components.openvox_gsm.gateway.timer import Timer

from .assembly import ReceivedPart
from .events import PROCESS_SMS, MessageKey, SmsEvent
from .pdu import DeliverPdu, PduError, decode_deliver, possible_texts
from .rendering import read_time, repair_sender, repair_text

_LOOKS_LIKE_PACKET = re.compile(
    r"[\r\n](?:(?:Event|Response|Uniqueid)\s*:|--END COMMAND--)", re.IGNORECASE
)
# It isn't certain what the driver makes of these characters, so they aren't
# compared: all beyond ASCII, the at sign that it adds to names of seven letters, the
# "+" of unusual kinds of numbers, and "e", which may be half a euro sign.
_UNCERTAIN_IN_SENDER: Final = r"[^A-Za-df-z0-9]"
_DRIVER_DIGITS: Final = str.maketrans("*#abc", "ABCDE")

type Variables = dict[str, list[str]]


class Message:
    """What has been seen of one SMS so far."""

    def __init__(
        self,
        key: MessageKey,
        span: int,
        arrived_at: datetime,
        *,
        began_with_sender: bool,
    ) -> None:
        """Create an empty message.

        `began_with_sender` says that SMSSRC came first, on a gateway that shows it
        for all messages: no text can have forged the message's Uniqueid then.
        """
        self.key = key
        self.span = span
        self.arrived_at = arrived_at
        self.began_with_sender = began_with_sender
        self.timers: list[Timer] = []
        #: All different values of each variable; all but one of them are forged.
        self.variables: Variables = {}
        #: Everything that may be its text, in any form.
        self.texts: list[str] = []
        self.has_program = False
        self._pdus: dict[str, DeliverPdu] = {}  # by their hex digits
        self._program: re.Match[str] | None = None
        self._first_step: str | None = None

    @property
    def uniqueid(self) -> str:
        """The Uniqueid of the message's channel."""
        return self.key[1]

    def add(self, event: SmsEvent) -> bool:
        """Add an event; return whether it brought a readable PDU."""
        if event.variable:
            values = self.variables.setdefault(event.variable, [])
            if event.value in values:
                return False
            values.append(event.value)
            if event.variable == "SMSTXT":
                self.texts.append(event.value)
            return event.variable == "SMSPDU" and self._add_pdu(event.value)
        if program := PROCESS_SMS.fullmatch(event.value):
            self._program = program
            self.has_program = True
            self.texts.append(program["text"])
        elif self._first_step is None and event.priority == "1":
            self._first_step = event.value
        return False

    def _add_pdu(self, value: str) -> bool:
        try:
            pdu = decode_deliver(value)
        except PduError:
            self.texts += possible_texts(value)
            return False
        if not pdu.is_plain:
            # The driver may read it differently.
            self.texts += possible_texts(value)
        self._pdus[value] = pdu
        self.texts.append(pdu.text)
        return True

    def may_forge(self, marker: str) -> bool:
        """Return whether the message's text may have forged another event.

        The PDU gives the text, unless the driver may read that differently.
        """
        if not self.began_with_sender or len(self._pdus) != 1:
            return True
        (pdu,) = self._pdus.values()
        return (
            not _is_same_sender(self._sender(self.variables), pdu.sender)
            or not pdu.is_plain
            or any(imitates_packet(text, marker) for text in self.texts)
        )

    def variables_not_in(self, texts: list[str]) -> Variables:
        """Return the variables without the values that any of these texts contain."""
        return {
            variable: [
                value for value in values if not any(value in text for text in texts)
            ]
            for variable, values in self.variables.items()
        }

    def _sender(self, variables: Variables) -> str | None:
        """Return the sender as the driver gives it, from where no text can forge it."""
        if self._program and not self.began_with_sender:
            return self._program["sender"]
        return _first(variables, "SMSSRC")

    def genuine_pdu(self, variables: Variables) -> DeliverPdu | None:
        """Return the PDU that the message's own text can't have forged.

        The text of the genuine one, or that of process_sms, contains a forged one.
        """
        sender = self._sender(variables)
        pdus = {
            value: pdu
            for value, pdu in self._pdus.items()
            if value in variables["SMSPDU"] and _is_same_sender(sender, pdu.sender)
        }
        texts = [pdu.text for pdu in pdus.values()]
        if self._program:
            texts.append(self._program["text"])
        for value, pdu in pdus.items():
            if not any(value in text for text in texts):
                return pdu
        return None

    def read_pdu(self, pdu: DeliverPdu) -> ReceivedPart:
        """Return the message as its PDU gives it."""
        return ReceivedPart(
            span=self.span,
            sender=pdu.sender,
            text=pdu.text,
            sent_at=pdu.sent_at,
            time_stamp=str(pdu.sent_at or ""),
            arrived_at=self.arrived_at,
            pdu=pdu,
        )

    def read_rendering(self, variables: Variables) -> ReceivedPart | None:
        """Return the message as the driver gives it; None where too much is missing."""
        sender, text = self._sender(variables), _first(variables, "SMSTXT")
        time = _first(variables, "SMSTIME") or ""
        zone = _first(variables, "SMSTZ") or ""
        if program := self._program:
            time = time or program["time"]
            # The shorter one, if any, was cut by its own content. Asterisk 13.5 and
            # later spoil what isn't UTF-8 in a variable.
            text = max(
                text or "",
                program["text"],
                key=lambda each: (-each.count("\ufffd"), len(each)),
            )
        elif text is None:
            text = self._first_step
        if text is None:
            return None
        return ReceivedPart(
            span=self.span,
            sender=repair_sender(sender or ""),
            text=repair_text(text),
            sent_at=read_time(time, zone),
            time_stamp=time,
            arrived_at=self.arrived_at,
        )


def imitates_packet(text: str, marker: str) -> bool:
    """Return whether a text looks like the gateway's own packets."""
    return marker in text or _LOOKS_LIKE_PACKET.search(text) is not None


def _first(variables: Variables, name: str) -> str | None:
    """Return the first value of a variable, None where it was not set."""
    return next(iter(variables.get(name, [])), None)


def _is_same_sender(rendered: str | None, sender: str) -> bool:
    """Compare a sender as the driver renders it with the one in a PDU.

    The driver gives none for a PDU without service centre.
    """
    if not rendered:
        return True
    rendered, *forms = (
        re.sub(_UNCERTAIN_IN_SENDER, "", form)
        for form in (rendered, sender, sender.translate(_DRIVER_DIGITS))
    )
    return rendered in forms
