"""How a span sends SMS: mode, coding, service centre; and settings without a trace."""

from simulator.model.gateway import Gateway
from simulator.model.span import SimSpan

from .command_line import SHOW_USAGE, Output, ok


async def show_mode(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print ``pdu`` or ``text``."""
    return ok(f"{span.sms_mode}\n")


async def show_coding(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print the character coding of outgoing SMS."""
    return ok(f"{span.sms_coding}\n")


async def show_smsc(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print the service centre that outgoing SMS name."""
    return ok(f"{span.send_sms_center or 'Undefined'}\n")


async def set_mode_pdu(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send SMS as PDUs."""
    span.sms_mode = "pdu"
    return ok()


async def set_mode_text(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Send SMS in text mode."""
    span.sms_mode = "text"
    return ok()


async def set_coding(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Set the character coding of outgoing SMS."""
    span.sms_coding = args[6]
    return ok()


async def set_smsc(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Set the service centre that outgoing SMS name."""
    span.send_sms_center = args[6]
    return ok()


async def debug(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Switch debugging of a span on or off; nothing comes of it here."""
    span.debugging = args[1] != "no"
    return ok(
        f"{'En' if span.debugging else 'Dis'}abled debugging on span {span.number}\n"
    )


async def show_debug_at(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print whether AT commands are logged."""
    return ok(f"span {span.number} at debug on\n")


async def set_debug_file(gateway: Gateway, args: list[str]) -> Output:
    """Write debug output to a file; nothing comes of it here."""
    return ok() if len(args) == 5 else SHOW_USAGE


async def unset_debug_file(gateway: Gateway, args: list[str]) -> Output:
    """Stop writing a debug file."""
    return ok("GSM debug output to file disabled\n")


async def reload(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Start the module again, without waiting for it."""
    span.reload()
    return ok()


async def nothing(gateway: Gateway, args: list[str]) -> Output:
    """Do nothing."""
    return ok()


async def quiet(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Do what nobody sees from outside."""
    return ok()
