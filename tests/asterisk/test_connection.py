"""A connection that is kept up through the ends and returns of a real Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from custom_components.openvox_gsm.ami import (
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ConnectionLostError,
    Credentials,
    PermissionDeniedError,
    session as session_module,
)
from custom_components.openvox_gsm.gateway import (
    Gateway,
    NotAnOpenVoxGatewayError,
    connection as connection_module,
)
from custom_components.openvox_gsm.gateway.connection import Connection

from .conftest import LogIn, until
from .driver import deliveries
from .server import PASSWORD, Asterisk
from .test_inbox import ALICE, Receiver

pytestmark = pytest.mark.asterisk


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the waits short; what Asterisk needs for itself stays as it is."""
    monkeypatch.setattr(connection_module, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(connection_module, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(session_module, "LOGOFF_TIMEOUT", 0.1)


class Client:
    """A connection, and what it told."""

    def __init__(self, asterisk: Asterisk) -> None:
        """Prepare it."""
        self.receiver = Receiver()
        self.changes: list[AmiError | None] = []
        self.version = ""
        self.connection = Connection(
            asterisk.host,
            asterisk.port,
            Credentials("stock", PASSWORD),
            subscribe=self.receiver.subscribe,
            prepare=self._prepare,
            on_change=self._changed,
        )

    async def _prepare(self) -> None:
        self.version = await self.connection.command("core show version")

    def _changed(self, error: AmiError | None) -> None:
        if error:
            self.receiver.inbox.connection_lost()
        self.changes.append(error)


@pytest.fixture
async def client(asterisk: Asterisk, hurry: None) -> AsyncIterator[Client]:
    """A connection that is up; nothing of it may be left in the end."""
    client = Client(asterisk)
    await client.connection.start()
    yield client
    await client.connection.stop()
    await no_session_is_left(asterisk)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def no_session_is_left(asterisk: Asterisk) -> None:
    """Wait until Asterisk knows of no session."""
    async with asyncio.timeout(5):
        while True:
            output = await asyncio.to_thread(asterisk.cli, "manager show connected")
            if output.endswith("\n0 users connected."):
                return
            await asyncio.sleep(0.05)


def stop_and_start(asterisk: Asterisk) -> None:
    """Restart it in order."""
    asterisk.stop()
    asterisk.start()


def kill_and_start(asterisk: Asterisk) -> None:
    """Start it again after it was killed."""
    asterisk.kill()
    # A Uniqueid is the second of a channel's birth and its number since the start:
    # within one second they are those of before.
    asterisk.start()


@pytest.mark.parametrize("restart", [stop_and_start, kill_and_start, Asterisk.restart])
async def test_a_restart_of_asterisk(
    asterisk: Asterisk,
    client: Client,
    log_in: LogIn,
    restart: Callable[[Asterisk], None],
) -> None:
    """Is told once each way; afterwards commands and SMS are as before."""
    sent = (2, ALICE, "open gate")
    driver = await log_in()
    assert await client.receiver.told_of(driver, deliveries(*sent)) == [sent]
    for _ in range(2):
        told_before = len(client.changes)
        restart(asterisk)
        await until(lambda: len(client.changes) >= told_before + 2)  # noqa: B023
        assert client.version.startswith("Asterisk ")
        assert await client.connection.command("core show version") == client.version
        driver = await log_in()
        assert await client.receiver.told_of(driver, deliveries(*sent)) == [sent]
    assert all(isinstance(lost, ConnectionLostError) for lost in client.changes[::2])
    assert client.changes[1::2] == [None, None]


async def test_while_asterisk_is_away(asterisk: Asterisk, client: Client) -> None:
    """Nothing is sent, and each command fails at once."""
    asterisk.kill()
    await until(lambda: client.changes)
    for _ in range(3):
        with pytest.raises(CannotConnectError):
            await client.connection.command("core show version")
        await asyncio.sleep(0.05)
    assert len(client.changes) == 1
    assert isinstance(client.connection.error, CannotConnectError)
    asterisk.start()
    await until(lambda: client.connection.is_up)
    assert client.changes[1:] == [None]


async def test_an_asterisk_that_hangs_for_a_while(
    asterisk: Asterisk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts as gone, until it goes on."""
    monkeypatch.setattr(session_module, "PING_INTERVAL", 0.02)
    monkeypatch.setattr(session_module, "PING_TIMEOUT", 0.5)
    monkeypatch.setattr(connection_module, "CONNECT_TIMEOUT", 0.5)
    # New ones, for those that are there have begun to wait.
    await client.connection.stop()
    client = Client(asterisk)
    await client.connection.start()
    asterisk.hold()
    try:
        await until(lambda: client.changes)
        assert isinstance(client.changes[0], ConnectionLostError)
        await asyncio.sleep(0.5)
        assert not client.connection.is_up
    finally:
        asterisk.go_on()
    await until(lambda: client.connection.is_up)
    assert client.changes[1:] == [None]
    await client.connection.stop()


async def test_commands_beside_a_slow_one(client: Client) -> None:
    """A session that is busy holds up none of the others."""
    slow = asyncio.create_task(
        client.connection.slow_list_action(
            "Originate",
            [
                ("Channel", "Local/unanswered@calls/n"),
                ("Application", "NoOp"),
                ("Timeout", "1000"),
            ],
            timeout=5,
        )
    )
    for _ in range(20):
        assert await client.connection.command("core show version") == client.version
    assert not slow.done()
    with pytest.raises(AmiError, match="Originate failed"):
        await slow


# What is no gateway


@pytest.mark.parametrize(
    ("username", "secret", "error"),
    [
        ("admin", PASSWORD, NotAnOpenVoxGatewayError),
        ("stock", PASSWORD, NotAnOpenVoxGatewayError),
        ("powerless", PASSWORD, PermissionDeniedError),
        ("admin", "hunter3", AuthenticationError),
    ],
)
async def test_an_asterisk_without_gsm_commands(
    asterisk: Asterisk, hurry: None, username: str, secret: str, error: type[AmiError]
) -> None:
    """Is refused as the gateway that it is not, and no session stays open."""
    gateway = Gateway(
        asterisk.host,
        asterisk.port,
        username,
        secret,
        on_part=lambda part: None,
        on_connection=lambda error: None,
    )
    with pytest.raises(error):
        await gateway.start()
    assert not gateway.is_connected
    await gateway.stop()
    await no_session_is_left(asterisk)
    assert asyncio.all_tasks() == {asyncio.current_task()}
