"""What the tests of a gateway's client share: a client that is in a hurry."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from custom_components.openvox_gsm.ami import AmiError, Session, session as ami_session
from custom_components.openvox_gsm.gateway import (
    Assembler,
    CallEvent,
    Gateway,
    IncomingSms,
    SendResult,
    StatusReport,
    connection as connection_module,
    spans as spans_module,
    ussd as ussd_module,
)
from custom_components.openvox_gsm.gateway.receiving import inbox as inbox_module
from custom_components.openvox_gsm.gateway.sending import part as part_module
from simulator import Box, Dialect, Simulator

PASSWORD = "admin"


@dataclass
class Heard:
    """What a client told."""

    sms: list[IncomingSms] = field(default_factory=list)
    assembler: Assembler = field(init=False)
    changes: list[AmiError | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Join the parts of long SMS."""
        call_later = asyncio.get_running_loop().call_later
        self.assembler = Assembler(self.sms.append, call_later)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that is about to happen."""
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.001)


async def expect_nothing_left(gateway: Simulator) -> None:
    """Check that neither a session nor a task of a client is left."""
    await until(lambda: not gateway.sessions)
    await gateway.stop()
    # What was cancelled a moment ago needs one more step.
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


KINDS_OF_GATEWAY = [
    pytest.param(
        {"dialect": dialect, "box": box, "sms_received": True},
        id=f"{box}-{dialect.value}",
    )
    for box in Box
    for dialect in Dialect  # 1.8 is what both are sold with
]


def kinds_of_gateway() -> pytest.MarkDecorator:
    """Run a test with each box, in each framing of its answers."""
    return pytest.mark.parametrize("gateway", KINDS_OF_GATEWAY, indirect=True)


def gateway_with(**traits: object) -> pytest.MarkDecorator:
    """Run a test with a gateway that is not the usual one."""
    return pytest.mark.parametrize("gateway", [traits], indirect=True, ids=[""])


@pytest.fixture
def hurry(gateway: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make seconds short, in the client and in the gateway."""
    gateway.retry_interval = 0.01
    gateway.timeout_scale = 0.02
    monkeypatch.setattr(ami_session, "LOGOFF_TIMEOUT", 0.1)
    monkeypatch.setattr(connection_module, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(connection_module, "LONGEST_WAIT", 0.04)
    monkeypatch.setattr(connection_module, "CONNECT_TIMEOUT", 1.0)
    monkeypatch.setattr(connection_module, "QUICK_TIMEOUT", 0.5)
    for module in (part_module, ussd_module):
        monkeypatch.setattr(module, "COMMAND_SLACK", 0.1)
        monkeypatch.setattr(module, "LATE_ANSWER_TIME", 0.15)
    for module in (part_module, spans_module):
        monkeypatch.setattr(module, "BUSY_INTERVAL", 0.01)
    monkeypatch.setattr(inbox_module, "MESSAGE_TIMEOUT", 0.1)
    monkeypatch.setattr(inbox_module, "SETTLE_TIME", 0.02)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Every session that gets logged in, in order."""
    sessions: list[Session] = []
    connect = Session.connect

    async def record(*args: object, **kwargs: object) -> Session:
        session = await connect(*args, **kwargs)  # type: ignore[arg-type]
        sessions.append(session)
        return session

    monkeypatch.setattr(Session, "connect", record)
    return sessions


@pytest.fixture
async def heard() -> Heard:
    """What the client tells."""
    return Heard()


@pytest.fixture
async def new_client(
    gateway: Simulator, hurry: None, heard: Heard
) -> AsyncIterator[Callable[..., Gateway]]:
    """Make clients of the gateway; afterwards nothing of them may be left."""
    clients: list[Gateway] = []

    def make(
        *,
        secret: str = PASSWORD,
        line_breaks: bool = False,
        on_call: Callable[[CallEvent], None] | None = None,
        on_attempt: Callable[[SendResult], None] | None = None,
        on_report: Callable[[StatusReport], None] | None = None,
        **more: Any,
    ) -> Gateway:
        clients.append(
            Gateway(
                gateway.host,
                gateway.port,
                "admin",
                secret,
                on_part=heard.assembler.add,
                on_connection=heard.changes.append,
                on_call=on_call,
                on_attempt=on_attempt,
                on_report=on_report,
                line_breaks=line_breaks,
                **more,
            )
        )
        return clients[-1]

    yield make
    heard.assembler.flush()
    gateway.faults.thaw()
    for client in clients:
        await client.stop()
        assert not client.is_connected
    await expect_nothing_left(gateway)
    # Whatever happened, no text was so long that the driver overran its buffer.
    assert gateway.overruns == []


@pytest.fixture
async def client(new_client: Callable[..., Gateway]) -> Gateway:
    """A client that is connected and has read the spans."""
    client = new_client()
    await client.start()
    await client.spans.read()
    return client
