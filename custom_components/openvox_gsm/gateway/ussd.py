"""USSD: codes that a SIM's network answers, such as the one for the balance."""

import asyncio
from collections.abc import Callable, Sequence
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
from .errors import UssdError, why_not_asked
from .model import SendFailure, UssdFailure, UssdReply, UssdStatus, Work
from .replies import is_ussd_time_out, read_ussd_reply
from .spans import LATE_ANSWER_TIME, SpanLock, Spans

USSD_TIMEOUT: Final = 30  # seconds
# Guess: a network keeps an unanswered menu open for this long.
_MENU_TIME: Final = 120.0  # seconds
# A time limit in seconds that is over after this part of it counts milliseconds.
_FAR_TOO_EARLY: Final = 0.1
# The driver counts to a whole second, so a shorter limit may be over at once.
_SHORTEST_LIMIT: Final = 2  # seconds


def is_ussd_text(text: str) -> bool:
    """Return whether this can be a USSD code or a reply: 1 to 160 characters, one line."""
    return re.fullmatch(r"[^\x00-\x1f\x7f]{1,160}", text) is not None


def is_ussd_code(code: str) -> bool:
    """Return whether this can begin a USSD request, which a reply such as `yes` can't.

    A phone takes anything that ends with # for one, and few digits (3GPP TS 22.030,
    6.5.3.2). Networks take more digits, too.
    """
    return is_ussd_text(code) and (
        code.endswith("#") or re.fullmatch(r"[0-9*#]+", code) is not None
    )


def _check_text(text: str) -> None:
    if not is_ussd_text(text):
        raise ValueError("A USSD code or reply is 1 to 160 characters on one line")


class Ussd:
    """Asks the networks of the spans."""

    def __init__(
        self,
        connection: Connection,
        spans: Spans,
        on_unit: Callable[[bool], None],
        *,
        in_milliseconds: bool,
    ) -> None:
        """Ask through `connection`, one request at a time on each of the `spans`.

        With `in_milliseconds` the firmware counts the time limit in milliseconds, not
        seconds. `on_unit` is called with that when it turns out to be otherwise.
        """
        self._connection = connection
        self._spans = spans
        self._on_unit = on_unit
        self._in_milliseconds = in_milliseconds
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
        _check_text(code)
        async with self._spans.exclusive(span) as lock:
            return await self._exchange(lock, code, timeout)

    async def ask(self, span: int, code: str, replies: Sequence[str] = ()) -> UssdReply:
        """Send a USSD code, then the replies for as long as one is expected.

        No other request comes in between. Nothing is sent into a menu that is
        already open on the span (UssdFailure.BUSY).

        Raises as `send` does.
        """
        for text in (code, *replies):
            _check_text(text)
        async with self._spans.exclusive(span) as lock:
            if self._now() < self._menu_open_until.get(span, 0.0):
                raise UssdError(UssdFailure.MENU_OPEN, span)
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
            failure = await self._spans.wait_until_ready(
                lock, self._now() + timeout, Work.USSD
            )
        except AmiError as err:
            failure = why_not_asked(err, span)
        if failure:
            raise UssdError(failure, span)
        # Until the network has answered, the driver takes its answer for the
        # answer to whatever is asked next.
        lock.block(timeout)
        limit = timeout * 1000 if self._in_milliseconds else timeout
        try:
            async with self._connection.slow_session() as session:
                begun = self._now()
                output = await session.command(
                    commands.send_ussd(span, code, limit),
                    timeout=timeout + COMMAND_SLACK,
                )
                took = self._now() - begun
        except ConnectionLostError as err:
            raise UssdError(UssdFailure.CONNECTION_LOST, span) from err
        except ActionTimeoutError as err:
            lock.block(LATE_ANSWER_TIME)
            self._learn_unit(in_milliseconds=False)
            raise UssdError(UssdFailure.TIMED_OUT, span) from err
        except AmiError as err:
            lock.unblock()
            connected = not isinstance(err, CannotConnectError)
            raise UssdError(
                UssdFailure.REFUSED if connected else SendFailure.NOT_CONNECTED, span
            ) from err
        reply = read_ussd_reply(span, output)
        if isinstance(reply, UssdReply):
            lock.unblock()
            is_menu = reply.status is UssdStatus.REPLY_EXPECTED
            self._menu_open_until[span] = self._now() + _MENU_TIME if is_menu else 0.0
            return reply
        if (
            is_ussd_time_out(output)
            and timeout >= _SHORTEST_LIMIT
            and took < timeout * _FAR_TOO_EARLY
        ):
            # The network still has its time to answer, so the span isn't free yet.
            self._learn_unit(in_milliseconds=True)
        elif reply is UssdFailure.TIMED_OUT:
            lock.block(LATE_ANSWER_TIME)
        else:
            lock.unblock()
        raise UssdError(reply, span)

    def _learn_unit(self, *, in_milliseconds: bool) -> None:
        """Remember the unit of the time limit for the next request.

        The vendor's own programs disagree about it. Nothing is asked again by itself:
        a code may move money.
        """
        if self._in_milliseconds != in_milliseconds:
            self._in_milliseconds = in_milliseconds
            self._on_unit(in_milliseconds)
