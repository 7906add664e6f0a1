"""A recording of a gateway: one file, with stand-ins for everything private."""

from collections.abc import Iterable
import contextlib
from typing import Any, Final

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.gateway import commands
from custom_components.openvox_gsm.gateway.connection import Connection

from .trace import Trace

# Commands that only show something.
_OF_GATEWAY: Final = (
    *("core show version", commands.SHOW_VERSION, commands.HELP),
    *(commands.HELP_SEND_SMS, commands.HELP_SEND_SMS_PART, commands.HELP_SEND_USSD),
    *(commands.SHOW_SMS_STEPS, commands.SHOW_OUTCOME_STEPS),
    *("dialplan show sms_send_failed@gsm-1", "dialplan show s@gsm-1"),
    *(commands.SHOW_SPANS, commands.SHOW_ALL_SPANS),
)


async def look_around(
    connection: Connection, username: str, spans: Iterable[int]
) -> None:
    """Run every command that only shows something; what fails is left out."""
    wanted = [*_OF_GATEWAY, commands.show_user(username)]
    for span in spans:
        wanted += commands.show_span(span), commands.show_sms_mode(span)
        wanted.append(commands.show_sms_coding(span))
    for command in wanted:
        with contextlib.suppress(AmiError):
            await connection.command(command)


def as_file(about: str, trace: Trace) -> dict[str, Any]:
    """Return a recording as it is written as JSON.

    ``wire`` is a list of [seconds, "client" or "gateway", text]; each character of a
    text is a byte.
    """
    return {"about": about, "wire": trace.wire()}
