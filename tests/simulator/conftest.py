"""Fixtures of the tests of the simulator."""

from collections.abc import AsyncIterator

import pytest

from simulator import Box, Dialect, Simulator

from .client import Client, connected


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Let tests use sockets on loopback, which Home Assistant's plugin forbids otherwise."""


def _in_a_hurry(sim: Simulator) -> Simulator:
    """Shorten what takes seconds on a real gateway."""
    sim.login_penalty = 0.0
    sim.power_speed = 0.001
    sim.retry_interval = 0.01
    sim.timeout_scale = 0.05
    sim.ring_delay = 0.01
    return sim


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Give a gateway with Asterisk 1.8 and chan_extra 2.0.8."""
    async with _in_a_hurry(Simulator(spans=3)) as gateway:
        yield gateway


@pytest.fixture
async def sim_14() -> AsyncIterator[Simulator]:
    """Give a gateway with Asterisk 14 or later."""
    async with _in_a_hurry(Simulator(spans=3, dialect=Dialect.ASTERISK_14)) as gateway:
        yield gateway


@pytest.fixture
async def today() -> AsyncIterator[Simulator]:
    """Give a box of today whose switch "SMS Received" is on."""
    box = Simulator(spans=3, box=Box.TODAY, sms_received=True)
    async with _in_a_hurry(box) as gateway:
        yield gateway


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Client]:
    """Give a client that is logged in and sees no events."""
    async with connected(sim) as session:
        yield session


@pytest.fixture
async def watcher(sim: Simulator) -> AsyncIterator[Client]:
    """Give a client that is logged in and sees all events."""
    async with connected(sim, events="on") as session:
        yield session
