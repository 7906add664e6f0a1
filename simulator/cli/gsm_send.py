"""``gsm send …``: SMS, USSD codes and AT commands (gateway-protocol, parts 4 and 5)."""

import re

from simulator.model.box import Box
from simulator.model.gateway import Gateway
from simulator.model.outcomes import UssdMenu, UssdOutcome
from simulator.model.sending import OutgoingSms, SendAnswer
from simulator.model.span import SimSpan
from simulator.model.submit import Part, outgoing, submit_pdu
from simulator.wire import atoi, from_wire, to_wire

from .command_line import Output, failure, ok

_MAX_SMS_BYTES = 320
"""Longest text a command takes, in bytes (recorded)."""
_MAX_NUMBER_LENGTH = 64
"""Longest destination (recorded)."""
_USSD_SECONDS = 10
"""How long a USSD request waits if no timeout is given (chan_extra 2.0.8)."""
_ETIMEDOUT = 110
"""The number the driver prints behind a USSD time-out."""


async def send_sms(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send without waiting: no output, nothing is known of the outcome."""
    number, raw = args[4], args[5]
    # The app note puts a timeout before the id; the open driver knows only the id there.
    place = 6 if gateway.box is Box.OF_2013 else 7
    identifier = args[place] if len(args) > place else None
    if refusal := _refusal(number, raw) or _text_mode_refusal(span):
        return failure(refusal)
    if not _is_number(number):
        return failure("Encode pdu error\n")
    sms = _outgoing_sms(gateway, span, number, raw, False, identifier)
    span.sms_sender.hand_over(sms)
    return ok()


async def send_sync_sms(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """``gsm send sync sms SPAN NUMBER TEXT TIMEOUT [ID]``, today ``… TIMEOUT [FLASH] [ID]``."""
    number, raw = args[5], args[6]
    flash, identifier = _tail(gateway, args[8:])
    if refusal := _refusal(number, raw) or _text_mode_refusal(span):
        return failure(refusal)
    if not _is_number(number):
        return _encoding_failed(span, number, identifier)
    sms = _outgoing_sms(gateway, span, number, raw, flash, identifier)
    return await _send_and_wait(gateway, span, sms, "SMS", atoi(args[7]))


async def send_sync_csms(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """``gsm send sync csms SPAN NUMBER PART FLAG COUNT SEQUENCE TIMEOUT [ID]``."""
    number, raw = args[5], args[6]
    flag, count, sequence = (atoi(argument) for argument in args[7:10])
    flash, identifier = _tail(gateway, args[11:])
    if span.sms_mode == "text":
        return failure(
            "Send concatenated SMS can't support text mode, please use pdu mode\n"
        )
    if refusal := _refusal(number, raw):
        return failure(refusal)
    if not _is_number(number):
        return _encoding_failed(span, number, identifier)
    part = Part(flag & 0xFF, count, sequence)
    sms = _outgoing_sms(gateway, span, number, raw, flash, identifier, part)
    return await _send_and_wait(gateway, span, sms, "CONCATENATED SMS", atoi(args[10]))


async def send_pdu(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send a PDU of one's own; it goes nowhere here."""
    return ok()


def _tail(gateway: Gateway, args: list[str]) -> tuple[bool, str | None]:
    """Read what stands behind the timeout: boxes of today have a flash flag before the id."""
    if gateway.box is Box.OF_2013:
        return False, args[0] if args else None
    return bool(args) and atoi(args[0]) != 0, args[1] if len(args) > 1 else None


def _refusal(number: str, raw: str) -> str:
    if not number:
        return "Destination number too short.\n"
    if len(number) > _MAX_NUMBER_LENGTH:
        return "Destination number too long.\n"
    if not raw:
        return "SMS message too short.\n"
    if len(raw) > _MAX_SMS_BYTES:
        return "SMS message too long.\n"
    return ""


def _text_mode_refusal(span: SimSpan) -> str:
    """Say why nothing leaves the driver in text mode, pure ASCII included (recorded)."""
    return "Only support ASCII on text mode\n" if span.sms_mode == "text" else ""


def _is_number(number: str) -> bool:
    """Say whether the driver takes a number; a plus alone is one (recorded)."""
    return re.fullmatch(r"\+?[0-9]*", number) is not None


def _start(span: SimSpan, identifier: str | None, what: str) -> str:
    """Begin the line about a send."""
    name = f"ID:{identifier} " if identifier else ""
    return f"{name}SPAN:{span.number} SEND {what} TO PHONE"


def _encoding_failed(span: SimSpan, number: str, identifier: str | None) -> Output:
    return failure(f"{_start(span, identifier, 'SMS')} {number} ENCODE PDU FAIL\n")


def _outgoing_sms(
    gateway: Gateway,
    span: SimSpan,
    number: str,
    raw: str,
    flash: bool,
    identifier: str | None,
    part: Part | None = None,
) -> OutgoingSms:
    sent = raw.encode("latin-1")
    if gateway.box is Box.TODAY:
        # Its own AMI helper writes a line break as the two characters "\n".
        sent = sent.replace(b"\\n", b"\n")
    text = outgoing(sent, span.sms_coding)
    pdu = submit_pdu(number, text, part, flash, span.send_sms_center)
    return OutgoingSms(number, raw, text, pdu, flash, identifier, part)


async def _send_and_wait(
    gateway: Gateway, span: SimSpan, sms: OutgoingSms, what: str, seconds: int
) -> Output:
    """Send and print the outcome. None of them counts as a failure of the command.

    In the busy line a blank stands in the place of the colon.
    """
    timeout = gateway.whole_seconds(seconds)
    answer = await span.sms_sender.send_and_wait(sms, timeout)
    divider = " " if answer is SendAnswer.USING else ":"
    start = _start(span, sms.id, what)
    return ok(f"{start}{divider}{sms.number} {answer.value}\n")


async def send_ussd(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print the answer to a USSD code, or why there is none."""
    timeout = gateway.whole_seconds(_USSD_SECONDS)
    if len(args) > 5 and gateway.ussd_in_milliseconds:
        timeout = atoi(args[5]) / 1000 * gateway.timeout_scale
    elif len(args) > 5:
        timeout = gateway.whole_seconds(atoi(args[5]))
    answer = await span.ussd_sender.send(from_wire(args[4]), timeout)
    match answer.outcome:
        case UssdOutcome.BUSY:
            return ok(f"0:Sending USSD now on span {span.number}\n")
        case UssdOutcome.TIMEOUT:
            return ok(f"0:Send USSD timeout on span {span.number}({_ETIMEDOUT})\n")
        case UssdOutcome.SUCCESS if answer.menu:
            return ok(_ussd_text(gateway, span, answer.menu))
    return ok(f"0:Send USSD failed on span {span.number}\n")


def _ussd_text(gateway: Gateway, span: SimSpan, menu: UssdMenu) -> str:
    text = to_wire(menu.text)
    if gateway.old_ussd_form:
        return (
            f"1:Recive USSD sucess on span {span.number}\n"
            f"\tUSSD Responses:{menu.response}\n\tUSSD Code:{menu.code}\n"
            f"\tUSSD Message:{text}\n"
        )
    return (
        f"1:Recive USSD on span {span.number},responses:{menu.response},"
        f"code:{menu.code}\nText:{text}\n"
    )


async def send_at(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send an AT command without waiting for its answer."""
    if not span.ready:
        return failure(f"GSM modem is not in ready state on span {span.number}\n")
    span.last_send_at, span.last_receive_at = f"{args[-1]}\r\n", "\r\nOK\r\n"
    return ok()
