"""USSD: codes that a SIM's network answers, such as the one for the balance."""

import asyncio
from collections.abc import Sequence
import re
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
)

from . import cli
from .connection import COMMAND_SLACK, Connection
from .errors import UssdError
from .model import SendFailure, UssdFailure, UssdReply, UssdStatus
from .spans import REST, Line, Spans

USSD_TIMEOUT: Final = 30  # seconds
# Guess: for this long a network keeps a menu open that nobody answers.
_MENU_TIME: Final = 120.0  # seconds

_CODE = re.compile(r"[^\x00-\x1f\x7f]{1,160}")


def is_ussd_code(code: str) -> bool:
    """Whether this can be a USSD code or a reply: 1 to 160 characters on one line."""
    return _CODE.fullmatch(code) is not None


def _require_code(code: str) -> None:
    if not is_ussd_code(code):
        raise ValueError("A USSD code is 1 to 160 characters on one line")


class Ussd:
    """Asks the networks of the spans."""

    def __init__(self, connection: Connection, spans: Spans) -> None:
        """Ask through `connection`, in turn on each of the `spans`."""
        self._connection = connection
        self._spans = spans

    async def send(
        self, span: int, code: str, *, timeout: int = USSD_TIMEOUT
    ) -> UssdReply:
        """Send a USSD code, or a reply in the menu that is open on the span.

        `timeout` (whole seconds) is what the network has for its answer.

        Raises ValueError for a code that cannot be one, UssdError where no
        answer came.
        """
        _require_code(code)
        async with self._spans.turn(span) as line:
            return await self._exchange(line, code, timeout)

    async def ask(self, span: int, code: str, replies: Sequence[str] = ()) -> UssdReply:
        """Send a USSD code, and the replies in turn for as long as one is expected.

        Nobody else's request comes in between, and none goes into a menu that
        somebody has open on the span (UssdFailure.BUSY).

        Raises as `send` does.
        """
        for text in (code, *replies):
            _require_code(text)
        async with self._spans.turn(span) as line:
            if asyncio.get_running_loop().time() < line.menu_until:
                raise UssdError(UssdFailure.BUSY, span)
            answer = await self._exchange(line, code, USSD_TIMEOUT)
            try:
                for reply in replies:
                    if answer.status is not UssdStatus.REPLY_EXPECTED:
                        break
                    answer = await self._exchange(line, reply, USSD_TIMEOUT)
            except UssdError as err:
                err.was_asked = True
                raise
            return answer

    async def _exchange(self, line: Line, code: str, timeout: int) -> UssdReply:
        """Send one request as soon as the span is ready; return its answer."""
        span = line.number
        now = asyncio.get_running_loop().time
        try:
            failure = await self._spans.why_not_ready(line, now() + timeout)
        except AmiError:
            failure = SendFailure.NOT_CONNECTED
        if failure:
            raise UssdError(UssdFailure(failure.value), span)
        # Until the network has answered, the driver takes its answer for the
        # answer to whatever is asked next.
        line.rest(timeout)
        try:
            output = await self._connection.slow_command(
                cli.send_ussd(span, code, timeout), timeout=timeout + COMMAND_SLACK
            )
        except ConnectionLostError as err:
            raise UssdError(UssdFailure.CONNECTION_LOST, span) from err
        except ActionTimeoutError as err:
            line.rest(REST)
            raise UssdError(UssdFailure.TIMED_OUT, span) from err
        except AmiError as err:
            line.rest(0)
            connected = not isinstance(err, CannotConnectError)
            raise UssdError(
                UssdFailure.REFUSED if connected else UssdFailure.NOT_CONNECTED, span
            ) from err
        reply = cli.read_ussd_reply(span, output)
        if isinstance(reply, UssdReply):
            line.rest(0)
            is_menu = reply.status is UssdStatus.REPLY_EXPECTED
            line.menu_until = now() + _MENU_TIME if is_menu else 0.0
            return reply
        line.rest(REST if reply.failure is UssdFailure.TIMED_OUT else 0)
        raise UssdError(reply.failure, span)
