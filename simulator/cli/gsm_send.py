"""``gsm send …``: SMS, USSD codes and AT commands (gateway-protocol, parts 4 and 5)."""

import asyncio

from simulator.model.box import Box
from simulator.model.driver_sms import outgoing
from simulator.model.gateway import Gateway
from simulator.model.outcomes import UssdOutcome
from simulator.model.sending import OutgoingSms, SendAnswer
from simulator.model.span import SimSpan
from simulator.wire import atoi, from_wire, to_wire

from .command_line import Output, failure, ok

_MAX_SMS_BYTES = 800
"""Longest text a command takes, in bytes. Guess: the limit of the older open driver."""
_MAX_NUMBER_LENGTH = 64
"""Longest destination. Guess: the limit of the older open driver."""
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
    refusal = _refusal(number, raw)
    if refusal:
        return failure(refusal)
    if not _is_number(number):
        return failure("Encode pdu error\n")
    if span.sms_mode == "pdu":  # in text mode the open driver never sends
        span.sms_sender.hand_over(
            _outgoing_sms(gateway, span, number, raw, False, identifier)
        )
    return ok()


async def send_sync_sms(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """``gsm send sync sms SPAN NUMBER TEXT TIMEOUT [ID]``, later ``… TIMEOUT [FLASH] [ID]``."""
    number, raw = args[5], args[6]
    flash, identifier = _tail(gateway, args[8:])
    refusal = _refusal(number, raw)
    if not refusal and span.sms_mode == "text" and not raw.isascii():
        refusal = "Only support ASCII on text mode\n"
    if refusal:
        return failure(refusal)
    start = f"{f'ID:{identifier} ' if identifier else ''}SPAN:{span.number} SEND SMS TO PHONE"
    if not _is_number(number):
        return failure(f"{start} {number} ENCODE PDU FAIL\n")
    timeout = gateway.whole_seconds(atoi(args[7]))
    if span.sms_mode == "text":
        await asyncio.sleep(timeout)  # in text mode the open driver never sends
        return _send_output(start, number, SendAnswer.TIMEOUT)
    sms = _outgoing_sms(gateway, span, number, raw, flash, identifier)
    return _send_output(
        start, number, await span.sms_sender.send_and_wait(sms, timeout)
    )


async def send_sync_csms(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """``gsm send sync csms SPAN NUMBER PART FLAG COUNT SEQUENCE TIMEOUT [ID]``."""
    number, raw = args[5], args[6]
    flag, count, sequence = (atoi(argument) for argument in args[7:10])
    flash, identifier = _tail(gateway, args[11:])
    if span.sms_mode == "text":
        return failure(
            "Send concatenated SMS can't support text mode, please use pdu mode\n"
        )
    refusal = _refusal(number, raw)
    if refusal:
        return failure(refusal)
    name = f"ID:{identifier} " if identifier else ""
    start = f"{name}SPAN:{span.number} SEND CONCATENATED SMS TO PHONE"
    if not _is_number(number):
        return failure(f"{start} {number} ENCODE PDU FAIL\n")
    sms = _outgoing_sms(
        gateway, span, number, raw, flash, identifier, flag & 0xFF, count, sequence
    )
    timeout = gateway.whole_seconds(atoi(args[10]))
    return _send_output(
        start, number, await span.sms_sender.send_and_wait(sms, timeout)
    )


def _tail(gateway: Gateway, args: list[str]) -> tuple[bool, str | None]:
    """Read what stands behind the timeout: later firmware has a flash flag before the id."""
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


def _is_number(number: str) -> bool:
    digits = number.removeprefix("+")
    return digits.isascii() and digits.isdigit()


def _outgoing_sms(
    gateway: Gateway,
    span: SimSpan,
    number: str,
    raw: str,
    flash: bool,
    identifier: str | None,
    flag: int | None = None,
    count: int = 1,
    sequence: int = 1,
) -> OutgoingSms:
    sent = raw.encode("latin-1")
    if gateway.box is Box.TODAY:
        # Later firmware's own AMI helper writes a line break as the two characters "\n".
        sent = sent.replace(b"\\n", b"\n")
    text = outgoing(sent, span.sms_coding)
    return OutgoingSms(number, raw, text, flash, identifier, flag, count, sequence)


def _send_output(start: str, number: str, answer: SendAnswer) -> Output:
    """Print the outcome. Guess: none of them counts as a failure of the command.

    In the busy line a blank stands in the place of the colon.
    """
    divider = " " if answer is SendAnswer.USING else ":"
    return ok(f"{start}{divider}{number} {answer.value}\n")


async def send_ussd(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print the answer to a USSD code, or why there is none."""
    seconds = atoi(args[5]) if len(args) > 5 else _USSD_SECONDS
    answer = await span.ussd_sender.send(
        from_wire(args[4]), gateway.whole_seconds(seconds)
    )
    match answer.outcome:
        case UssdOutcome.BUSY:
            return ok(f"0:Sending USSD now on span {span.number}\n")
        case UssdOutcome.TIMEOUT:
            return ok(f"0:Send USSD timeout on span {span.number}({_ETIMEDOUT})\n")
        case UssdOutcome.SUCCESS if answer.menu:
            menu = answer.menu
            return ok(
                f"1:Recive USSD on span {span.number},responses:{menu.response},"
                f"code:{menu.code}\nText:{to_wire(menu.text)}\n"
            )
    return ok(f"0:Send USSD failed on span {span.number}\n")


async def send_at(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send an AT command without waiting for its answer."""
    if not span.ready:
        return failure(f"GSM modem is not in ready state on span {span.number}\n")
    span.last_send_at, span.last_receive_at = f"{args[-1]}\r\n", "\r\nOK\r\n"
    return ok()
