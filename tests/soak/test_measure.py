"""What is held: what encrypts a connection is counted for as long as it is kept."""

import asyncio
from collections.abc import Iterator
import tracemalloc

import pytest

from custom_components.openvox_gsm.ami import (
    Credentials,
    Session,
    Tls,
    unverified_context,
)
from simulator import Simulator
from soak.measure import measure

from tests.certificates import certificate
from tests.common import until


@pytest.fixture(autouse=True)
def _traced() -> Iterator[None]:
    """Let Python note what is allocated."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("is_encrypted", [True, False])
async def test_encrypted_connections(is_encrypted: bool) -> None:
    """Both ends are in this process; afterwards there is none."""
    shown = certificate()
    tls = Tls(unverified_context(), shown.fingerprint) if is_encrypted else None
    before = measure()
    async with Simulator(tls=shown.server if is_encrypted else None) as gateway:
        session = await Session.connect(
            gateway.host,
            gateway.port,
            Credentials("admin", "admin"),
            tls=tls,
            timeout=5,
        )
        during = measure()
        await session.close()
        await until(lambda: gateway.connections == 0)
    del session
    await asyncio.sleep(0)  # what has just ended is held until then
    after = measure()
    assert during.encrypted - before.encrypted == (2 if is_encrypted else 0)
    assert during.sockets - before.sockets == 3
    assert (after.encrypted, after.sockets) == (before.encrypted, before.sockets)
