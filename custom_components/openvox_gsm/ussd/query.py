"""USSD queries: codes that are sent at an interval, such as the one for the balance."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
import logging
from typing import Any, Final, override

from custom_components.openvox_gsm.const import (
    CONF_CODE,
    CONF_DATE_PATTERN,
    CONF_INTERVAL,
    CONF_PATTERN,
    CONF_REPLIES,
    CONF_SPAN,
    CONF_UNIT,
    SUBENTRY_USSD_QUERY,
)
from custom_components.openvox_gsm.contacts import country_of
from custom_components.openvox_gsm.gateway import (
    Gateway,
    SendFailure,
    UssdError,
    UssdFailure,
    UssdReply,
    UssdStatus,
)
from custom_components.openvox_gsm.regular_expression import RegularExpression
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .values import read_date

_LOGGER = logging.getLogger(__name__)

# Even if its data say less: a network may block a SIM that asks all the time.
MIN_INTERVAL: Final = timedelta(minutes=15)
# Queries that are due when Home Assistant starts come one after another.
FIRST_DELAY: Final = timedelta(seconds=30)
SPREAD: Final = timedelta(minutes=1)
# When to try again on a span that wasn't ready.
RETRY_DELAY: Final = timedelta(minutes=1)

_NO_ANSWER: Final = {
    UssdStatus.ANSWERED_ELSEWHERE: UssdFailure.FAILED,
    UssdStatus.NOT_SUPPORTED: UssdFailure.FAILED,
    UssdStatus.NETWORK_TIMEOUT: UssdFailure.TIMED_OUT,
}


# What the log says of a code that may have gone out.
_WHY_FAILED: Final[Mapping[UssdFailure | SendFailure, str]] = {
    UssdFailure.FAILED: "the network didn't accept the code",
    UssdFailure.TIMED_OUT: "the network didn't respond in time",
    UssdFailure.CONNECTION_LOST: "the connection was lost before the answer",
    UssdFailure.REFUSED: "the gateway refused to send the code",
}


class NoValueError(Exception):
    """The regular expression finds nothing in the network's answer."""

    def __init__(self, reply: str) -> None:
        """Keep the answer, for those who may see it."""
        super().__init__("no value in the answer")
        self.reply = reply


@dataclass(frozen=True)
class Answer:
    """What the network said, and when.

    `value` is what the regular expression found, in this reply or, where it finds
    nothing in it, in the last one that had it. The same goes for `date` and the
    expression for it.
    """

    reply: str = field(repr=False)
    value: str | None = field(repr=False)
    date: date | None = field(repr=False)
    answered_at: datetime


class UssdQueries(Mapping[str, "UssdQuery"]):
    """The queries of a gateway by the ids of their subentries."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], gateway: Gateway
    ) -> None:
        """Prepare; `update` creates the queries, and their sensors start them."""
        self._hass = hass
        self._entry = entry
        self._gateway = gateway
        self._one_at_a_time = asyncio.Lock()
        self._queries: dict[str, UssdQuery] = {}

    @callback
    def update(self) -> None:
        """Create new queries, replace the changed ones, drop those that were removed."""
        subentries = self._entry.get_subentries_of_type(SUBENTRY_USSD_QUERY)
        self._queries = {
            subentry.subentry_id: self._make(subentry, FIRST_DELAY + index * SPREAD)
            for index, subentry in enumerate(subentries)
        }

    def _make(self, subentry: ConfigSubentry, first_delay: timedelta) -> UssdQuery:
        query = self._queries.get(subentry.subentry_id)
        if query and query.name == subentry.title and query.data == subentry.data:
            return query
        return UssdQuery(
            self._hass,
            self._entry,
            self._gateway,
            subentry,
            self._one_at_a_time,
            first_delay,
        )

    @override
    def __getitem__(self, subentry_id: str) -> UssdQuery:
        return self._queries[subentry_id]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    @override
    def __len__(self) -> int:
        return len(self._queries)


class UssdQuery:
    """One query: when it is sent, and what the network answered."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        gateway: Gateway,
        subentry: ConfigSubentry,
        one_at_a_time: asyncio.Lock,
        first_delay: timedelta,
    ) -> None:
        """Prepare; nothing is sent before `start`, unless by hand.

        The queries of a gateway share the lock `one_at_a_time`. A query that is already
        due at its start waits for `first_delay`.
        """
        data = subentry.data
        self.subentry_id = subentry.subentry_id
        self.data = data
        self.name = subentry.title
        self.span: int = data[CONF_SPAN]
        self.unit: str | None = data.get(CONF_UNIT)
        self.answer: Answer | None = None
        self._hass = hass
        self._entry = entry
        self._gateway = gateway
        self._code: str = data[CONF_CODE]
        self._replies: list[str] = data.get(CONF_REPLIES, [])
        self._pattern = self._compile(data.get(CONF_PATTERN) or "(?s)(.*)")
        self._date_pattern = self._compile(data.get(CONF_DATE_PATTERN))
        self._interval = max(timedelta(hours=data[CONF_INTERVAL]), MIN_INTERVAL)
        self._one_at_a_time = one_at_a_time
        self._first_delay = first_delay
        self._asked_at: datetime | None = None
        self._failing = False
        self._on_answer: Callable[[], None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None

    def _compile(self, pattern: str | None) -> RegularExpression | None:
        """Compile an expression, unless only an earlier version accepted it."""
        try:
            return RegularExpression(pattern) if pattern else None
        except ValueError as err:
            _LOGGER.warning(
                "The USSD query “%s” of %s has an expression that can't be used, so it "
                "finds nothing. Change it: %s",
                self.name,
                self._entry.title,
                err,
            )
            return None

    # What survives a restart

    @property
    def memory(self) -> dict[str, Any]:
        """What `start` restores, as JSON has it."""
        memory: dict[str, Any] = {
            "question": self._question,
            "asked_at": self._asked_at.isoformat() if self._asked_at else None,
        }
        if self.answer:
            memory |= {
                "reply": self.answer.reply,
                "value": self.answer.value,
                "date": self.answer.date and self.answer.date.isoformat(),
                "answered_at": self.answer.answered_at.isoformat(),
            }
        return memory

    @property
    def _question(self) -> list[Any]:
        return [self.span, self._code, *self._replies]

    def _remember(self, memory: Mapping[str, Any]) -> None:
        if memory.get("question") != self._question:
            return  # the answer was to something else
        # A clock that was wrong must not delay the next time forever.
        now = dt_util.utcnow()
        if asked_at := dt_util.parse_datetime(memory.get("asked_at") or ""):
            self._asked_at = min(asked_at, now)
        if answered_at := dt_util.parse_datetime(memory.get("answered_at") or ""):
            reply = memory["reply"]
            # The expression may have changed.
            value, written = self._search(reply)
            found = self._read_date(written) or dt_util.parse_date(
                memory.get("date") or ""
            )
            self.answer = Answer(reply, value or memory["value"], found, answered_at)

    # When it is sent

    @callback
    def start(
        self, memory: Mapping[str, Any], on_answer: Callable[[], None]
    ) -> CALLBACK_TYPE:
        """Send it whenever it is due, from now on; returns a function that ends this.

        `memory` is that of the last run, `on_answer` is called after each answer.
        """
        self._remember(memory)
        self._on_answer = on_answer
        self._schedule(self._first_delay)
        self._tell_listeners()
        return self._stop

    @property
    def reads_date(self) -> bool:
        """Whether a date is looked for in the answer."""
        return bool(self.data.get(CONF_DATE_PATTERN))

    @callback
    def listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener whenever there's another answer; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

    @callback
    def _stop(self) -> None:
        self._on_answer = None
        if self._timer:
            self._timer()
            self._timer = None
        if self._task:
            self._task.cancel()

    @property
    def _due(self) -> datetime:
        """When it is sent by itself the next time."""
        now = dt_util.utcnow()
        # If that's to come, the clock has been set back: it isn't known how long ago.
        if self._asked_at is None or self._asked_at > now:
            return now
        return self._asked_at + self._interval

    def _schedule(self, delay: timedelta) -> None:
        """Set the timer for when it is due, but not before the delay is over.

        It waits for that long even if the clock is set meanwhile.
        """
        if self._on_answer is None:
            return  # not started, or stopped
        if self._timer:
            self._timer()
        delay = max(self._due - dt_util.utcnow(), delay)
        self._timer = async_call_later(self._hass, delay, self._timer_fired)

    @callback
    def _timer_fired(self, _now: datetime) -> None:
        self._timer = None
        self._task = self._entry.async_create_background_task(
            self._hass, self._ask_if_due(), "OpenVox USSD query"
        )

    async def _ask_if_due(self) -> None:
        async with self._one_at_a_time:
            # It may have been sent by hand in the meantime.
            if self._due <= dt_util.utcnow():
                # `_ask` has logged it.
                with suppress(UssdError, NoValueError):
                    await self._ask()
        self._schedule(RETRY_DELAY)

    # Sending

    async def ask(self) -> None:
        """Send it now, as soon as no other query of the gateway is under way.

        Raises UssdError where no answer came, and NoValueError where the answer
        contains no value. The last value stays then.
        """
        async with self._one_at_a_time:
            try:
                await self._ask()
            finally:
                self._schedule(RETRY_DELAY)

    async def _ask(self) -> None:
        before = self._asked_at
        try:
            await self._accept(await self._converse())
        except UssdError as err:
            # If nothing went out, it is tried again soon.
            if self._asked_at != before:
                self._log_failure(_WHY_FAILED.get(err.failure, err.failure))
            raise
        except NoValueError:
            self._log_failure("its expression found no value in the answer")
            raise
        if self._failing:
            self._failing = False
            _LOGGER.info(
                "The USSD query “%s” of %s has an answer again",
                self.name,
                self._entry.title,
            )

    async def _converse(self) -> UssdReply:
        """Send the code, and the replies for as long as the network expects one."""
        # It counts as asked until the outcome is known, as this may be cancelled.
        before, self._asked_at = self._asked_at, dt_util.utcnow()
        try:
            answer = await self._gateway.ussd.ask(self.span, self._code, self._replies)
        except UssdError as err:
            if not err.was_asked:
                self._asked_at = before
            raise
        if (failure := _NO_ANSWER.get(answer.status)) is not None:
            raise UssdError(failure, self.span)
        return answer

    async def _accept(self, reply: UssdReply) -> None:
        """Take an answer; raises NoValueError where an expression finds nothing."""
        value, written = await self._hass.async_add_executor_job(
            self._search, reply.text
        )
        found = self._read_date(written)
        last_value = self.answer.value if self.answer else None
        last_date = self.answer.date if self.answer else None
        self.answer = Answer(
            reply.text, value or last_value, found or last_date, dt_util.utcnow()
        )
        if self._on_answer:
            self._on_answer()
        self._tell_listeners()
        if value is None or (self.reads_date and found is None):
            raise NoValueError(reply.text)

    def _search(self, text: str) -> tuple[str | None, str | None]:
        """Return the value and the date as they are written, None where there's none."""
        return (
            _first_group(self._pattern, text),
            _first_group(self._date_pattern, text),
        )

    def _read_date(self, written: str | None) -> date | None:
        if not written:
            return None
        # Guess: in other countries the day comes first.
        is_american = country_of(self._hass, self._entry) == "US"
        return read_date(written, month_first=is_american)

    def _log_failure(self, failure: str) -> None:
        if self._failing:
            return
        self._failing = True
        _LOGGER.warning(
            "The USSD query “%s” of %s on span %s failed: %s. It's sent again when it's "
            "due",
            self.name,
            self._entry.title,
            self.span,
            failure,
        )


def _first_group(pattern: RegularExpression | None, text: str) -> str | None:
    try:
        groups = pattern.search(text) if pattern else None
    except TimeoutError:
        return None  # an expression that takes this long finds nothing
    # The group may not be part of the match.
    return (groups[1] or "").strip() or None if groups else None
