"""What the tests of faults share: a house whose accounts are checked in the end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.ami import Session
from homeassistant.core import HomeAssistant
from simulator import Simulator

from .house import House, Sockets, Threads
from .table import read_rows


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    """The sockets that the integration opens from now on."""
    sockets = Sockets()
    connection_made = Session.connection_made

    def keep(session: Session, transport: asyncio.BaseTransport) -> None:
        sockets.opened.append(transport)
        connection_made(session, transport)

    monkeypatch.setattr(Session, "connection_made", keep)
    return sockets


@pytest.fixture
def threads(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Threads:
    """What Home Assistant gives to threads from now on."""
    threads = Threads()
    run_in_executor = hass.loop.run_in_executor

    def keep(*args: Any) -> asyncio.Future[Any]:
        job = run_in_executor(*args)
        threads.jobs.append(job)
        return job

    monkeypatch.setattr(hass.loop, "run_in_executor", keep)
    return threads


@pytest.fixture
def worst_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait before an attempt to connect be as long as it may be."""
    monkeypatch.setattr("random.uniform", lambda _least, most: most)


@pytest.fixture
def frozen(request: pytest.FixtureRequest) -> Iterator[FrozenDateTimeFactory | None]:
    """The clock, which stands still unless a test is marked with `real_time`."""
    if request.node.get_closest_marker("real_time"):
        yield None
    else:
        freezer: FrozenDateTimeFactory = request.getfixturevalue("freezer")
        # So that sums of seconds are exact.
        freezer.move_to("2026-11-24 12:00:00")
        yield freezer


@pytest.fixture
async def house(
    request: pytest.FixtureRequest,
    sockets: Sockets,
    threads: Threads,
    frozen: FrozenDateTimeFactory | None,
    hass: HomeAssistant,
    enable_custom_integrations: None,
    worst_luck: None,
    gateway: Simulator,
    other: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[House]:
    """A house with a gateway that is not set up yet; its accounts are checked in the end."""
    # It takes half of the time, and finds nothing that is not looked for here.
    hass.loop.set_debug(False)
    name = request.node.originalname
    row = next((row for row in read_rows() if row.test == name), None)
    house = House(hass, gateway, other, entry, caplog, sockets, threads, row, frozen)
    yield house
    try:
        await house.close()
    finally:
        await house.clear_up()
