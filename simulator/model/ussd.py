"""USSD requests of a span and what the network answers (gateway-protocol, part 5)."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import re

from .box import Box
from .outcomes import NeverAnswered, UssdMenu, UssdOutcome
from .span_state import SpanState

_PLAIN, _UCS2 = 15, 72
"""Data coding schemes of USSD (3GPP 23.038)."""

_INVALID_CHOICE = UssdMenu("Invalid choice", response=2)
"""What the network says to a reply that its menu does not have.

Guess: that it ends the session then (others show the menu again), and the wording.
"""


@dataclass(frozen=True)
class UssdAnswer:
    """How a USSD request ends for the one who waits."""

    outcome: UssdOutcome
    menu: UssdMenu | None = None


class UssdSender:
    """Sends the USSD requests of one span."""

    def __init__(self, span: SpanState) -> None:
        """Take the span."""
        self._span = span
        self._core = span.core
        self._waiters: deque[asyncio.Future[UssdAnswer]] = deque()
        self._open_menu: UssdMenu | None = None
        self._menu_ends = 0.0

    async def send(self, code: str, timeout: float) -> UssdAnswer:
        """Send a USSD code and wait for an answer, at most ``timeout`` seconds.

        In chan_extra 2.0.8 a second request goes out at once, and the answers go to the one
        who waits longest. Guess: boxes of today say that they are busy, as both print it.
        """
        span, core = self._span, self._core
        core.ussd_requests.append(code)
        if self._waiters:
            core.ussd_overlaps.append(code)
        if span.ussd_outcomes and span.ussd_outcomes[0] is UssdOutcome.BUSY:
            span.ussd_outcomes.popleft()
            return UssdAnswer(UssdOutcome.BUSY)
        if self._waiters and core.box is Box.TODAY:
            return UssdAnswer(UssdOutcome.BUSY)
        waiter: asyncio.Future[UssdAnswer] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        core.spawn(self._ask_network(code))
        try:
            async with asyncio.timeout(timeout):
                return await waiter
        except TimeoutError:
            return UssdAnswer(UssdOutcome.TIMEOUT)
        except NeverAnswered:
            return await core.forever()
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def _ask_network(self, code: str) -> None:
        span, core = self._span, self._core
        while not span.ready:
            await asyncio.sleep(core.retry_interval)
        outcome = (
            span.ussd_outcomes.popleft() if span.ussd_outcomes else UssdOutcome.SUCCESS
        )
        span.doing = "USSD SENDING"
        span.last_send_at = f'AT+CUSD=1,"{code}"\r\n'
        try:
            await asyncio.sleep(span.ussd_duration)
        finally:
            span.doing = None
        core.tell(f"span {span.number}: USSD {code}")
        menu = self._network_answer(code) if outcome is UssdOutcome.SUCCESS else None
        if menu is not None and not menu.text:
            # The driver takes no text for a failure.
            outcome, menu = UssdOutcome.FAILED, None
        if outcome is UssdOutcome.LATE_FAILURE:
            self._answer(
                lambda waiter: waiter.set_result(UssdAnswer(UssdOutcome.TIMEOUT))
            )
            await asyncio.sleep(span.late_after)
            outcome = UssdOutcome.FAILED
        if outcome is UssdOutcome.HANG:
            self._answer(lambda waiter: waiter.set_exception(NeverAnswered()))
            return
        if menu is not None:
            core.ussd_answers.append((code, menu.text))
        if outcome is UssdOutcome.SUCCESS:
            span.last_event = "USSD received"
        elif outcome is UssdOutcome.FAILED:
            span.last_event = "USSD send failed"
        self._answer(lambda waiter: waiter.set_result(UssdAnswer(outcome, menu)))

    def _answer(self, settle: Callable[[asyncio.Future[UssdAnswer]], None]) -> None:
        """Wake the one who waits longest: the driver does not ask whose answer it is."""
        while self._waiters:
            waiter = self._waiters.popleft()
            # One that was cancelled or whose time is over has yet to leave.
            if not waiter.done():
                settle(waiter)
                return

    def _network_answer(self, code: str) -> UssdMenu:
        """Find the network's answer; while a menu is open, everything is a reply to it."""
        now = asyncio.get_running_loop().time()
        answer: UssdMenu | str
        if self._open_menu is not None and now < self._menu_ends:
            answer = self._open_menu.replies.get(code, _INVALID_CHOICE)
        else:
            # The wording is from a capture of a real gateway.
            answer = self._span.ussd.get(code, "UNKNOWN APPLICATION")
        menu = UssdMenu(answer) if isinstance(answer, str) else answer
        self._open_menu = menu if menu.replies else None
        self._menu_ends = now + self._span.menu_seconds
        return _decoded(menu)


def _decoded(menu: UssdMenu) -> UssdMenu:
    """Fill in what is left open, and read the text as the driver does (recorded).

    Hex digits in groups of four are taken for UCS-2, even if they are meant as a plain
    number, and in the wrong byte order. In other texts each CR becomes a blank.
    """
    text, code = menu.text, menu.code
    if code is None:
        code = _PLAIN if text.isascii() else _UCS2
    if re.fullmatch(r"(?:[0-9A-Fa-f]{4})+", text):
        text = bytes.fromhex(text).decode("utf-16-le", "surrogatepass")
    elif code != _UCS2:
        text = text.replace("\r", " ")
    response = menu.response if menu.response is not None else int(bool(menu.replies))
    return UssdMenu(text, menu.replies, code, response)
