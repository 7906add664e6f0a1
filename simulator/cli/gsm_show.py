"""What ``gsm show …`` prints of the spans (gateway-protocol, part 3)."""

from simulator.model.box import Box
from simulator.model.gateway import Gateway
from simulator.model.span import SimSpan
from simulator.wire import to_wire

from .command_line import SHOW_USAGE, Output, ok
from .on_span import find_span

_NULS = "\0" * 1024
"""The driver prints the rest of its ``Last … AT`` buffers as well, all NULs."""


async def show_spans(gateway: Gateway, args: list[str]) -> Output:
    """Print one line for each span."""
    if len(args) != 3:
        return SHOW_USAGE
    spans = (gateway.spans[number] for number in sorted(gateway.spans))
    return ok(
        "".join(f"GSM span {span.number}: {span.status_line}\n" for span in spans)
    )


async def show_span(gateway: Gateway, args: list[str]) -> Output:
    """Print all of one span, or of all spans."""
    if len(args) < 4:
        return SHOW_USAGE
    if args[3].lower() != "all":
        span = await find_span(gateway, args[3])
        return span if isinstance(span, Output) else ok(_span_lines(gateway, span))
    text = ""
    for number in sorted(gateway.spans):
        if gateway.spans[number].hung:
            await gateway.forever()  # one span that hangs holds up all
        lines = _span_lines(gateway, gateway.spans[number])
        text += f"---Start Span {number}---\n{lines}---End Span {number}---\n"
    return ok(text)


def _span_lines(gateway: Gateway, span: SimSpan) -> str:
    """Print one span; what the driver asks a module that starts is empty (recorded)."""
    today = gateway.box is Box.TODAY

    def known(value: str) -> str:
        return "" if span.starting else to_wire(value)

    lines = [
        f"D-channel: {2 * span.number}",
        f"Status: {span.status_line}",
        "Type: CPE",
        f"Manufacturer: {known(span.manufacturer)}",
        f"Model Name: {known(span.model)}",
        f"Model IMEI: {known(span.imei)}",
        *(["Model CBAND:  EGSM_MODE,ALL_BAND"] if today else []),
        f"Revision: {known(span.revision)}",
        f"Network Name: {to_wire(span.operator)}",
        f"Network Status: {span.network_status}",
        f"Signal Quality (0,31): {span.signal}",
        f"BER value (0,7): {span.ber}",
        f"SIM IMSI: {known(span.imsi)}",
        f"SIM SMS Center Number: {known(span.sms_center)}",
        *(_lines_of_today(span) if today else []),
        f"PDD: {span.pdd}",
        f"ASR: {span.asr}",
        f"ACD: {span.acd}",
        f"Last event: {span.last_event}",
        f"State: {to_wire(span.state)}",
    ]
    # The boxes of today print these as well. Guess: without NULs behind.
    nuls = "" if today else _NULS
    lines += [
        f"Last send AT: {_visible(span.last_send_at)}{nuls}",
        f"Last receive AT: {_visible(span.last_receive_at)}{nuls}",
    ]
    return "".join(f"{line}\n" for line in lines)


def _lines_of_today(span: SimSpan) -> list[str]:
    """Print what boxes of today add. Guess: the place of each, and the band."""
    return [
        f"Send SMS Center Number: {span.send_sms_center or 'Undefined'}",
        f"Own Number: {span.own_number}",
        "Network Band: EGSM900",
        f"Limit: {', '.join(span.limits) or 'No Limit'}",
    ]


def _visible(at_text: str) -> str:
    return to_wire(at_text).replace("\r", "\\r").replace("\n", "\\n")


async def show_version(gateway: Gateway, args: list[str]) -> Output:
    """Print the version of the driver."""
    # Guess: the number of boxes of today.
    version = "2.0.8" if gateway.box is Box.OF_2013 else "2.2.0"
    return ok(f"libgsmat version: {version}\n")


async def show_statistics(gateway: Gateway, args: list[str]) -> Output:
    """Print the table of outgoing calls."""
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


async def show_debug(gateway: Gateway, args: list[str]) -> Output:
    """Print whether debugging is on for each span."""
    return ok(
        "".join(
            f"Span {number}: Debug: {'Yes' if gateway.spans[number].debugging else 'No'}\tLevel: 0\n"
            for number in sorted(gateway.spans)
        )
    )
