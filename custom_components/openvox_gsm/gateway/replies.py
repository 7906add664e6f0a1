"""Read what the commands of the gateway's command line print.

The words are those of the vendor's driver chan_extra 2.0.8 and of later firmware of
the same family. Many of them contain numbers, texts and PINs, so nothing in here
logs or raises what it reads.

A hostile gateway may print anything, and as much as a packet holds. So the time that
each pattern takes must not grow faster than the output.
"""

from collections.abc import Mapping
from enum import Enum, auto
import re
from types import MappingProxyType
from typing import Final

from .bounds import MAX_LINES, MAX_SPANS, MAX_STEP, MAX_USSD, MAX_VALUE
from .model import NetworkStatus, SendFailure, Span, SpanStatus, UssdFailure, UssdReply


def is_unknown_command(output: str) -> bool:
    """Return whether Asterisk doesn't know the command that printed this."""
    return output.lstrip().startswith("No such command")


def is_usage(output: str) -> bool:
    """Return whether a command printed its usage, as it does for wrong arguments."""
    return output.lstrip().startswith("Usage:")


# Spans

_START_MARK = re.compile(r"-*Start Span (?P<number>[0-9]{1,4})-*")
_END_MARK = re.compile(r"-*End Span (?P<number>[0-9]{1,4})-*")
# "Pin (1234) Error" in a status.
_PIN = re.compile(r"(?<=\bPin)\s*\((?:.*\)(?=\s*Error)|[^)]*\)?)", re.IGNORECASE)
# Lines that may contain a PIN: those named so, and what went to the module and came
# back (AT+CPIN, AT+CLCK, …).
_PIN_LINE = re.compile(r"\bPIN\d?\b|Last (?:send|receive) AT", re.IGNORECASE)


def read_span_list(output: str) -> dict[int, Span]:
    """Read ``gsm show spans``: the spans that exist, by number.

    It gives only number and status; the rest stays unknown. Of more than `MAX_SPANS`
    only one more is read, which shows that there are too many.
    """
    statuses: dict[int, str] = {}
    for line in output.split("\n"):
        if match := re.match(r"\s*GSM span ([0-9]{1,4}):(.*)", line):
            statuses[int(match[1])] = match[2].strip()[:MAX_VALUE]
            if len(statuses) > MAX_SPANS:
                break
    return {
        number: _span(number, {"Status": status}) for number, status in statuses.items()
    }


def split_all_spans(output: str) -> dict[int, str] | None:
    """Split ``gsm show span all`` into what `read_span` reads, by span number.

    Returns None where the answer isn't whole: the driver prints NULs after its
    ``Last … AT`` lines, and the manager cuts the answer at the first one. A whole
    answer has an end mark for every start mark.
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
        key, colon, value = line.partition(":")  # a value may contain colons
        if colon and key.strip() and not _PIN_LINE.search(key):
            lines.setdefault(key.strip()[:MAX_VALUE], value.strip()[:MAX_VALUE])
            if len(lines) == MAX_LINES:
                break
    return _span(number, lines) if "Status" in lines else None


def _span(number: int, lines: dict[str, str]) -> Span:
    lines = {key: _PIN.sub("", value) for key, value in lines.items()}
    status_text = lines["Status"]
    state_text = lines.get("State", "")
    network_text = lines.get("Network Status", "")
    imsi = _phone_number(lines, "SIM IMSI")
    limits = frozenset(_words(lines.get("Limit", ""))) - {"no limit"}
    return Span(
        number=number,
        status_text=status_text,
        state_text=state_text,
        network_status=_NETWORK_STATUS.get(network_text.lower(), NetworkStatus.UNKNOWN),
        network_text=network_text,
        operator=lines.get("Network Name", ""),
        csq=_scale_value(lines, "Signal Quality", 31),
        bit_error_rate=_scale_value(lines, "BER value", 7),
        post_dial_delay=_count(lines, "PDD"),
        answer_seizure_ratio=_count(lines, "ASR"),
        average_call_duration=_count(lines, "ACD"),
        own_number=_phone_number(lines, "Own Number"),
        sms_center=_phone_number(lines, "SIM SMS Center Number"),
        manufacturer=lines.get("Manufacturer", ""),
        model=lines.get("Model Name", ""),
        revision=lines.get("Revision", "").removeprefix("Revision:").strip(),
        imei=lines.get("Model IMEI", ""),
        imsi=imsi,
        limits=limits,
        lines=MappingProxyType(lines),
    ).with_status(_span_status(status_text, state_text, imsi, limits))


# The driver's words for +CREG but those for unknown; in lower case as firmware differs.
_NETWORK_STATUS: Final = {
    "not registered": NetworkStatus.NOT_REGISTERED,
    "registered (home network)": NetworkStatus.HOME,
    "searching": NetworkStatus.SEARCHING,
    "registration denied": NetworkStatus.DENIED,
    "registered (roaming)": NetworkStatus.ROAMING,
    "registered": NetworkStatus.REGISTERED,
}

# In the order in which they matter: what keeps a span from working comes first.
_STATUS_WORDS: Final = {
    "power off": SpanStatus.POWER_OFF,
    "undetected sim card": SpanStatus.NO_SIM,
    "pin error": SpanStatus.PIN_ERROR,
    "no signal": SpanStatus.NO_SIGNAL,
    "block": SpanStatus.LOCKED,
    "down": SpanStatus.DOWN,
    "standby": SpanStatus.DOWN,
}
# After one PIN error or missing SIM the driver shows it again whenever the network is
# lost (recorded). Then the IMSI is there, and the state says what it waits for.
_MAY_BE_OUTDATED: Final = (SpanStatus.NO_SIM, SpanStatus.PIN_ERROR)
_WAITS_FOR_NETWORK: Final = "NET REQ"
_LIMITED: Final = {
    "locked": SpanStatus.LOCKED,
    "sms": SpanStatus.SMS_LIMIT,
    "call": SpanStatus.CALL_LIMIT,
}
# First words of the states of a module that starts. Recorded: UP, SIM READY REQ and
# NET REQ. The others are guesses at further steps, which all end with REQ or the like.
_STARTING: Final = frozenset(("WAIT", "INIT", "INITIAL", "UP", "NET", "SIM", "UIM"))


def _words(text: str) -> list[str]:
    """Split a list of words; how many spaces follow a comma differs."""
    return [word for each in text.split(",") if (word := each.strip().lower())]


def _span_status(
    status_text: str, state_text: str, imsi: str, limits: frozenset[str]
) -> SpanStatus:
    """Combine the status list, the protocol's state and limits into one status.

    A span counts as powered and active where the driver prints neither, and as
    ready where only ``gsm show spans`` was read, which doesn't give the state.
    """
    words = _words(status_text)
    status = next(
        (_STATUS_WORDS[word] for word in _STATUS_WORDS if word in words), None
    )
    if status in _MAY_BE_OUTDATED and imsi and state_text == _WAITS_FOR_NETWORK:
        return SpanStatus.NO_SIGNAL
    # A span that is up works in spite of an alarm, as the vendor's own programs know.
    if "in alarm" in words and "up" not in words and status is not SpanStatus.POWER_OFF:
        return SpanStatus.ALARM
    if status:
        return status
    if "up" not in words:
        return SpanStatus.UNKNOWN
    status = _state_status(state_text)
    if status is not SpanStatus.READY:
        return status
    return next((_LIMITED[word] for word in _LIMITED if word in limits), status)


def _state_status(state_text: str) -> SpanStatus:
    """Read the state of a span that is up."""
    match state_text.upper().split():
        case [] | ["READY"]:
            return SpanStatus.READY
        case ["CALL" | "RING" | "RINGING" | "PRE" | "HANGUP", *_]:
            return SpanStatus.IN_CALL
        case ["SMS" | "USSD", *_]:
            return SpanStatus.BUSY
        case ["SIM" | "UIM", "PIN" | "PUK", *_]:
            return SpanStatus.PIN_ERROR
        case ["DOWN", *_]:
            return SpanStatus.DOWN
        case [first, *more] if first in _STARTING or more[-1:] == ["REQ"]:
            return SpanStatus.BUSY
    return SpanStatus.UNKNOWN


def _scale_value(lines: Mapping[str, str], key: str, highest: int) -> int | None:
    """Read ``Key (0,31): 20``; -1 (the driver) and 99 (3GPP) mean unknown."""
    for name, value in lines.items():
        if name.startswith(key):
            try:
                number = int(value)
            except ValueError:
                return None
            return number if 0 <= number <= highest else None
    return None


def _count(lines: Mapping[str, str], key: str) -> int | None:
    """Read ``ASR: 20``; None where it is missing or negative."""
    value = lines.get(key, "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _phone_number(lines: Mapping[str, str], key: str) -> str:
    """Read a phone number; empty where it has no digits, such as ``Undefined``."""
    value = lines.get(key, "")
    return value if re.search(r"[0-9]", value) else ""


# SMS and USSD


class SmsReply(Enum):
    """How the gateway answers a synchronous send."""

    SENT = auto()
    FAILED = auto()
    TIMED_OUT = auto()
    BUSY = auto()
    REFUSED = auto()


_SMS_REPLY: Final = (
    r"(?:ID:\S* )?SPAN:[0-9]+ SEND (?:CONCATENATED )?SMS TO PHONE[: ]\S* "
    r"(SUCCESSFULLY|WAS FAILED|TIMEOUT|WAS USING|ENCODE PDU FAIL)"
)
_SMS_RESULTS: Final = {
    "SUCCESSFULLY": SmsReply.SENT,
    "WAS FAILED": SmsReply.FAILED,
    "TIMEOUT": SmsReply.TIMED_OUT,
    "WAS USING": SmsReply.BUSY,
    "ENCODE PDU FAIL": SmsReply.REFUSED,
}
# Lines that contain neither number nor text, so they may be shown as they are.
_SAFE_REFUSAL: Final = (
    r"(?:SMS message|Destination number) too (?:short|long)\."
    r"|Only support ASCII on text mode.*"
    r"|Send concatenated SMS can't support text mode.*"
    r"|No (?:GSM|dchannel) running on span [0-9]+"
    r"|Invalid span '[0-9]+'.*"
)


def read_sms_reply(output: str) -> tuple[SmsReply, str]:
    """Read the answer to a synchronous send.

    Returns the reply, and the gateway's own reason for a refusal where it is safe
    to show: it never contains the number or the text. Unknown words count as timed
    out, as the message may have gone out.
    """
    if is_usage(output) or is_unknown_command(output):
        return SmsReply.REFUSED, "The gateway does not know this form of the command"
    # A line "Command '...' failed." may contain the text of the SMS, but no line
    # begins with it.
    for line in output.split("\n"):
        if match := re.match(_SMS_REPLY, line.strip()):
            reply = _SMS_RESULTS[match[1]]
            detail = "The number cannot be encoded" if reply is SmsReply.REFUSED else ""
            return reply, detail
        if re.fullmatch(_SAFE_REFUSAL, line.strip()):
            return SmsReply.REFUSED, line.strip()
    return SmsReply.TIMED_OUT, ""


# The driver prints the line end of an AT command as the four characters "\r\n".
_PROMPT_ASKED: Final = re.compile(
    r"Last send AT:\s*AT\+CMGS=[0-9]{1,3}(?:\\[rn]|\s|\0)*", re.IGNORECASE
)


def is_refused_before_prompt(output: str) -> bool:
    """Return whether ``gsm show span N`` shows that the last SMS certainly wasn't sent.

    The module was asked for its prompt, refused, and is at rest: so the text was never
    handed over to it (recorded on chan_extra 2.0.8). Otherwise that line contains the
    last SMS, so it is read for this only.
    """
    lines = [line.strip() for line in output.split("\n")]
    return any(re.fullmatch(r"State:\s*READY", line) for line in lines) and any(
        _PROMPT_ASKED.fullmatch(line) for line in lines
    )


_USSD_REPLY: Final = (
    r"\s*1:Rec\w*ve USSD on span [0-9]+,\s*"
    r"responses:\s*(?P<type>-?[0-9]{1,4}),\s*code:\s*(?P<coding>-?[0-9]{1,4})"
    r"[ \t]*\r?\n?(?:Text:)?(?P<text>.*)"
)
# The form of the drivers before May 2013.
_OLD_USSD_REPLY: Final = (
    r"\s*1:Rec\w*ve USSD suc\w* on span [0-9]+"
    r"\s+USSD Responses:\s*(?P<type>-?[0-9]{1,4})"
    r"\s+USSD Code:\s*(?P<coding>-?[0-9]{1,4})"
    r"\s+USSD Message:(?P<text>.*)"
)
_USSD_FAILURES: Final[Mapping[str, UssdFailure | SendFailure]] = {
    "0:Send USSD timeout": UssdFailure.TIMED_OUT,
    "0:Sending USSD now": SendFailure.BUSY,
    "0:Send USSD failed": UssdFailure.FAILED,
    "No GSM running on span": SendFailure.NO_SUCH_SPAN,
    "No dchannel running on span": SendFailure.NO_SUCH_SPAN,
    "Invalid span": SendFailure.NO_SUCH_SPAN,
}


def read_ussd_reply(span: int, output: str) -> UssdReply | UssdFailure | SendFailure:
    """Read the answer to ``gsm send ussd``, its text with all its lines.

    Unknown words count as timed out, as the network may have been asked.
    """
    if is_usage(output) or is_unknown_command(output):
        return UssdFailure.REFUSED
    match = re.match(_USSD_REPLY, output, re.DOTALL) or re.match(
        _OLD_USSD_REPLY, output, re.DOTALL
    )
    if match:
        return UssdReply(
            span=span,
            response_type=int(match["type"]),
            coding=int(match["coding"]),
            text=match["text"].replace("\r\n", "\n").strip("\r\n")[:MAX_USSD],
        )
    for line in output.split("\n"):
        for words, failure in _USSD_FAILURES.items():
            if line.strip().startswith(words):
                return failure
    return UssdFailure.TIMED_OUT


def is_ussd_time_out(output: str) -> bool:
    """Return whether the gateway itself says that the network didn't answer in time."""
    return output.lstrip().startswith("0:Send USSD timeout")


def power_succeeded(output: str) -> bool:
    """Return whether a power command worked.

    The driver prints ``sucessed`` for on and off, ``success`` for a reset.
    """
    return re.search(r"succ?ess", output, re.IGNORECASE) is not None


# Firmware and rights


def has_command(help_output: str, command: str) -> bool:
    """Return whether ``core show help gsm`` lists a command."""
    words = command.split()
    return any(line.split()[: len(words)] == words for line in help_output.splitlines())


def read_commands(help_output: str) -> tuple[str, ...]:
    """Return the commands in ``core show help gsm``, without their summaries.

    Asterisk writes a summary with a capital letter; the words of a command have none.
    """
    found = re.findall(r"^ *(gsm(?: [a-z0-9_]+)+) ", help_output, re.MULTILINE)
    return tuple(sorted(set(found)))


# "  'sms' =>          1. NoOp(SMS In)             [pbx_config]"; only the first step of
# an extension has its name, and a step may have a label in its place.
_STEP: Final = re.compile(
    r"\s*+(?:'(?P<extension>[^']+)' =>)?+\s*+(?:\[[^]]*\])?+\s*+"
    r"[0-9]+\. (?P<step>\w+\(.*\))\s+\[[^][]*\]\s*"
)


def read_steps(output: str, extension: str) -> tuple[str, ...] | None:
    """Return the steps in ``dialplan show EXTENSION@CONTEXT``: ``Application(data)``.

    None where there are none, or where the output doesn't show them. A pattern counts
    only where the extension itself isn't there. What an owner has set is left out:
    the address that SMS are passed on to may contain a password.
    """
    steps: dict[str, list[str]] = {}
    current = ""
    for line in output.splitlines():
        if match := _STEP.fullmatch(line):
            current = match["extension"] or current
            step = _without_settings(match["step"])[:MAX_STEP]
            steps.setdefault(current, []).append(step)
    if extension in steps:
        return tuple(steps[extension])
    return tuple(step for pattern in steps.values() for step in pattern) or None


def _without_settings(step: str) -> str:
    """Leave the program and the variables of a step that calls an address."""
    if not re.search(r"://|\b(?:wget|curl)\b", step, re.IGNORECASE):
        return re.sub(r"(?<![\w.])\+?[0-9]{4,}(?![\w.])", "…", step)
    kept = re.findall(r"^\w+\(|\b(?:wget|curl)\b|\$\{\w+\}", step, re.IGNORECASE)
    return " … ".join(kept).replace("( … ", "(", 1) + " …)"


def read_usage(help_output: str) -> tuple[str, ...]:
    """Return the arguments in ``Usage: gsm … <span> … [id]``, without brackets."""
    for line in help_output.splitlines():
        if line.strip().startswith("Usage:"):
            arguments = re.findall(r"[<\[]([^<>\[\]]++)[>\]]", line)
            return tuple(name for each in arguments if (name := each.strip()))
    return ()


def read_driver_version(output: str) -> str:
    """Read ``libgsmat version: 2.0.8``; empty where it is missing."""
    match = re.search(r"version:\s*(\S+)", output)
    return match[1][:MAX_VALUE] if match else ""


def read_rights(output: str, kind: str) -> frozenset[str] | None:
    """Read the rights for ``read`` or ``write`` from ``manager show user``.

    None where the output doesn't give them.
    """
    match = re.search(rf"^[ \t]*{kind} perm:(.*)$", output, re.MULTILINE)
    if not match:
        return None
    # Asterisk 1.8 ends every list with ",all", whatever the rights are.
    return frozenset(word.strip() for word in match[1].split(",")) - {"", "all"}
