"""Whatever sends is tested with each box, in each framing of its answers."""

from collections.abc import AsyncIterator

import pytest

from simulator import Simulator

from tests.gateway.conftest import KINDS_OF_GATEWAY


@pytest.fixture(params=KINDS_OF_GATEWAY)
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A gateway with four spans; a test may give it other traits as its parameter."""
    async with Simulator(**({"spans": 4} | request.param)) as simulator:
        simulator.login_penalty = 0
        yield simulator
