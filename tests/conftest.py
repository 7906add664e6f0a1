"""What the tests share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
import logging
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant
from simulator import Simulator

from .certificates import certificate


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Let the tests talk to the simulator over loopback."""


class _Errors(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None]:
    """Notice the exceptions that Home Assistant catches, and only writes to the log."""
    if "hass" not in item.fixturenames or item.get_closest_marker("logs_exceptions"):
        return (yield)
    errors = _Errors()
    # Not `caplog`: that logs everything, which takes time.
    logging.getLogger().addHandler(errors)
    try:
        result = yield
    finally:
        logging.getLogger().removeHandler(errors)
    for record in errors.records:
        # In some, what was raised is a part of the message.
        text = record.getMessage()
        assert not record.exc_info and "Traceback (" not in text, text
    return result


@pytest.fixture
async def skip(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass at once; ask for it before the client."""
    loop = asyncio.get_running_loop()
    real, skipped = loop.time, 0.0

    def let_pass(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + skipped)
    return let_pass


@pytest.fixture
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A gateway with four spans; a test may give it other traits as its parameter."""
    async with Simulator(**({"spans": 4} | getattr(request, "param", {}))) as simulator:
        simulator.login_penalty = 0
        yield simulator


@pytest.fixture
def entry(gateway: Simulator) -> MockConfigEntry:
    """The config entry of the gateway, not set up yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OpenVox",
        version=2,
        data={
            CONF_HOST: gateway.host,
            CONF_PORT: gateway.port,
            CONF_USERNAME: "admin",
            CONF_PASSWORD: "admin",
        },
    )


@pytest.fixture
def all_entities() -> Iterator[None]:
    """Enable the entities that are disabled by default, too."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
    ):
        yield


@pytest.fixture
async def loaded(
    hass: HomeAssistant, enable_custom_integrations: None, entry: MockConfigEntry
) -> MockConfigEntry:
    """The config entry of the gateway, set up in a running Home Assistant."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
async def other() -> AsyncIterator[Simulator]:
    """A second gateway, with one span."""
    async with Simulator(spans=1) as simulator:
        yield simulator


@pytest.fixture
async def other_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry, other: Simulator
) -> AsyncIterator[MockConfigEntry]:
    """The config entry of the second gateway, set up beside the first."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Other",
        version=2,
        data={
            CONF_HOST: other.host,
            CONF_PORT: other.port,
            CONF_USERNAME: "admin",
            CONF_PASSWORD: "admin",
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry
    if hass.config_entries.async_get_entry(entry.entry_id):
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def encrypted() -> AsyncIterator[Simulator]:
    """A gateway with TLS and a certificate that it made itself."""
    async with Simulator(spans=1, tls=certificate().server) as simulator:
        yield simulator
