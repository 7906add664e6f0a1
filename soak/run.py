"""The course of a soak: what is run, measured and compared, in this order."""

import asyncio
from collections.abc import Iterable
import contextlib
from dataclasses import dataclass
import gc
from itertools import count
import logging
from pathlib import Path
import random
import tempfile
import tracemalloc

from custom_components.openvox_gsm.const import CONF_DAILY_LIMIT, DOMAIN
from custom_components.openvox_gsm.messages.history import HISTORIES
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from simulator import Box

from .books import Books, Ledger, Remembered, counts
from .faults import Faults
from .gateway import Gateway, GatewayError, running_gateway
from .home import IDLE_SECONDS, Tracebacks, add_entry, running_home
from .load import Load
from .measure import Holding, measure, places_that_grew

from tests.certificates import certificate

SPANS = 16
DEFAULT_MINUTES = 5.0
# Of each gateway:
PACKETS = 1_200_000
"""Foreign events in the default time; a part of them meets no connection."""
SMS_PER_SECOND = 15.0
"""Each way."""
USSD_PER_SECOND = 2.0
CALLS_PER_SECOND = 0.5
SECONDS_BETWEEN_FAULTS = 5.0
SMS_WITHIN_LIMIT, SMS_AT_LIMIT = 5, 12
"""How many SMS the daily limit still lets through, and how many are sent at once."""
DEAD_SECONDS = 4.0
"""How long it is silent, and then away, while the other one must go on."""
REST_SECONDS = 480.0
"""How long all but the random faults may take, about 60 s here, before it is given up."""
SETTLE_SECONDS = 60.0
"""How long the connections may take to come back when the faults are over."""

# How much more memory may be held in the end. Up to 600 KiB were while loaded, mostly in
# tables that had grown to their limits; once removed it was 60 KiB, in what Home
# Assistant remembers, and up to 1.7 MiB in all of Python. A gateway that is not forgotten
# takes 150 KiB, what encrypts a connection 256 KiB.
_BYTES_LOADED = 640 * 1024
_BYTES_REMOVED = 72 * 1024
_BYTES_OF_PYTHON = 2 * 1024 * 1024
# The daily limit of each gateway keeps how many SMS were sent in each minute.
_BYTES_PER_MINUTE = 2 * 200


@dataclass
class Result:
    """What a soak found."""

    lines: list[str]
    mistakes: list[str]


async def soak(seconds: float, seed: int, dialect: str) -> Result:
    """Run everything for some seconds, and compare."""
    tracebacks = Tracebacks()
    logging.getLogger().addHandler(tracebacks)
    tracemalloc.start()
    shown = certificate()
    try:
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "gateway.pem"
            pem.write_text(shown.pem + shown.key, "ascii")
            async with (
                running_gateway(SPANS, Box.OF_2013, dialect, None) as plain,
                running_gateway(SPANS, Box.TODAY, dialect, pem) as encrypted,
                running_home(folder) as hass,
            ):
                run = Run(hass, seed)
                run.add("plain", plain, None)
                run.add("encrypted", encrypted, shown.fingerprint)
                async with asyncio.timeout(seconds + REST_SECONDS):
                    result = await run.all(seconds)
    finally:
        tracemalloc.stop()
        logging.getLogger().removeHandler(tracebacks)
    result.mistakes += [f"Logged an exception: {line}" for line in tracebacks.lines]
    return result


@dataclass(frozen=True)
class Site:
    """A gateway with what goes through it and what goes wrong with it.

    `fingerprint` is that of its certificate, where it encrypts.
    """

    name: str
    gateway: Gateway
    fingerprint: str | None
    load: Load
    faults: Faults


class Run:
    """A soak of some gateways; everything is drawn from one seed.

    The same seed gives the same messages and the same faults in the same order.
    Their moments differ by what the machine does.
    """

    def __init__(self, hass: HomeAssistant, seed: int) -> None:
        """Begin without gateways."""
        self._hass = hass
        self._seed = seed
        self._books = Books()
        self._books.listen(hass)
        self._numbers = count(10_000_000)
        self._sites: list[Site] = []

    def add(self, name: str, gateway: Gateway, fingerprint: str | None) -> None:
        """Add a gateway; its name is the id of its entry."""
        load = Load(
            self._hass,
            name,
            gateway,
            SPANS,
            self._books.add(name),
            self._books.any_way,
            self._numbers,
            f"{self._seed} {name}",
            sms_per_second=SMS_PER_SECOND,
            ussd_per_second=USSD_PER_SECOND,
            calls_per_second=CALLS_PER_SECOND,
            packets_per_second=PACKETS / (60 * DEFAULT_MINUTES),
        )
        faults = Faults(
            self._hass,
            name,
            gateway,
            load,
            random.Random(f"{self._seed} {name} faults"),
            SECONDS_BETWEEN_FAULTS,
        )
        self._sites.append(Site(name, gateway, fingerprint, load, faults))

    async def all(self, seconds: float) -> Result:
        """Run everything, the part with random faults for some seconds, and compare."""
        # Once for what Python and Home Assistant load and keep.
        await self._set_up()
        await self._exchange(is_certain=True)
        removed_before = await self._remove()

        await self._set_up()
        await self._fill()
        await self._exchange(is_certain=True)
        loaded_before = await self._measure_loaded()

        beyond_limit = await self._meet_limits()
        await self._one_is_dead()
        await self._everything(seconds)

        kept = round(seconds / 60 * _BYTES_PER_MINUTE)
        await self._fill()
        # Some of what the network was to refuse may be left.
        await self._exchange(is_certain=False)
        loaded_after = await self._measure_loaded()
        remembered = {site.name: self._remembered(site.name) for site in self._sites}
        removed_after = await self._remove()

        ledgers = {
            site.name: Ledger.read(await site.gateway.do("ledger"))
            for site in self._sites
        }
        return Result(
            lines=[
                *self._books.summary(ledgers),
                *(
                    f"{site.name}: faults: {len(site.faults.done)}; "
                    f"{counts(site.faults.done)}"
                    for site in self._sites
                ),
                f"Loaded, before: {loaded_before}",
                f"Loaded, after:  {loaded_after}",
                f"Removed, before: {removed_before}",
                f"Removed, after:  {removed_after}",
            ],
            mistakes=[
                *self._books.disagreements(ledgers, remembered),
                *beyond_limit,
                *(
                    f"{site.name}: {mistake}"
                    for site in self._sites
                    for mistake in site.faults.mistakes
                ),
                *_growth("loaded", loaded_before, loaded_after, _BYTES_LOADED + kept),
                *_growth_of_python(loaded_before, loaded_after, kept),
                *_growth("removed", removed_before, removed_after, _BYTES_REMOVED),
            ],
        )

    async def _set_up(self) -> None:
        for site in self._sites:
            entry = add_entry(
                self._hass, site.name, site.gateway.port, SPANS, site.fingerprint
            )
            # With the first one the integration is set up, and whatever entry is there.
            if entry.state is ConfigEntryState.NOT_LOADED:
                await self._hass.config_entries.async_setup(site.name)
        await self._connected([site.name for site in self._sites])

    async def _remove(self) -> Holding:
        """Remove the entries; return what is held then."""
        for site in self._sites:
            await self._hass.config_entries.async_remove(site.name)
        await asyncio.sleep(1)
        return measure()

    async def _fill(self) -> None:
        """Let all that has a limit reach it, so that one time compares with another."""
        async with asyncio.TaskGroup() as group:
            for site in self._sites:
                group.create_task(site.load.fill())
        await _rest()

    async def _exchange(self, *, is_certain: bool) -> None:
        """Let one of each go through; with that, what is out of date is forgotten."""
        async with asyncio.TaskGroup() as group:
            for site in self._sites:
                group.create_task(site.load.exchange(is_certain=is_certain))
        await _rest()

    async def _measure_loaded(self) -> Holding:
        """Return what is held while all that keeps a span keeps it as it is now."""
        for site in self._sites:
            entry = self._hass.config_entries.async_get_entry(site.name)
            assert entry
            network = f"Network {next(self._numbers)}"
            for span in range(1, SPANS + 1):
                await site.gateway.do("operator", span=span, name=network)
            await entry.runtime_data.coordinator.async_refresh()
        return measure()

    def _remembered(self, name: str) -> Remembered:
        """Return the messages that are remembered of a gateway."""
        path = self._hass.config.path(".storage", f"{DOMAIN}.messages.{name}")
        history = self._hass.data[HISTORIES][name]
        return Remembered.read(path, len(history), history.limit)

    async def _meet_limits(self) -> list[str]:
        """Send more SMS at once than a daily limit allows; say where it did not hold."""
        mistakes = []
        for site in self._sites:
            entry = self._hass.config_entries.async_get_entry(site.name)
            assert entry
            options = dict(entry.options)
            used = sum(parts for _, parts in entry.runtime_data.store.budget.as_list())
            limit = {CONF_DAILY_LIMIT: used + SMS_WITHIN_LIMIT}
            self._hass.config_entries.async_update_entry(entry, options=options | limit)
            answers = await site.load.send_at_once(SMS_AT_LIMIT)
            self._hass.config_entries.async_update_entry(entry, options=options)
            beyond = SMS_AT_LIMIT - SMS_WITHIN_LIMIT
            if answers != {"sent": SMS_WITHIN_LIMIT, "failed": beyond}:
                mistakes.append(
                    f"{site.name}: of {SMS_AT_LIMIT} SMS where {SMS_WITHIN_LIMIT} were "
                    f"allowed, {counts(answers.elements())}"
                )
        return mistakes

    async def _one_is_dead(self) -> None:
        """Let all go through one gateway while the other is silent, or away."""
        for living, dead in (self._sites, self._sites[::-1]):
            async with asyncio.TaskGroup() as group:
                group.create_task(dead.faults.be_silent(DEAD_SECONDS))
                await living.load.run(DEAD_SECONDS, is_certain=True, uses_any=False)
            async with asyncio.TaskGroup() as group:
                group.create_task(dead.faults.be_away(DEAD_SECONDS))
                await asyncio.sleep(1)  # until it has been noticed
                await living.load.run(DEAD_SECONDS - 1, is_certain=True)
            await self._connected([dead.name])

    async def _everything(self, seconds: float) -> None:
        """Let all go through both, while both have faults of their own."""
        async with asyncio.TaskGroup() as group:
            for site in self._sites:
                group.create_task(site.load.run(seconds))
                group.create_task(site.faults.run(seconds))
        await self._connected([site.name for site in self._sites])
        await _rest()

    async def _connected(self, names: Iterable[str]) -> None:
        """Wait until entries work; a reload that failed is tried again at once."""

        def is_connected(name: str) -> bool:
            entry = self._hass.config_entries.async_get_entry(name)
            assert entry
            loaded = entry.state is ConfigEntryState.LOADED
            return loaded and entry.runtime_data.gateway.is_connected

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while not all(map(is_connected, names)):
                    await asyncio.sleep(0.1)
                return
        raise GatewayError(f"After {SETTLE_SECONDS:g} s there was no connection")


async def _rest() -> None:
    """Wait until idle sessions have ended."""
    await asyncio.sleep(IDLE_SECONDS + 1)
    gc.collect()


def _growth(when: str, before: Holding, after: Holding, allowed: int) -> list[str]:
    """Say what has grown that should not have, memory by more than `allowed` bytes."""
    grown = after.integration - before.integration
    mistakes = []
    if grown > allowed:
        mistakes.append(
            f"The memory of the integration, {when}, grew by {grown} bytes; "
            f"{allowed} are allowed for"
        )
        mistakes += places_that_grew(before, after)
    for name in ("tasks", "sockets", "encrypted"):
        begun, ended = getattr(before, name), getattr(after, name)
        if ended != begun:
            mistakes.append(f"{name}: {begun} before and {ended} after, {when}")
    if after.tasks != before.tasks:
        mistakes.append(f"The tasks are {after.task_names}")
    return mistakes


def _growth_of_python(before: Holding, after: Holding, kept: int) -> list[str]:
    """Say whether something of the integration grew in other people's code.

    Only while it is loaded: Home Assistant remembers what was removed.
    """
    allowed = _BYTES_OF_PYTHON + kept
    grown = after.python - before.python
    if grown <= allowed:
        return []
    return [f"All of Python grew by {grown} bytes; {allowed} are allowed for"]
