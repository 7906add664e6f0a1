"""Home Assistant's core with entries of the integration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import logging
import socket
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_FINGERPRINT,
    CONF_HOURLY_LIMIT,
    CONF_MESSAGES_KEPT,
    CONF_TLS,
    DOMAIN,
)
from custom_components.openvox_gsm.gateway import (
    connection as connection_module,
    spans as spans_module,
)
from custom_components.openvox_gsm.gateway.receiving import (
    repetitions as repetitions_module,
)
from custom_components.openvox_gsm.gateway.sending import reports as reports_module
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component

from .gateway import SECRET

POWER = "switch.{}_{}_power"
RELOAD_MODULE = "button.{}_{}_reload_module"
"""Entities of a gateway's span, by the id of its entry and its number."""

_MESSAGES_KEPT = 170

# Times that would need hours to show what they do. With these a fault costs seconds,
# and as much is remembered before the load as after it.
IDLE_SECONDS = 1.0
STUCK_SECONDS = 15.0
"""A module that works needs less for any SMS here."""
_HURRY = (
    (connection_module, "FIRST_WAIT", 0.1),
    (connection_module, "LONGEST_WAIT", 1.0),
    (connection_module, "IDLE_TIME", IDLE_SECONDS),
    (spans_module, "STUCK_AFTER", STUCK_SECONDS),
    (repetitions_module, "MAX_REMEMBERED", 100),
    (reports_module, "MAX_MESSAGES", 50),
)


class Tracebacks(logging.Handler):
    """Keeps what was logged with a traceback: nobody expected that."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if record.exc_info:
            self.lines.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


@asynccontextmanager
async def running_home(folder: str) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant's core, with the integration in a hurry."""
    for module, name, value in _HURRY:
        assert hasattr(module, name), name
        patch.object(module, name, value).start()
    try:
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS)
            # The web server comes along with notify; nobody needs to reach it.
            web = {"server_host": "127.0.0.1", "server_port": _free_port()}
            assert await async_setup_component(hass, "http", {"http": web})
            # Who does not confirm a new port gets a restart five minutes later.
            await (await async_get_and_load_store(hass)).async_promote_pending()
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)
    finally:
        patch.stopall()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def add_entry(
    hass: HomeAssistant, name: str, port: int, spans: int, fingerprint: str | None
) -> MockConfigEntry:
    """Add the entry of a gateway on this machine, which may send what it likes.

    The name is its id as well. With the fingerprint of a certificate it encrypts,
    and takes that certificate alone.
    """
    tls = {CONF_TLS: True, CONF_FINGERPRINT: fingerprint} if fingerprint else {}
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=name,
        unique_id=mac_of(name),
        title=name,
        data={
            CONF_HOST: "127.0.0.1",
            CONF_PORT: port,
            CONF_USERNAME: "admin",
            CONF_PASSWORD: SECRET,
            **tls,
        },
        options={
            CONF_HOURLY_LIMIT: 0,
            CONF_DAILY_LIMIT: 0,
            CONF_MESSAGES_KEPT: _MESSAGES_KEPT,
        },
        version=2,
    )
    entry.add_to_hass(hass)
    _enable_entities(hass, entry, spans)
    return entry


def mac_of(name: str) -> str:
    """Give the MAC address of a gateway."""
    return f"a0:98:05:00:00:{len(name):02x}"


def _enable_entities(hass: HomeAssistant, entry: MockConfigEntry, spans: int) -> None:
    """Let the entities that start modules be there, which are disabled at first."""
    registry = er.async_get(hass)
    for span in range(1, spans + 1):
        for entity_id in (POWER, RELOAD_MODULE):
            domain, _, object_id = entity_id.format(entry.entry_id, span).partition(".")
            registry.async_get_or_create(
                Platform(domain),
                DOMAIN,
                object_id,
                suggested_object_id=object_id,
                config_entry=entry,
            )
