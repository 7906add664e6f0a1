"""The modules of the spans: their power, and starting them again."""

import asyncio
import re
from typing import Final

from custom_components.openvox_gsm.ami import ActionTimeoutError, ConnectionLostError

from . import commands, replies
from .connection import Connection
from .errors import SpanError
from .model import SendFailure, SpanStatus
from .power import Power
from .spans import Spans

# Reset takes about 13 seconds in the driver.
_POWER_TIMEOUT: Final = 60.0  # seconds
# How long a module needs to start after a reload (recorded: 3 seconds).
_RELOAD_TIME: Final = 4.0  # seconds


class Modules:
    """Switches the modules of a gateway, and starts them again."""

    def __init__(self, connection: Connection, spans: Spans, power: Power) -> None:
        """Command through `connection`; `power` remembers what was switched off."""
        self._connection = connection
        self._spans = spans
        self._power = power

    async def set_power(self, span: int, on: bool) -> None:
        """Switch the module of a span on (about 9 s) or off (4 s).

        One that's off counts as off until it's switched on or shows new life. So does
        one that may be off, as the outcome isn't known.

        Raises SpanError where the gateway could not, AmiError.
        """
        async with self._spans.exclusive(span):
            try:
                await self._command_power(span, "on" if on else "off")
            except ActionTimeoutError, ConnectionLostError:
                if not on:
                    self._switched_off(span)
                raise
            if on:
                self._power.is_alive(span)
            else:
                self._switched_off(span)

    def commanded(self, command: str, output: str) -> None:
        """Note what any command, which somebody else wrote, did to a module's power."""
        words = " ".join(command.lower().split())
        found = re.fullmatch("gsm power (on|off|reset) ([0-9]{1,4})", words)
        if found is None or not replies.power_succeeded(output):
            return
        if found[1] == "off":
            self._switched_off(int(found[2]))
        else:
            self._power.is_alive(int(found[2]))

    def _switched_off(self, span: int) -> None:
        self._power.switched_off(span, asyncio.get_running_loop().time())

    async def restart(self, span: int) -> None:
        """Switch the module of a span off and on again (about 13 s).

        SMS that the driver still keeps for it may go out then.

        Raises SpanError where the gateway could not, AmiError.
        """
        async with self._spans.exclusive(span):
            await self._command_power(span, "reset")
            self._power.is_alive(span)

    async def reload(self, span: int) -> None:
        """Start the module of a span again without switching it off (about 3 s).

        SMS that the driver still keeps for it may go out then.

        Raises SpanError where the module is off or the gateway could not, AmiError.
        """
        async with self._spans.exclusive(span):
            known = self._spans.get(span)
            if known and known.status is SpanStatus.POWER_OFF:  # nothing would happen
                raise SpanError(SendFailure.POWER_OFF, span)
            output = await self._connection.slow_command(
                commands.reload_span(span), timeout=_POWER_TIMEOUT
            )
            if output.strip():  # recorded: it prints nothing
                raise SpanError(SendFailure.REFUSED, span)
            await self._connection.pause(_RELOAD_TIME)

    async def _command_power(self, span: int, action: str) -> None:
        output = await self._connection.slow_command(
            commands.power(action, span), timeout=_POWER_TIMEOUT
        )
        if not replies.power_succeeded(output):
            raise SpanError(SendFailure.REFUSED, span)
