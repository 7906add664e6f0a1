"""What the tests with a real Asterisk share: Asterisk, and sessions with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from custom_components.openvox_gsm.ami import Credentials, Session

from .server import PASSWORD, Asterisk

type LogIn = Callable[..., Awaitable[Session]]


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that is about to happen."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture(scope="session")
def _one_asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """The Asterisk of all these tests; whatever happens, it ends with them."""
    asterisk = Asterisk(tmp_path_factory.mktemp("asterisk"))
    yield asterisk
    asterisk.stop()


@pytest.fixture
def asterisk(_one_asterisk: Asterisk, socket_enabled: None) -> Asterisk:
    """An Asterisk that runs; a test may end or hold it."""
    if not _one_asterisk.is_running:
        _one_asterisk.start()
    return _one_asterisk


@pytest.fixture
async def log_in(asterisk: Asterisk) -> AsyncIterator[LogIn]:
    """Open sessions, and close them in the end."""
    sessions: list[Session] = []

    async def connect(
        username: str = "admin",
        *,
        secret: str = PASSWORD,
        port: int | None = None,
        events: str = "off",
        subscribe: Callable[[Session], None] | None = None,
    ) -> Session:
        session = await Session.connect(
            asterisk.host,
            port or asterisk.port,
            Credentials(username, secret),
            events=events,
            subscribe=subscribe,
        )
        sessions.append(session)
        return session

    yield connect
    for session in sessions:
        await session.close()


@pytest.fixture
async def session(log_in: LogIn) -> Session:
    """A session of a user who may do all, without events."""
    return await log_in()
