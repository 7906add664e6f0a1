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

from . import commands
from .connection import COMMAND_SLACK, Connection
from .errors import UssdError
from .model import SendFailure, UssdFailure, UssdReply, UssdStatus
from .replies import read_ussd_reply
from .spans import LATE_ANSWER_TIME, SpanLock, Spans

USSD_TIMEOUT: Final = 30  # seconds
# Guess: a network keeps an unanswered menu open for this long.
_MENU_TIME: Final = 120.0  # seconds


def is_ussd_code(code: str) -> bool:
    """Return whether this can be a USSD code or reply: 1 to 160 characters, one line."""
    return re.fullmatch(r"[^\x00-\x1f\x7f]{1,160}", code) is not None


def _check_code(code: str) -> None:
    if not is_ussd_code(code):
        raise ValueError("A USSD code is 1 to 160 characters on one line")


class Ussd:
    """Asks the networks of the spans."""

    def __init__(self, connection: Connection, spans: Spans) -> None:
        """Ask through `connection`, one request at a time on each of the `spans`."""
        self._connection = connection
        self._spans = spans
        self._now = asyncio.get_running_loop().time
        # Until when (loop's clock) a span's network would take a code for a reply.
        self._menu_open_until: dict[int, float] = {}

    async def send(
        self, span: int, code: str, *, timeout: int = USSD_TIMEOUT
    ) -> UssdReply:
        """Send a USSD code, or a reply in the menu that is open on the span.

        `timeout` (whole seconds) is the time that the network has to answer.

        Raises ValueError for a code that can't be one, and UssdError where no answer
        came.
        """
        _check_code(code)
        async with self._spans.exclusive(span) as lock:
            return await self._exchange(lock, code, timeout)

    async def ask(self, span: int, code: str, replies: Sequence[str] = ()) -> UssdReply:
        """Send a USSD code, then the replies for as long as one is expected.

        No other request comes in between. Nothing is sent into a menu that is
        already open on the span (UssdFailure.BUSY).

        Raises as `send` does.
        """
        for text in (code, *replies):
            _check_code(text)
        async with self._spans.exclusive(span) as lock:
            if self._now() < self._menu_open_until.get(span, 0.0):
                raise UssdError(UssdFailure.BUSY, span)
            answer = await self._exchange(lock, code, USSD_TIMEOUT)
            try:
                for reply in replies:
                    if answer.status is not UssdStatus.REPLY_EXPECTED:
                        break
                    answer = await self._exchange(lock, reply, USSD_TIMEOUT)
            except UssdError as err:
                err.was_asked = True
                raise
            return answer

    async def _exchange(self, lock: SpanLock, code: str, timeout: int) -> UssdReply:
        """Send one request as soon as the span is ready; return its answer."""
        span = lock.number
        try:
            failure = await self._spans.wait_until_ready(lock, self._now() + timeout)
        except AmiError:
            failure = SendFailure.NOT_CONNECTED
        if failure:
            raise UssdError(UssdFailure(failure.value), span)
        # Until the network has answered, the driver takes its answer for the
        # answer to whatever is asked next.
        lock.block(timeout)
        try:
            output = await self._connection.slow_command(
                commands.send_ussd(span, code, timeout), timeout=timeout + COMMAND_SLACK
            )
        except ConnectionLostError as err:
            raise UssdError(UssdFailure.CONNECTION_LOST, span) from err
        except ActionTimeoutError as err:
            lock.block(LATE_ANSWER_TIME)
            raise UssdError(UssdFailure.TIMED_OUT, span) from err
        except AmiError as err:
            lock.unblock()
            connected = not isinstance(err, CannotConnectError)
            raise UssdError(
                UssdFailure.REFUSED if connected else UssdFailure.NOT_CONNECTED, span
            ) from err
        reply = read_ussd_reply(span, output)
        if isinstance(reply, UssdReply):
            lock.unblock()
            is_menu = reply.status is UssdStatus.REPLY_EXPECTED
            self._menu_open_until[span] = self._now() + _MENU_TIME if is_menu else 0.0
            return reply
        if reply is UssdFailure.TIMED_OUT:
            lock.block(LATE_ANSWER_TIME)
        else:
            lock.unblock()
        raise UssdError(reply, span)
