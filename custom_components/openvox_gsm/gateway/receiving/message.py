"""One incoming SMS, collected from its events."""

from dataclasses import dataclass, field
from datetime import datetime
import re
from typing import Final

from custom_components.openvox_gsm.gateway.bounds import MAX_VALUE
from custom_components.openvox_gsm.gateway.timer import Timer

from .events import TEXT_VARIABLES, MessageKey, SmsEvent
from .pdu import (
    Coding,
    DeliverPdu,
    PduError,
    decode_deliver,
    possible_texts,
    read_sender,
)
from .received_part import ReceivedPart
from .rendering import read_time, read_zone, repair_sender, repair_text
from .report import ReportPdu, decode_report
from .steps import Program

_LOOKS_LIKE_PACKET = re.compile(
    r"[\r\n](?:(?:Event|Response|Uniqueid)\s*:|--END COMMAND--)", re.IGNORECASE
)
# It isn't certain what the driver makes of these characters, so they aren't
# compared: all beyond ASCII, the at sign that it adds to names of seven letters, the
# "+" of unusual kinds of numbers, and "e", which may be half a euro sign.
_UNCERTAIN_IN_SENDER: Final = r"[^A-Za-df-z0-9]"
_DRIVER_DIGITS: Final = str.maketrans("*#abc", "ABCDE")

_HEX: Final = re.compile("(?:[0-9A-Fa-f]{2})+")
# What the driver reads at once stands in SMSPDU as it came from the module, which writes
# a header before each SMS and status report (recorded).
_SEVERAL_PDUS: Final = re.compile(
    rf"{_HEX.pattern}(?:[\r\n]+\+C(?:MT|DS): [^\r\n]*[\r\n]+{_HEX.pattern})+[\r\n]*"
)

# What a hostile gateway sends beyond these isn't read: no text can cause that.
_MAX_VARIABLES: Final = 50
_MAX_VALUES: Final = 50  # different ones of a variable
_MAX_PDUS: Final = 50  # in one value

type Variables = dict[str, list[str]]


@dataclass(frozen=True)
class UnreadablePdu:
    """A PDU of which no more than the sender can be read, as the driver gives it."""

    as_sender: str = field(repr=False)


type Pdu = DeliverPdu | ReportPdu | UnreadablePdu


class Message:
    """What has been seen of one SMS so far."""

    def __init__(
        self,
        key: MessageKey,
        span: int,
        arrived_at: datetime,
        *,
        is_certain: bool,
        began_with_step: bool = False,
        may_begin_with_text: bool = False,
    ) -> None:
        """Create an empty message.

        `is_certain` says that no text can have forged the message's Uniqueid,
        `began_with_step` that the gateway may show no variables: this message, or
        another one that was coming in, began with a step of the dialplan. With
        `may_begin_with_text` even its first variable may be a piece of its text.
        """
        self.key = key
        self.span = span
        self.arrived_at = arrived_at
        self.is_certain = is_certain
        self.began_with_step = began_with_step
        self.timers: list[Timer] = []
        self.is_late = False  # whether the rest of it should have come by now
        #: All different values of each variable; all but one of them are forged.
        self.variables: Variables = {}
        #: Everything that may be its text, in any form.
        self.texts: list[str] = []
        self.program: Program | None = None
        self._senders_of_programs: list[str] = []
        # By the value of SMSPDU: its PDUs, each with its hex digits.
        self._pdus: dict[str, list[tuple[str, Pdu]]] = {}
        self._first_step: str | None = None
        self._may_begin_with_text = may_begin_with_text
        self._sender_came_first = False

    @property
    def channel(self) -> str:
        """The name of the message's channel."""
        return self.key[0]

    @property
    def uniqueid(self) -> str:
        """The Uniqueid of the message's channel."""
        return self.key[1]

    @property
    def lacks_pdu(self) -> bool:
        """Whether the gateway shows variables, but hasn't shown SMSPDU yet."""
        return bool(self.variables) and "SMSPDU" not in self.variables

    def add(self, event: SmsEvent) -> bool:
        """Add an event; return whether it brought a readable PDU."""
        if event.variable:
            if len(self.variables) == _MAX_VARIABLES:
                return False
            values = self.variables.setdefault(event.variable, [])
            if event.value in values or len(values) == _MAX_VALUES:
                return False
            if event.variable == "SMSSRC" and not values:
                self._sender_came_first = not (self.texts or self._may_begin_with_text)
            values.append(event.value)
            if event.variable in TEXT_VARIABLES:
                self.texts.append(event.value)
            return event.variable == "SMSPDU" and self._add_pdus(event.value)
        if (sender := event.sender_of_program) is not None:
            self._senders_of_programs.append(sender)
        if program := event.program:
            self.program = program
            self.texts.append(program.text)
        elif self._first_step is None and event.is_text_alone:
            self._first_step = event.value
        return False

    def forget_content(self) -> None:
        """Forget all but what it may have forged, as it's decided."""
        self.variables = {}
        self._pdus = {}

    def _add_pdus(self, value: str) -> bool:
        pdus: list[tuple[str, Pdu]] = []
        for hex_pdu in _split_pdus(value):
            pdu = _decode(hex_pdu)
            if not isinstance(pdu, DeliverPdu) or not pdu.is_plain:
                # The driver may read it differently.
                self.texts += possible_texts(hex_pdu)
            if isinstance(pdu, DeliverPdu):
                self.texts.append(pdu.text)
            if pdu:
                pdus.append((hex_pdu, pdu))
            elif not pdus:
                return False
        self._pdus[value] = pdus
        return any(is_readable(pdu) for _, pdu in pdus)

    def may_forge(self, marker: str) -> bool:
        """Return whether the message's text may have forged another event.

        The PDU gives the text, unless the driver may read that differently. A text that
        has forged the PDU itself was cut before it.
        """
        pdus = [pdu for each in self._pdus.values() for _, pdu in each]
        if not self.is_certain or len(pdus) != 1:
            return True
        (pdu,) = pdus
        senders = self._senders(self.variables)
        return (
            len(senders) > 1
            or None in senders
            or not any(_is_sender_of(sender, pdu) for sender in senders)
            or not isinstance(pdu, DeliverPdu)
            or not pdu.is_plain
            or not all(
                _is_rendering_of(value, pdu)
                for name in TEXT_VARIABLES
                for value in self.variables.get(name, ())
            )
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

    def _senders(self, variables: Variables) -> list[str | None]:
        """Return the sender as the driver gives it; None where that isn't known.

        The message's text may have forged all but one of several.
        """
        if self.program and not self.is_certain:
            return [self.program.sender]
        if not self.is_certain and not self.began_with_step:
            return [None]
        senders = variables.get("SMSSRC", ())
        if self._sender_came_first:
            senders = senders[:1]
        return [*senders] or [self.program.sender if self.program else None]

    def _rendered_sender(self, variables: Variables) -> str:
        """Return the sender as the driver gives it; nobody where it gives several.

        All but one of them are forged, and nothing tells which. Nor does anything tell
        whether the only one is, where it may be a piece of the text.
        """
        if self._may_begin_with_text and variables.get("SMSSRC"):
            return ""
        senders = self._senders(variables)
        if not self._sender_came_first:
            senders += self._senders_of_programs
        forms = {re.sub(_UNCERTAIN_IN_SENDER, "", each or "") for each in senders}
        return (senders[0] or "") if len(forms) == 1 else ""

    def genuine_pdus(self, texts: list[str], other_texts: list[str]) -> list[Pdu]:
        """Return the PDUs that no text can have forged: one, in most messages.

        `texts` are those of other messages that contain this one's Uniqueid,
        `other_texts` all of them. The message's own text contains what it has forged,
        and the genuine PDU shows that text. Where the driver has read several SMS at
        once, all but the first stand in SMSPDU alone.
        """
        variables = self.variables_not_in(texts)
        if not self._shows_pdu(variables):
            return []
        senders = self._senders(variables)
        if variables.get("SMSSRC") != self.variables.get("SMSSRC"):
            # A text may name the genuine one, and have forged the other in the driver's
            # spelling.
            senders = [None]
        texts = texts + self.texts
        all_texts = texts + other_texts
        for pdus in self._pdus.values():
            (first, pdu), *others = pdus
            if any(first in text for text in texts):
                continue
            if not any(_is_sender_of(sender, pdu) for sender in senders):
                continue
            return [
                pdu,
                *(
                    other
                    for hex_pdu, other in others
                    if not any(hex_pdu in text for text in all_texts)
                ),
            ]
        return []

    def _shows_pdu(self, variables: Variables) -> bool:
        """Return whether SMSPDU is known to be one.

        Without the message's genuine Uniqueid it isn't. Nor is it in text mode with a
        sender of the phone book: then the text itself stands there, sender and text
        are empty, and the time has no digits (recorded).
        """
        if not self.is_certain and not self.began_with_step:
            return False
        rendered = [
            value.strip()
            for name in ("SMSSRC", *TEXT_VARIABLES)
            for value in variables.get(name, ())
        ]
        if "SMSSRC" not in variables or any(rendered):
            return True
        return re.search("[0-9]:[0-9]", _first(variables, "SMSTIME") or "") is not None

    def read_rendering(self, texts: list[str]) -> ReceivedPart | None:
        """Return the message as the driver gives it; None where too much is missing.

        `texts` are those of other messages that contain this one's Uniqueid.
        """
        variables = self.variables_not_in(texts)
        text = self._rendered_text(variables)
        time = _first(variables, "SMSTIME") or ""
        if self.program:
            time = time or self.program.time
        if text is None:
            return None
        local = read_time(time)
        zone = read_zone(_first(variables, "SMSTZ") or "")
        return ReceivedPart(
            span=self.span,
            sender=repair_sender(self._rendered_sender(variables))[:MAX_VALUE],
            text=text,
            sent_at=local.replace(tzinfo=zone) if local and zone else None,
            time_stamp=str(local or ""),
            arrived_at=self.arrived_at,
        )

    def _rendered_text(self, variables: Variables) -> str | None:
        found = [_first(variables, name) for name in TEXT_VARIABLES]
        found.append(self.program.text if self.program else None)
        texts = [repair_text(text) for text in found if text is not None]
        if any(texts) or (texts and not any(variables.get("SMSPDU", ()))):
            # The shorter ones, if any, were cut by their own content. Asterisk 13.5 and
            # later damage what isn't UTF-8 in a variable.
            return max(texts, key=lambda text: (-text.count("\ufffd"), len(text)))
        if texts:
            # Text mode, with a sender of the phone book: see `_shows_pdu`.
            text = _first(variables, "SMSPDU")
            is_text = text and not _HEX.match(text) and not self._shows_pdu(variables)
            return text if is_text else None
        return None if self._first_step is None else repair_text(self._first_step)


def is_readable(pdu: Pdu) -> bool:
    """Return whether more than the sender of a PDU can be read."""
    return not isinstance(pdu, UnreadablePdu)


def read_part(message: Message, pdu: DeliverPdu) -> ReceivedPart:
    """Return what a PDU of a message gives."""
    return ReceivedPart(
        span=message.span,
        sender=pdu.sender,
        text=pdu.text,
        sent_at=pdu.sent_at,
        time_stamp=str(pdu.sent_at or ""),
        arrived_at=message.arrived_at,
        pdu=pdu,
    )


def _split_pdus(value: str) -> list[str]:
    r"""Return the PDUs in a value of SMSPDU.

    Several of them are ``<PDU>\r\n\r\n+CMT: ,28\r\n<PDU>``.
    """
    if not _SEVERAL_PDUS.fullmatch(value):
        return [value]
    pdus = [line for line in re.split("[\r\n]+", value) if _HEX.fullmatch(line)]
    return pdus if len(pdus) <= _MAX_PDUS else [value]


def _decode(hex_pdu: str) -> Pdu | None:
    """Read an SMS or a status report; None where it has nothing of either."""
    for decode in (decode_deliver, decode_report):
        try:
            return decode(hex_pdu)
        except PduError:
            continue
    try:
        sender = read_sender(hex_pdu)
    except PduError:
        return None
    return UnreadablePdu(sender) if sender else None


def imitates_packet(text: str, marker: str) -> bool:
    """Return whether a text looks like the gateway's own packets."""
    return marker in text or _LOOKS_LIKE_PACKET.search(text) is not None


def _first(variables: Variables, name: str) -> str | None:
    """Return the first value of a variable, None where it was not set."""
    return next(iter(variables.get(name, [])), None)


def _is_rendering_of(rendered: str, pdu: DeliverPdu) -> bool:
    """Return whether this is all that the driver gives of a PDU's text.

    It stops at an emoji, and loses a character of some parts of a long message.
    """
    rendered, text = repair_text(rendered), pdu.text
    if pdu.coding is Coding.UCS2:
        text = re.split("[\ufffd\U00010000-\U0010ffff]", text)[0]
    letters, all_letters = (
        re.sub("[^A-Za-z0-9]", "", each) for each in (rendered, text)
    )
    if pdu.concatenation:
        return letters in all_letters and bool(letters) == bool(all_letters)
    return letters == all_letters and len(rendered) == len(text)


def _is_sender_of(rendered: str | None, pdu: Pdu) -> bool:
    """Compare a sender as the driver renders it with the one in a PDU.

    The driver gives none for a PDU without service centre.
    """
    sender = pdu.sender if isinstance(pdu, DeliverPdu) else pdu.as_sender
    if not rendered or sender is None:
        return True
    rendered, *forms = (
        re.sub(_UNCERTAIN_IN_SENDER, "", form)
        for form in (rendered, sender, sender.translate(_DRIVER_DIGITS))
    )
    return rendered in forms
