"""A house with a gateway, in which things go wrong, and the accounts of all that happens."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
import logging
from pathlib import Path
import re
from typing import Any

import freezegun.api
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    DOMAIN,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from simulator import Simulator

from .table import Row

from tests.common import OTHER_PHONE, PHONE, entity_states, settle

# asyncio holds a timer for not due yet at its very second.
_SECOND = 1.0001
# Any forty characters of a text hold one of its pieces whole.
_PIECE = 20
PACKAGE = "custom_components.openvox_gsm"
LOST = (
    r"Error (?:fetching|requesting) OpenVox data: .+",
    "Fetching OpenVox data recovered",
)
"""What the log says when a gateway goes, and when it is back."""


@dataclass(eq=False)
class Sending:
    """A message on its way out."""

    text: str
    task: asyncio.Task[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        """What the action answered."""
        return self.task.result()


@dataclass(eq=False)
class Sockets:
    """The sockets that the integration opened."""

    opened: list[asyncio.BaseTransport] = field(default_factory=list)
    before: set[str] = field(default_factory=lambda: Sockets.of_this_process())

    @staticmethod
    def of_this_process() -> set[str]:
        """Return all sockets of this process, however they came to be."""
        links = set()
        for link in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # the one that lists the folder
                links.add(str(link.readlink()))
        return {link for link in links if link.startswith("socket:")}

    @property
    def open(self) -> int:
        """How many of the sessions' sockets are not closed."""
        return sum(
            transport.get_extra_info("socket").fileno() >= 0
            for transport in self.opened
        )


@dataclass(eq=False)
class Threads:
    """What Home Assistant has given to threads, such as reading a file."""

    jobs: list[asyncio.Future[Any]] = field(default_factory=list)

    @property
    def at_work(self) -> bool:
        """Whether some of it is not done."""
        self.jobs = [job for job in self.jobs if not job.done()]
        return bool(self.jobs)


class House:
    """Home Assistant with one gateway or two, in which time passes when a test says so.

    `close` checks what holds whatever happened: nothing was sent twice, nothing
    that the gateway delivered is lost or there twice, neither a task nor a socket
    is left, and the log says what it should, and no more.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        gateway: Simulator,
        other: Simulator,
        entry: MockConfigEntry,
        caplog: pytest.LogCaptureFixture,
        sockets: Sockets,
        threads: Threads,
        row: Row | None,
        freezer: FrozenDateTimeFactory | None,
    ) -> None:
        """Listen from the beginning; nothing is set up."""
        self.hass = hass
        self.gateways = [gateway]
        self.other = other
        self.entries = [entry]
        #: What the log must say, line by line, as regular expressions.
        self.log: list[str] = []
        #: The texts that a gateway delivered to somebody who listened.
        self.delivered: list[str] = []
        self.received: list[Event[Any]] = async_capture_events(hass, EVENT_SMS_RECEIVED)
        self.told: list[Event[Any]] = async_capture_events(hass, EVENT_SMS_SENT)
        self.sent: list[Sending] = []
        self._caplog = caplog
        self.sockets = sockets
        self._threads = threads
        self._row = row
        self._freezer = freezer
        self._tasks = asyncio.all_tasks()
        self._measured: set[str] = set()
        self._actions: list[asyncio.Task[Any]] = []
        self._count = 0
        self._is_closed = False

    @property
    def gateway(self) -> Simulator:
        """The (first) gateway."""
        return self.gateways[0]

    @property
    def entry(self) -> MockConfigEntry:
        """The entry of the (first) gateway."""
        return self.entries[0]

    # Time

    async def until(self, condition: Callable[[], object]) -> int:
        """Let time pass until a condition holds; return how many seconds passed.

        A second passes only when nothing is left to do.
        """
        passed = 0
        while not await self._comes_true(condition):
            if passed > 1000:
                raise TimeoutError
            assert self._freezer
            self._freezer.tick(_SECOND)
            passed += 1
        return passed

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, and all that it sets off be done."""
        assert self._freezer
        await self.rest()
        for _ in range(round(seconds)):
            self._freezer.tick(_SECOND)
            await self.rest()

    async def stay_away(self) -> None:
        """Let the gateway be away for so long that attempts are as rare as they get.

        The last one has just failed.
        """
        assert not self.is_normal
        await self.pass_time(200)
        gateway = self.entry.runtime_data.gateway
        error = gateway.connection_error
        await self.until(lambda: gateway.connection_error is not error)
        assert not self.is_normal

    async def rest(self) -> None:
        """Let all be done that can be done without time passing."""
        await self._comes_true(lambda: False)

    async def _comes_true(self, condition: Callable[[], object]) -> bool:
        """Run until a condition holds, or nothing is left to do.

        Client and gateway share the loop. What calls itself again is the first of
        its round, so all that is ready beside it shows.
        """
        ready = self.hass.loop._ready  # type: ignore[attr-defined] # noqa: SLF001
        deadline = freezegun.api.real_monotonic() + 20
        idle = 0
        while idle < 5:
            if condition():
                return True
            await asyncio.sleep(0)
            idle = 0 if ready or self._threads.at_work else idle + 1
            assert freezegun.api.real_monotonic() < deadline, "It never comes to rest"
        return bool(condition())

    async def notices(self, condition: Callable[[], object] | None = None) -> None:
        """Wait until the fault shows; not longer than the table says."""
        seconds = await self.until(condition or (lambda: not self.is_connected))
        self._measure("noticed", seconds)

    async def recovers(self, condition: Callable[[], object] | None = None) -> None:
        """Wait until all is normal again; not longer than the table says."""
        seconds = await self.until(condition or (lambda: self.is_normal))
        self._measure("normal", seconds)

    def _measure(self, what: str, seconds: float) -> None:
        self._measured.add(what)
        limit = getattr(self._row, what)
        assert limit is not None
        assert seconds <= limit, f"{what} after {seconds:g} s"

    # What one sees

    @property
    def is_connected(self) -> bool:
        """Whether Home Assistant shows the gateway as connected."""
        return self.hass.states.is_state("binary_sensor.openvox_connectivity", STATE_ON)

    @property
    def is_normal(self) -> bool:
        """Whether the gateway is connected, all is available, and nothing to repair."""
        return self.is_connected and not self.unavailable and not self.issues

    @property
    def issues(self) -> set[str]:
        """The repairs that Home Assistant shows."""
        return {
            issue.translation_key or ""
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN and issue.active
        }

    @property
    def unavailable(self) -> set[str]:
        """The entities of the first gateway that are unavailable."""
        return {
            entity_id
            for entity_id, state in entity_states(self.hass, self.entry).items()
            if state == STATE_UNAVAILABLE
        }

    @property
    def texts(self) -> list[str]:
        """The texts that came in, as automations saw them."""
        return [event.data["message"] for event in self.received]

    def texts_include(self, text: str) -> bool:
        """Whether a text came in."""
        return text in self.texts

    @property
    def _records(self) -> list[logging.LogRecord]:
        """All that was logged."""
        return [
            record
            for phase in ("setup", "call", "teardown")
            for record in self._caplog.get_records(phase)
        ]

    @property
    def said(self) -> str:
        """All that was logged, as text."""
        return "\n".join(record.getMessage() for record in self._records)

    # What one does

    async def set_up(self, *, works: bool = True) -> None:
        """Set up the (first) gateway."""
        if not self.hass.config_entries.async_get_entry(self.entry.entry_id):
            self.entry.add_to_hass(self.hass)
        await self.do(self.hass.config_entries.async_setup(self.entry.entry_id))
        await settle(self.hass)
        assert (self.entry.state is ConfigEntryState.LOADED) is works

    async def set_up_other(self) -> None:
        """Set up a second gateway."""
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Other",
            data={**self.entry.data, "port": self.other.port},
        )
        self.gateways.append(self.other)
        self.entries.append(entry)
        entry.add_to_hass(self.hass)
        assert await self.do(self.hass.config_entries.async_setup(entry.entry_id))
        await settle(self.hass)

    async def do[Result](self, deed: Coroutine[Any, Any, Result]) -> Result:
        """Do something to its end, letting time pass where it needs any."""
        task = self.hass.loop.create_task(deed)
        await self.until(task.done)
        return task.result()

    def new_text(self, parts: int = 1) -> str:
        """Return a text that there was not before, of which all parts differ."""
        self._count += 1
        return f"{self._count}: " + " ".join(
            f"{self._count}.{word}" for word in range(6 if parts == 1 else 25 * parts)
        )

    def send(
        self, span: int | None = None, *, parts: int = 1, number: str = PHONE
    ) -> Sending:
        """Send a message with the action, as a script does."""
        text = self.new_text(parts)
        target = {"span": span, "config_entry_id": self.entry.entry_id} if span else {}
        call = self.hass.services.async_call(
            "notify",
            "send_sms",
            {"target": [number], "message": text, **target},
            blocking=True,
            return_response=True,
        )

        async def send() -> dict[str, Any]:
            response: Any = await call
            message: dict[str, Any] = response["messages"][0]
            return message

        sending = Sending(text, self.hass.async_create_task(send()))
        self.sent.append(sending)
        self._actions.append(sending.task)
        return sending

    async def ask_ussd(self, code: str = "*100#") -> Any:
        """Send a USSD code with the action."""
        return await self.hass.services.async_call(
            "openvox",
            "send_ussd",
            {"code": code, "span": 1, "config_entry_id": self.entry.entry_id},
            blocking=True,
            return_response=True,
        )

    def ask_and_forget(self) -> None:
        """Send a USSD code with the action, whatever becomes of it."""

        async def ask() -> None:
            with suppress(HomeAssistantError):
                await self.ask_ussd()

        self._actions.append(self.hass.async_create_task(ask()))

    def let_sleep(self, seconds: float, *, timers_too: bool = True) -> None:
        """Let the computer sleep: the clocks jump, and nothing happens meanwhile.

        On Linux the one that asyncio takes its timers from stands still.
        """
        assert self._freezer
        if not timers_too:
            loop, loop_time = self.hass.loop, self.hass.loop.time
            loop.time = lambda: loop_time() - seconds  # type: ignore[method-assign]
        self._freezer.tick(seconds)

    async def receive(self, gateway: Simulator | None = None) -> str:
        """Let an SMS come in that somebody listens for; returns its text."""
        text = self.new_text()
        self.delivered.append(text)
        await (gateway or self.gateway).receive_sms(1, OTHER_PHONE, text)
        await self.rest()
        return text

    # The accounts

    async def prove_normal(self) -> None:
        """Send and receive: all must be as if nothing had happened."""
        for gateway in self.gateways:
            if gateway.faults.refuse:
                continue
            text = await self.receive(gateway)
            await self.until(partial(self.texts_include, text))
        sending = self.send()
        await self.until(sending.task.done)
        assert sending.result["status"] == "sent"
        assert not self.unavailable

    async def close(self) -> None:
        """Unload what is loaded, and check that all accounts are in order; once."""
        if self._is_closed:
            return
        self._is_closed = True
        for entry in self.entries if self.hass.is_running else ():
            if entry.state in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY):
                assert await self.do(
                    self.hass.config_entries.async_unload(entry.entry_id)
                )
        await self.check_nothing_left()
        self.check_sent()
        self.check_received()
        self.check_log()
        for what in ("noticed", "normal"):
            if self._row and getattr(self._row, what) is not None:
                assert what in self._measured, f"the table's {what} was not measured"

    def check_disconnected(self) -> None:
        """No session of the (first) gateway is left, and nobody is about to open one."""
        names = [task.get_name() for task in asyncio.all_tasks()]
        ports = str(self.gateway.port)
        assert not [name for name in names if name.endswith(ports)]
        assert not [
            transport
            for transport in self.sockets.opened
            if transport.get_extra_info("peername")[1] == self.gateway.port
            and transport.get_extra_info("socket").fileno() >= 0
        ]

    async def clear_up(self) -> None:
        """End what a test that failed has left: Home Assistant would wait for it forever."""
        await self._stop_gateways()
        left = self._tasks_left
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _stop_gateways(self) -> None:
        for gateway in (self.gateway, self.other):
            gateway.faults.thaw()
            await gateway.stop()

    async def check_nothing_left(self) -> None:
        """Neither a task nor a socket, once nothing is set up any more."""
        await self.until(lambda: all(each.done() for each in self._actions))
        await self.rest()
        assert self.sockets.open == 0
        await self._stop_gateways()
        await self.rest()
        assert not self._tasks_left
        assert not Sockets.of_this_process() - self.sockets.before

    @property
    def _tasks_left(self) -> set[asyncio.Task[Any]]:
        """What was begun since the beginning, and has not ended."""
        current = asyncio.current_task()
        return {
            task for task in asyncio.all_tasks() - self._tasks if task is not current
        }

    def check_sent(self) -> None:
        """Nothing was sent twice, and no outcome was wrong."""
        parts = Counter(
            (part.number, part.text)
            for gateway in self.gateways
            for part in gateway.sent_parts
        )
        assert set(parts.values()) <= {1}
        whole = Counter(sms.text for gateway in self.gateways for sms in gateway.sent)
        answered = [
            each
            for each in self.sent
            if not each.task.cancelled() and not each.task.exception()
        ]
        for sending in answered:
            match sending.result["status"]:
                case "sent":
                    assert whole[sending.text] == 1
                case "failed":
                    assert whole[sending.text] == 0
        if self.hass.is_running:
            assert len(self.told) == len(self.sent)

    def check_received(self) -> None:
        """Each message once that a gateway delivered to somebody, and no other."""
        assert Counter(self.texts) == Counter(self.delivered)

    @property
    def _secrets(self) -> list[str]:
        """Numbers, and of each text pieces that show in whatever parts it was cut."""
        texts = [*self.texts, *self.delivered, *(each.text for each in self.sent)]
        return [
            *(number.lstrip("+") for number in (PHONE, OTHER_PHONE)),
            *(
                text[at : at + _PIECE]
                for text in texts
                for at in range(0, len(text) - _PIECE + 1, _PIECE)
            ),
        ]

    def check_log(self) -> None:
        """One line each way; never a number, nor a text."""
        records = self._records
        ours = [
            record
            for record in records
            if record.name.startswith((PACKAGE, "homeassistant.config_entries"))
        ]
        lines = [record.getMessage() for record in ours if _is_seen(record)]
        assert len(lines) == len(self.log), lines
        for line, pattern in zip(lines, self.log, strict=True):
            assert re.fullmatch(pattern, line), (line, pattern)
        said = "\n".join(record.getMessage() for record in ours)
        for secret in self._secrets:
            assert secret not in said, "The log tells a number or a text"
        others = [
            record.getMessage()
            for record in records
            if record not in ours and record.levelno >= logging.ERROR
        ]
        assert others == []


def _is_seen(record: logging.LogRecord) -> bool:
    """Return whether a person may be meant to read this.

    Home Assistant logs each attempt to set an entry up, but shows only warnings.
    """
    is_own = not record.pathname.endswith("config_entries.py")
    return record.levelno >= (logging.INFO if is_own else logging.WARNING)
