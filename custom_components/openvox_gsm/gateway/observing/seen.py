"""What was seen since the login, counted by kind."""

from collections import Counter
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway import replies
from custom_components.openvox_gsm.gateway.model import Span, SpanStatus, UssdFailure

_MAX_KINDS: Final = 100
_VARIABLES: Final = frozenset(
    ("SMSSRC", "SMSTXT", "SMSTIME", "SMSTZ", "SMSORITXT", "SMSC", "SIMIMSI")
)
_PROGRAM: Final = re.compile(
    r"(?:^|[/ ])"
    r"(process_sms|process_slavesms|sms_receive\.lua|dialplan2redis\.lua|wget|curl)"
    r"(?: |$)"
)
_APPLICATIONS: Final = frozenset(("NoOp", "Set", "System", "Hangup"))
_EVENTS: Final = frozenset(
    (
        *("SMSRecevied", "SimInserted", "ExtraReady", "ExtraDown", "ExtraLock"),
        *("ExtraUnlock", "ExtraDial", "ExtraOutDial", "ExtraRingBack"),
        *("ExtraConnect", "ExtraHangup", "GSMEvent"),
    )
)
_SMS_CHANNEL: Final = "EXTRA-SMS/"


class Seen:
    """Counts what a gateway says, for its owner and for whom they ask for help."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind was seen, in alphabetical order."""
        return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Start again, after a login."""
        self._counts.clear()

    def _count(self, kind: str) -> None:
        if kind in self._counts or len(self._counts) < _MAX_KINDS:
            self._counts[kind] += 1
        else:
            self._counts["other kinds"] += 1

    def event(self, packet: Packet, *, may_be_text: bool) -> None:
        """Count an event; its name isn't told where a text may have written it."""
        name = packet.event
        if name in ("VarSet", "Newexten"):
            if packet.get("Channel").startswith(_SMS_CHANNEL):
                self._count(_variable(packet) if name == "VarSet" else _step(packet))
        elif name in ("SMSSendStatus", "SMSStatusReport"):
            succeeded = packet.get("Status") == "SUCCESS"
            self._count(f"{name} {'SUCCESS' if succeeded else 'otherwise'}")
        elif name in _EVENTS:
            self._count(name)
        elif name not in ("Newchannel", "Newstate", "Hangup"):
            is_name = not may_be_text and re.fullmatch("[A-Za-z]{2,40}", name)
            self._count(f"unknown event {name}" if is_name else "unknown event")

    def answer(self, command: str, output: str) -> None:
        """Count an answer that wasn't understood."""
        if command.startswith(("gsm send sms ", "gsm send sync ")):
            result, _ = replies.read_sms_reply(output)
            if result is replies.SmsReply.TIMED_OUT and "TIMEOUT" not in output:
                self._count("reply to an SMS that wasn't understood")
        elif command.startswith("gsm send ussd "):
            reply = replies.read_ussd_reply(1, output)
            if reply is UssdFailure.TIMED_OUT and "timeout" not in output.lower():
                self._count("reply to a USSD code that wasn't understood")

    def span(self, span: Span) -> None:
        """Count a span whose status wasn't understood."""
        if span.status is SpanStatus.UNKNOWN:
            self._count(f"unknown status {_words(span.status_text)}")
            if span.state_text:
                self._count(f"with the state {_words(span.state_text)}")


def _words(text: str) -> str:
    """Return the words of a status or state, without any number."""
    words = re.split(r" called |[0-9+(]", text, maxsplit=1, flags=re.IGNORECASE)[0]
    return words.strip()[:60]


def _variable(packet: Packet) -> str:
    name, value = packet.get("Variable"), packet.get("Value")
    if name == "SMSPDU":
        if not value:
            return "SMS without PDU"
        return "status report as PDU" if _is_report(value) else "SMS with PDU"
    if name == "DIALSTATUS":
        return "VarSet DIALSTATUS"
    return f"VarSet {name}" if name in _VARIABLES else "VarSet of another variable"


def _is_report(pdu: str) -> bool:
    """Return whether the message type of a PDU is 2 (23.040, 9.2.3.1)."""
    try:
        octets = bytes.fromhex(pdu)
        return octets[1 + octets[0]] & 0x03 == 2
    except ValueError, IndexError:
        return False


def _step(packet: Packet) -> str:
    data, application = packet.get("AppData"), packet.get("Application")
    # Before the text, which may contain any of these names.
    start = data.partition('"')[0]
    if program := _PROGRAM.search(start):
        return f"step {program[1]}"
    if data in ("SMS In", "SMS CURL"):
        return f"step {application}({data})"
    known = application if application in _APPLICATIONS else "of another application"
    return f"step {known}"
