"""The driver's ``gsm …`` commands with their exact output (gateway-protocol, parts 3 to 5).

Texts and order of checks are those of chan_extra 2.0.8 as far as the notes and samples
give them; what the notes leave open is taken from the older open driver or marked as a guess.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .cli import SHOW_USAGE, CliCommand, Handler, Output, failure, ok
from .model import Firmware, UssdOutcome
from .sms import outgoing
from .span import OutgoingSms, SendAnswer, SimSpan
from .wire import atoi, from_wire, to_wire

if TYPE_CHECKING:
    from .gateway import Simulator

MAX_SMS_BYTES = 800
"""Longest text a command takes, in bytes. Guess: the limit of the older open driver."""
MAX_NUMBER_LENGTH = 64
"""Longest destination. Guess: the limit of the older open driver."""
USSD_SECONDS = 10
"""How long a USSD request waits if no timeout is given (chan_extra 2.0.8)."""
ETIMEDOUT = 110
"""The number the driver prints behind a USSD time-out."""
NULS = "\0" * 1024
"""The driver prints the rest of its ``Last … AT`` buffers as well, all NULs."""

type _SpanHandler = Callable[[Simulator, SimSpan, list[str]], Awaitable[Output]]


def _on_span(
    place: int, run: _SpanHandler, least: int, most: int | None = None
) -> Handler:
    """Make a handler that checks the number of arguments, then the span at one place."""

    async def handler(gateway: Simulator, args: list[str]) -> Output:
        if len(args) < least or (most is not None and len(args) > most):
            return SHOW_USAGE
        span = await _find_span(gateway, args[place])
        return span if isinstance(span, Output) else await run(gateway, span, args)

    return handler


async def _find_span(gateway: Simulator, argument: str) -> SimSpan | Output:
    """Find a span, or say as the driver does why there is none."""
    number = atoi(argument)
    if not 1 <= number <= gateway.span_limit:
        return failure(
            f"Invalid span '{number}'.  Should be a number from 1 to {gateway.span_limit}\n"
        )
    span = gateway.spans.get(number)
    if span is None:
        return failure(f"No GSM running on span {number}\n")
    if not span.dchannel_running:
        return failure(f"No dchannel running on span {number}\n")
    if span.hung:
        await gateway.forever()
    return span


# ---- show --------------------------------------------------------------------------------


async def _show_spans(gateway: Simulator, args: list[str]) -> Output:
    if len(args) != 3:
        return SHOW_USAGE
    spans = (gateway.spans[number] for number in sorted(gateway.spans))
    return ok(
        "".join(f"GSM span {span.number}: {span.status_line}\n" for span in spans)
    )


async def _show_span(gateway: Simulator, args: list[str]) -> Output:
    if len(args) < 4:
        return SHOW_USAGE
    if args[3].lower() != "all":
        span = await _find_span(gateway, args[3])
        return span if isinstance(span, Output) else ok(_span_lines(gateway, span))
    text = ""
    for number in sorted(gateway.spans):
        if gateway.spans[number].hung:
            await gateway.forever()  # one span that hangs holds up all
        lines = _span_lines(gateway, gateway.spans[number])
        text += f"---Start Span {number}---\n{lines}---End Span {number}---\n"
    return ok(text)


def _span_lines(gateway: Simulator, span: SimSpan) -> str:
    """Print one span; later firmware has some lines more and no ``Last … AT`` lines."""
    later = gateway.firmware is Firmware.LATER
    lines = [
        f"D-channel: {2 * span.number}",
        f"Status: {span.status_line}",
        "Type: CPE",
        f"Manufacturer: {to_wire(span.manufacturer)}",
        f"Model Name: {to_wire(span.model)}",
        f"Model IMEI: {span.imei}",
        *(["Model CBAND:  EGSM_MODE,ALL_BAND"] if later else []),
        f"Revision: {span.revision}",
        f"Network Name: {to_wire(span.operator)}",
        f"Network Status: {span.network_status}",
        f"Signal Quality (0,31): {span.signal}",
        f"BER value (0,7): {span.ber}",
        f"SIM IMSI: {span.imsi}",
        f"SIM SMS Center Number: {span.sms_center}",
        *(_later_numbers(span) if later else []),
        f"PDD: {span.pdd}",
        f"ASR: {span.asr}",
        f"ACD: {span.acd}",
        f"Last event: {span.last_event}",
        f"State: {to_wire(span.state)}",
    ]
    if not later:
        lines += [
            f"Last send AT: {_visible(span.last_send_at)}{NULS}",
            f"Last receive AT: {_visible(span.last_receive_at)}{NULS}",
        ]
    return "".join(f"{line}\n" for line in lines)


def _later_numbers(span: SimSpan) -> list[str]:
    """Print what later firmware adds. Guess: the place of ``Own Number``."""
    return [
        f"Send SMS Center Number: {span.send_sms_center or 'Undefined'}",
        f"Own Number: {span.own_number}",
    ]


def _visible(at_text: str) -> str:
    return at_text.replace("\r", "\\r").replace("\n", "\\n")


async def _show_version(gateway: Simulator, args: list[str]) -> Output:
    # Guess: the number of later firmware.
    version = "2.0.8" if gateway.firmware is Firmware.CHAN_EXTRA_2_0_8 else "2.2.0"
    return ok(f"libgsmat version: {version}\n")


async def _show_statistics(gateway: Simulator, args: list[str]) -> Output:
    heads = (
        "Span | Count | All Duration | Answerd | Cancel | Busy | No Answer | No Dialtone | "
        "No Carrier"
    )
    widths = (4, 5, 12, 7, 6, 4, 9, 11, 9)
    text = f"{heads}\n"
    for number in sorted(gateway.spans):
        values = [number, *gateway.spans[number].statistics.values()]
        cells = (
            f"{value:<{width}}" for value, width in zip(values, widths, strict=True)
        )
        text += " | ".join(cells) + "\n"
    return ok(text)


async def _show_debug(gateway: Simulator, args: list[str]) -> Output:
    return ok(
        "".join(
            f"Span {number}: Debug: No\tLevel: 0\n" for number in sorted(gateway.spans)
        )
    )


async def _show_mode(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    return ok(f"{span.sms_mode}\n")


async def _show_coding(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    return ok(f"{span.sms_coding}\n")


async def _show_smsc(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    return ok(f"{span.send_sms_center or 'Undefined'}\n")


# ---- set ---------------------------------------------------------------------------------


async def _set_mode_pdu(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    span.sms_mode = "pdu"
    return ok()


async def _set_mode_text(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    span.sms_mode = "text"
    return ok()


async def _set_coding(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    span.sms_coding = args[6]
    return ok()


async def _set_smsc(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    span.send_sms_center = args[6]
    return ok()


# ---- send --------------------------------------------------------------------------------


async def _send_sms(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    """Send without waiting: no output, nothing is known of the outcome."""
    number, raw = args[4], args[5]
    # The app note puts a timeout before the id; the open driver knows only the id there.
    place = 6 if gateway.firmware is Firmware.CHAN_EXTRA_2_0_8 else 7
    identifier = args[place] if len(args) > place else None
    refusal = _refusal(number, raw)
    if refusal:
        return failure(refusal)
    if not _is_number(number):
        return failure("Encode pdu error\n")
    if span.sms_mode == "pdu":  # in text mode the open driver never sends
        span.hand_over(_outgoing_sms(gateway, span, number, raw, False, identifier))
    return ok()


async def _send_sync_sms(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
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
        await gateway.pause(timeout)  # in text mode the open driver never sends
        return _send_output(start, number, SendAnswer.TIMEOUT)
    sms = _outgoing_sms(gateway, span, number, raw, flash, identifier)
    return _send_output(start, number, await span.send_and_wait(sms, timeout))


async def _send_sync_csms(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
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
    return _send_output(start, number, await span.send_and_wait(sms, timeout))


def _tail(gateway: Simulator, args: list[str]) -> tuple[bool, str | None]:
    """Read what stands behind the timeout: later firmware has a flash flag before the id."""
    if gateway.firmware is Firmware.CHAN_EXTRA_2_0_8:
        return False, args[0] if args else None
    return bool(args) and atoi(args[0]) != 0, args[1] if len(args) > 1 else None


def _refusal(number: str, raw: str) -> str:
    if not number:
        return "Destination number too short.\n"
    if len(number) > MAX_NUMBER_LENGTH:
        return "Destination number too long.\n"
    if not raw:
        return "SMS message too short.\n"
    if len(raw) > MAX_SMS_BYTES:
        return "SMS message too long.\n"
    return ""


def _is_number(number: str) -> bool:
    digits = number.removeprefix("+")
    return digits.isascii() and digits.isdigit()


def _outgoing_sms(
    gateway: Simulator,
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
    if gateway.firmware is Firmware.LATER:
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


async def _send_ussd(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    seconds = atoi(args[5]) if len(args) > 5 else USSD_SECONDS
    answer = await span.send_ussd(from_wire(args[4]), gateway.whole_seconds(seconds))
    match answer.outcome:
        case UssdOutcome.BUSY:
            return ok(f"0:Sending USSD now on span {span.number}\n")
        case UssdOutcome.TIMEOUT:
            return ok(f"0:Send USSD timeout on span {span.number}({ETIMEDOUT})\n")
        case UssdOutcome.SUCCESS if answer.menu:
            menu = answer.menu
            return ok(
                f"1:Recive USSD on span {span.number},responses:{menu.response},"
                f"code:{menu.code}\nText:{to_wire(menu.text)}\n"
            )
    return ok(f"0:Send USSD failed on span {span.number}\n")


async def _send_at(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    if not span.ready:
        return failure(f"GSM modem is not in ready state on span {span.number}\n")
    span.last_send_at, span.last_receive_at = f"{args[-1]}\r\n", "\r\nOK\r\n"
    return ok()


async def _quiet(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    """Do what nobody sees from outside (reload of the module's configuration)."""
    return ok()


async def _unset_debug_file(gateway: Simulator, args: list[str]) -> Output:
    return ok("GSM debug output to file disabled\n")


# ---- power -------------------------------------------------------------------------------


async def _power_on(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    if await span.switch_on():
        return ok(f"Power on span {span.number} sucessed\n")
    return ok(f"Unable to power on span {span.number}\n")


async def _power_off(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    worked = await span.switch_off()
    if worked is None:
        return ok(f"Unable to power off span {span.number}\n")
    # The driver prints nothing if it fails.
    return ok(f"Power off span {span.number} sucessed\n" if worked else "")


async def _power_reset(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    if await span.switch_off_and_on():
        return ok(f"Reset power on span {span.number} success\n")
    return ok(f"Power off span {span.number} failed\n")


async def _power_stat(gateway: Simulator, span: SimSpan, args: list[str]) -> Output:
    """Hang the span: the driver takes its lock twice and never gives it back."""
    span.hung = True
    return await gateway.forever()


# ---- the list ----------------------------------------------------------------------------


def commands(firmware: Firmware) -> list[CliCommand]:
    """Give the commands of a firmware, in the order in which a real gateway lists them."""
    later = firmware is Firmware.LATER
    # Guess: the wording of the flash argument, and the usage of csms; the older open driver
    # has no csms, programs call its arguments flag, smscount and smssequence.
    flash = "[flash] " if later else ""
    send_tail = "<timeout> [id]" if later else "[id]"
    on = "on a given GSM span"
    table: list[tuple[str, str, str, str, Handler]] = [
        ("gsm power off", "Power off gsm module", "<span>",
         f"Set GSM module power off {on}", _on_span(3, _power_off, 4, 4)),
        ("gsm power on", "Power on gsm module", "<span>",
         f"Set GSM module power on {on}", _on_span(3, _power_on, 4, 4)),
        ("gsm power reset", "Power reset gsm module", "<span>",
         f"Reset GSM module power {on}", _on_span(3, _power_reset, 4, 4)),
        ("gsm power stat", "Get gsm module power stat", "<span>",
         f"Get GSM module power stat {on}", _on_span(3, _power_stat, 4, 4)),
        ("gsm reload span", "Reload GSM module configure", "<span>",
         f"Reload GSM module configure {on}", _on_span(3, _quiet, 4, 4)),
        ("gsm send at", f"Send AT Commmand {on}", "<span> <AT Command>",
         f"Send AT Command {on}", _on_span(3, _send_at, 5)),
        ("gsm send sms", f"Send SMS {on}", f"<span> <destination> <message> {send_tail}",
         f"Send SMS {on}", _on_span(3, _send_sms, 6)),
        ("gsm send sync csms", f"Send Concatenated SMS and wait finish {on}",
         "<span> <destination> <message> <flag> <smscount> <smssequence> "
         f"<timeout> {flash}[id] ",
         f"Send Concatenated SMS {on}", _on_span(4, _send_sync_csms, 11)),
        ("gsm send sync sms", f"Send SMS and wait finish {on}",
         f"<span> <destination> <message> <timeout> {flash}[id] ",
         f"Send SMS {on}", _on_span(4, _send_sync_sms, 8)),
        ("gsm send ussd", f"Send USSD {on}", "<span> <message> [timeout]",
         f"Send USSD {on}", _on_span(3, _send_ussd, 5, 6)),
        ("gsm set send sms coding", "Setting send sms character coding", "<span> <coding>",
         f"Setting send sms character coding {on}", _on_span(5, _set_coding, 7, 7)),
        ("gsm set send sms mode pdu", "Setting send sms mode is pdu", "<span>",
         f"Setting send sms mode is pdu {on}", _on_span(6, _set_mode_pdu, 7, 7)),
        ("gsm set send sms mode text", "Setting send sms mode is text", "<span>",
         f"Setting send sms mode is text {on}", _on_span(6, _set_mode_text, 7, 7)),
        ("gsm set send sms smsc", "Setting send sms Service Message Center number",
         "<span> <number>", f"Setting send sms service center number {on}",
         _on_span(5, _set_smsc, 7, 7)),
        ("gsm show debug", "Displays current GSM debug settings", "",
         "Show the debug state of gsm spans", _show_debug),
        ("gsm show send sms coding", "Show send sms character coding", "<span>",
         f"Show send sms character coding {on}", _on_span(5, _show_coding, 6, 6)),
        ("gsm show send sms mode", "Show send sms mode", "<span>",
         f"Show send sms mode {on}", _on_span(5, _show_mode, 6, 6)),
        ("gsm show send sms smsc", "Show send sms Service Message Center number", "<span>",
         f"Show send sms service center number {on}", _on_span(5, _show_smsc, 6, 6)),
        ("gsm show spans", "Displays GSM Information", "", "Displays GSM Information", _show_spans),
        ("gsm show span", "Displays GSM Information", "<span>|all",
         f"Displays GSM Information {on}", _show_span),
        ("gsm show statistics outbound", "Displays statistics of outbound", "",
         "Displays statistics of outbound", _show_statistics),
        ("gsm show version", "Displays libgsmat version", "",
         "Show libgsmat version information", _show_version),
        ("gsm unset debug file", "Ends GSM debug output to file", "",
         "Stop sending debug output to the previously specified file", _unset_debug_file),
    ]  # fmt: skip
    return [
        CliCommand(
            name,
            summary,
            f"Usage: {f'{name} {arguments}' if arguments else name}\n       {does}\n",
            run,
        )
        for name, summary, arguments, does, run in table
    ]
