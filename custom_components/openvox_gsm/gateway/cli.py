"""The gateway's command line: build ``gsm …`` commands, read what they print.

The words are those of the vendor's driver chan_extra 2.0.8 and of later
firmware of the same family. Numbers, texts and PINs stand in many of them, so
nothing in here logs or raises what it reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
import re
from types import MappingProxyType
from typing import Final

from .model import NetworkStatus, Span, SpanStatus, UssdFailure, UssdReply

SHOW_SPANS: Final = "gsm show spans"
SHOW_ALL_SPANS: Final = "gsm show span all"
SHOW_VERSION: Final = "gsm show version"
HELP: Final = "core show help gsm"
HELP_SEND_SMS: Final = "core show help gsm send sync sms"
HELP_SEND_SMS_PART: Final = "core show help gsm send sync csms"


def quote(argument: str) -> str:
    r"""Return `argument` as one argument of Asterisk's command line.

    Asterisk splits on blanks, ``"`` begins and ends a quoted stretch, ``\``
    takes the next character as it is, inside quotes too (main/cli.c).
    """
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def show_span(span: int) -> str:
    """Return the command that shows one span."""
    return f"gsm show span {span}"


def show_sms_mode(span: int) -> str:
    """Return the command that prints ``pdu`` or ``text``."""
    return f"gsm show send sms mode {span}"


def show_sms_coding(span: int) -> str:
    """Return the command that prints ``utf-8`` or ``ascii``."""
    return f"gsm show send sms coding {span}"


def show_user(username: str) -> str:
    """Return the command that prints the rights of a manager user."""
    return f"manager show user {quote(username)}"


def send_sms(
    span: int, number: str, text: str, timeout: int, message_id: str | None = None
) -> str:
    """Return the command that sends one SMS and waits for the network's answer.

    `timeout` in whole seconds must be given; the driver counts up to one
    second less.
    """
    return _join(
        f"gsm send sync sms {span} {number} {quote(text)} {timeout}", message_id
    )


def send_sms_part(
    span: int,
    number: str,
    text: str,
    *,
    reference: int,
    count: int,
    sequence: int,
    timeout: int,
    message_id: str | None = None,
) -> str:
    """Return the command that sends one part of a long SMS.

    `reference` (0 to 255) is the same for all `count` parts and differs from
    message to message; `sequence` counts from 1.
    """
    return _join(
        f"gsm send sync csms {span} {number} {quote(text)} "
        f"{reference} {count} {sequence} {timeout}",
        message_id,
    )


def send_ussd(span: int, code: str, timeout: int) -> str:
    """Return the command that sends a USSD code, or a reply in an open menu."""
    return f"gsm send ussd {span} {quote(code)} {timeout}"


def power(action: str, span: int) -> str:
    """Return the command that switches a module `on` or `off`, or does a `reset`."""
    return f"gsm power {action} {span}"


def is_dangerous(command: str) -> bool:
    """Tell whether a command would hang its span until the gateway is restarted.

    ``gsm power stat`` takes the span's lock twice and never gives it back.
    Asterisk takes it in any case of letters, with any blanks, and with quotes
    and backslashes inside of the words. Short and longer forms are refused as
    well: which of them a driver takes is not known.
    """
    words = re.sub(r'["\\]', "", command).lower().split()
    return (
        len(words) >= 3
        and "gsm".startswith(words[0])
        and "power".startswith(words[1])
        and ("stat".startswith(words[2]) or words[2].startswith("stat"))
    )


def power_succeeded(output: str) -> bool:
    """Tell whether a power command worked.

    The driver says ``sucessed`` for on and off, ``success`` for a reset.
    """
    return re.search(r"succ?ess", output, re.IGNORECASE) is not None


def _join(command: str, message_id: str | None) -> str:
    return command if message_id is None else f"{command} {message_id}"


# What the commands print


def is_unknown_command(output: str) -> bool:
    """Tell whether Asterisk does not know the command that printed this."""
    return output.lstrip().startswith("No such command")


def is_usage(output: str) -> bool:
    """Tell whether a command printed its usage: it did not like its arguments."""
    return output.lstrip().startswith("Usage:")


_SPAN_LINE = re.compile(r"GSM span (?P<number>[0-9]{1,4}):(?P<status>.*)")
_START_MARK = re.compile(r"-*Start Span (?P<number>[0-9]{1,4})-*")
_END_MARK = re.compile(r"-*End Span (?P<number>[0-9]{1,4})-*")
# "Pin (1234) Error" in a status.
_PIN = re.compile(r"(?<=\bPin)\s*\((?:.*\)(?=\s*Error)|[^)]*\)?)", re.IGNORECASE)
# Lines that may hold a PIN: those named so, and what went to the module and came
# back (AT+CPIN, AT+CLCK, ...).
_PIN_LINE = re.compile(r"\bPIN\d?\b|Last (?:send|receive) AT", re.IGNORECASE)


def read_span_list(output: str) -> dict[int, Span]:
    """Read ``gsm show spans``: the spans that exist, by number.

    Only status and number are told there; the rest stays unknown.
    """
    spans = {}
    for line in output.split("\n"):
        if match := _SPAN_LINE.match(line.strip()):
            number = int(match["number"])
            spans[number] = _span(number, {"Status": match["status"].strip()})
    return spans


def split_all_spans(output: str) -> dict[int, str] | None:
    """Split ``gsm show span all`` into what `read_span` takes, by the spans' numbers.

    None where the answer is not whole.

    The driver prints NULs behind its ``Last … AT`` lines, at the first of which
    the manager cuts the answer: it is whole only if every start mark has its
    end mark.
    """
    spans: dict[int, str] = {}
    number: int | None = None
    block: list[str] = []
    for line in output.split("\n"):
        if start := _START_MARK.fullmatch(line.strip()):
            if number is not None:
                return None
            number, block = int(start["number"]), []
        elif end := _END_MARK.fullmatch(line.strip()):
            keys = (line.partition(":")[0].strip() for line in block)
            if number != int(end["number"]) or "Status" not in keys:
                return None
            spans[number] = "\n".join(block)
            number = None
        else:
            block.append(line)
    return spans if spans and number is None else None


def read_span(number: int, output: str) -> Span | None:
    """Read ``gsm show span N``; None where there is no such span."""
    lines: dict[str, str] = {}
    for line in output.split("\n"):
        key, colon, value = line.partition(":")  # a value may hold colons
        if colon and key.strip() and not _PIN_LINE.search(key):
            lines.setdefault(key.strip(), value.strip())
    return _span(number, lines) if "Status" in lines else None


def _span(number: int, lines: dict[str, str]) -> Span:
    lines = {key: _PIN.sub("", value) for key, value in lines.items()}
    status_text = lines["Status"]
    state_text = lines.get("State", "")
    network_text = lines.get("Network Status", "")
    return Span(
        number=number,
        status=_status(status_text, state_text),
        status_text=status_text,
        state_text=state_text,
        network_status=_NETWORK_STATUS.get(network_text.lower(), NetworkStatus.UNKNOWN),
        network_text=network_text,
        operator=lines.get("Network Name", ""),
        csq=_scale(lines, "Signal Quality", 31),
        bit_error_rate=_scale(lines, "BER value", 7),
        post_dial_delay=_amount(lines, "PDD"),
        answer_seizure_ratio=_amount(lines, "ASR"),
        average_call_duration=_amount(lines, "ACD"),
        own_number=_number(lines, "Own Number"),
        sms_center=_number(lines, "SIM SMS Center Number"),
        manufacturer=lines.get("Manufacturer", ""),
        model=lines.get("Model Name", ""),
        revision=lines.get("Revision", "").removeprefix("Revision:").strip(),
        imei=lines.get("Model IMEI", ""),
        lines=MappingProxyType(lines),
    )


# The driver's words for +CREG; in lower case since firmware differs in it.
_NETWORK_STATUS: Final = {
    "not registered": NetworkStatus.NOT_REGISTERED,
    "registered (home network)": NetworkStatus.HOME,
    "searching": NetworkStatus.SEARCHING,
    "registration denied": NetworkStatus.DENIED,
    "unknown": NetworkStatus.UNKNOWN,
    "registered (roaming)": NetworkStatus.ROAMING,
    "registered": NetworkStatus.REGISTERED,
    "unknown network status": NetworkStatus.UNKNOWN,
}

# In the order in which they matter: what keeps a span from working comes first.
_STATUS_WORDS: Final = {
    "power off": SpanStatus.POWER_OFF,
    "in alarm": SpanStatus.ALARM,
    "undetected sim card": SpanStatus.NO_SIM,
    "pin error": SpanStatus.PIN_ERROR,
    "no signal": SpanStatus.NO_SIGNAL,
    "down": SpanStatus.DOWN,
    "standby": SpanStatus.DOWN,
}


def _status(status_text: str, state_text: str) -> SpanStatus:
    """Make one word of the status list and the protocol's state.

    Drivers that print neither power nor mode count as powered and active; a
    span whose state is not told (only ``gsm show spans`` was read) as ready.
    """
    words = {word.strip().lower() for word in status_text.split(",")}
    for word, status in _STATUS_WORDS.items():
        if word in words:
            return status
    if "up" not in words:
        return SpanStatus.UNKNOWN
    state = state_text.upper()
    match state.split():
        case [] | ["READY"]:
            return SpanStatus.READY
        case ["CALL" | "RING", *_]:
            return SpanStatus.IN_CALL
        case ["SMS" | "USSD" | "WAIT" | "INIT", *_]:
            return SpanStatus.BUSY
        case ["SIM", "PIN" | "PUK", *_]:
            return SpanStatus.PIN_ERROR
        case ["DOWN", *_]:
            return SpanStatus.DOWN
    return SpanStatus.UNKNOWN


def _scale(lines: Mapping[str, str], key: str, highest: int) -> int | None:
    """Read ``Key (0,31): 20``; -1 (the driver) and 99 (3GPP) mean unknown."""
    for name, value in lines.items():
        if name.startswith(key):
            try:
                number = int(value)
            except ValueError:
                return None
            return number if 0 <= number <= highest else None
    return None


def _amount(lines: Mapping[str, str], key: str) -> int | None:
    """Read ``ASR: 20``; None where there is none, or one below nought."""
    value = lines.get(key, "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _number(lines: Mapping[str, str], key: str) -> str:
    """Read a phone number; what has no digits, as ``Undefined``, is none."""
    value = lines.get(key, "")
    return value if re.search(r"[0-9]", value) else ""


class SmsReply(Enum):
    """How the gateway answers a synchronous send."""

    SENT = auto()
    FAILED = auto()
    TIMED_OUT = auto()
    BUSY = auto()
    REFUSED = auto()


_SMS_REPLY = re.compile(
    r"(?:ID:\S* )?SPAN:[0-9]+ SEND (?:CONCATENATED )?SMS TO PHONE[: ]\S* "
    r"(?P<result>SUCCESSFULLY|WAS FAILED|TIMEOUT|WAS USING|ENCODE PDU FAIL)"
)
_SMS_RESULTS: Final = {
    "SUCCESSFULLY": SmsReply.SENT,
    "WAS FAILED": SmsReply.FAILED,
    "TIMEOUT": SmsReply.TIMED_OUT,
    "WAS USING": SmsReply.BUSY,
    "ENCODE PDU FAIL": SmsReply.REFUSED,
}
# Lines that hold neither number nor text, so they may be shown as they are.
_SAFE_REFUSAL = re.compile(
    r"(?:SMS message|Destination number) too (?:short|long)\."
    r"|Only support ASCII on text mode.*"
    r"|Send concatenated SMS can't support text mode.*"
    r"|No (?:GSM|dchannel) running on span [0-9]+"
    r"|Invalid span '[0-9]+'.*"
)


def read_sms_reply(output: str) -> tuple[SmsReply, str]:
    """Read the answer to a synchronous send.

    Returns what it says, and the gateway's own reason for a refusal where that
    can be shown: never the number or the text. Words that nobody knows count
    as timed out, since the message may have gone out.
    """
    if is_usage(output) or is_unknown_command(output):
        return SmsReply.REFUSED, "The gateway does not know this form of the command"
    # The text of the SMS may stand in a line "Command '...' failed.", but begins none.
    for line in output.split("\n"):
        if match := _SMS_REPLY.match(line.strip()):
            reply = _SMS_RESULTS[match["result"]]
            detail = "The number cannot be encoded" if reply is SmsReply.REFUSED else ""
            return reply, detail
        if _SAFE_REFUSAL.fullmatch(line.strip()):
            return SmsReply.REFUSED, line.strip()
    return SmsReply.TIMED_OUT, ""


_USSD_REPLY = re.compile(
    r"\s*1:Rec\w*ve USSD on span [0-9]+,\s*"
    r"responses:\s*(?P<type>-?[0-9]{1,4}),\s*code:\s*(?P<coding>-?[0-9]{1,4})"
    r"[ \t]*\r?\n?(?:Text:)?(?P<text>.*)",
    re.DOTALL,
)
_USSD_FAILURES: Final = {
    "0:Send USSD timeout": UssdFailure.TIMED_OUT,
    "0:Sending USSD now": UssdFailure.BUSY,
    "0:Send USSD failed": UssdFailure.FAILED,
    "No GSM running on span": UssdFailure.NO_SUCH_SPAN,
    "No dchannel running on span": UssdFailure.NO_SUCH_SPAN,
    "Invalid span": UssdFailure.NO_SUCH_SPAN,
}


@dataclass(frozen=True, slots=True)
class UssdRefusal:
    """A USSD request that brought no answer, and why."""

    failure: UssdFailure


def read_ussd_reply(span: int, output: str) -> UssdReply | UssdRefusal:
    """Read the answer to ``gsm send ussd``, its text with all its lines.

    Words that nobody knows count as timed out, since the network may have been asked.
    """
    if is_usage(output) or is_unknown_command(output):
        return UssdRefusal(UssdFailure.REFUSED)
    if match := _USSD_REPLY.match(output):
        return UssdReply(
            span=span,
            response_type=int(match["type"]),
            coding=int(match["coding"]),
            text=match["text"].replace("\r\n", "\n").strip("\r\n"),
        )
    for line in output.split("\n"):
        for words, failure in _USSD_FAILURES.items():
            if line.strip().startswith(words):
                return UssdRefusal(failure)
    return UssdRefusal(UssdFailure.TIMED_OUT)


# What the firmware and the rights allow


def has_command(help_output: str, command: str) -> bool:
    """Tell whether ``core show help gsm`` lists a command."""
    return any(
        line.split()[: len(command.split())] == command.split()
        for line in help_output.splitlines()
    )


def usage_arguments(help_output: str) -> list[str]:
    """Return the arguments in ``Usage: gsm … <span> … [id]``, without brackets."""
    for line in help_output.splitlines():
        if line.strip().startswith("Usage:"):
            return re.findall(r"[<\[]\s*([^<>\[\]]+?)\s*[>\]]", line)
    return []


def read_driver_version(output: str) -> str:
    """Read ``libgsmat version: 2.0.8``; empty where it is not told."""
    match = re.search(r"version:\s*(\S+)", output)
    return match[1] if match else ""


def read_rights(output: str, kind: str) -> frozenset[str] | None:
    """Read the rights for ``read`` or ``write`` of ``manager show user``.

    None where the output does not tell them.
    """
    match = re.search(rf"^\s*{kind} perm:(.*)$", output, re.MULTILINE)
    if not match:
        return None
    # Asterisk 1.8 ends every list with ",all", whatever the rights are.
    return frozenset(word.strip() for word in match[1].split(",")) - {"", "all"}
