"""What the tests of calls share: a call that rings, and a client in a hurry."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from custom_components.openvox_gsm.gateway import Gateway, RingResult
from custom_components.openvox_gsm.gateway.calls import dialer as dialer_module
from simulator import CallOutcome, Simulator

from tests.common import PHONE
from tests.gateway.conftest import until

# A call that rings until something else than its time ends it.
RINGS_ON = (CallOutcome.NO_ANSWER, 60.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make seconds short."""
    monkeypatch.setattr(dialer_module, "_RING_SLACK", 0.1)
    monkeypatch.setattr(dialer_module, "_CHANNEL_TIMEOUT", 0.2)
    monkeypatch.setattr(dialer_module, "_HANG_UP_INTERVAL", 0.01)
    monkeypatch.setattr(dialer_module, "_STOP_TIMEOUT", 1.0)


@pytest.fixture
async def ringing(
    gateway: Simulator, client: Gateway
) -> AsyncIterator[asyncio.Task[RingResult]]:
    """A call that rings on span 2."""
    gateway.spans[2].call_outcomes.append(RINGS_ON)
    call = asyncio.create_task(client.calls.ring(PHONE, 60, span=2))
    await until(lambda: gateway.spans[2].call)
    yield call
    call.cancel()
    await asyncio.wait([call])
