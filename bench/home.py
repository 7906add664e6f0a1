"""Home Assistant's core, as its own start-up makes it, with entries of the integration.

Only what is not wanted here is left out: the web pages, mostly the recorder, and
whatever else is no part of the integration.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
import socket
import tempfile
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from custom_components.openvox_gsm.config_flow import OpenVoxConfigFlow
from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_HOURLY_LIMIT,
    DOMAIN,
)
from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntries,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.helpers.typing import ConfigType
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.setup import async_setup_component


@asynccontextmanager
async def running_home(
    database: Path | None = None,
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant's core in a folder that is thrown away.

    A recorder is part of it if there's a file for its database.
    """
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        loader.async_setup(hass)
        hass.config_entries = ConfigEntries(hass, {})
        hass.config.skip_pip = True
        await bootstrap.async_load_base_functionality(hass)
        hass.auth = await auth_manager_from_config(hass, [], [])
        # The web server comes along with notify; nobody else needs to reach it.
        web = {"server_host": "127.0.0.1", "server_port": _free_port()}
        config: ConfigType = {"http": web}
        if database:
            config["recorder"] = {"db_url": f"sqlite:///{database}"}
            async_initialize_recorder(hass)
        for domain in ("homeassistant", "persistent_notification", *config):
            assert await async_setup_component(hass, domain, config)
        await hass.async_start()
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def make_entry(
    domain: str,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    unique_id: str | None = None,
    version: int = 1,
) -> ConfigEntry:
    """Make an entry that has not been added yet."""
    return ConfigEntry(
        data=data,
        discovery_keys=MappingProxyType({}),
        domain=domain,
        minor_version=1,
        options=options,
        source=SOURCE_USER,
        subentries_data=None,
        title="Bench",
        unique_id=unique_id,
        version=version,
    )


def gateway_entry(port: int) -> ConfigEntry:
    """Make the entry of a gateway on this machine, which may send what it likes."""
    return make_entry(
        DOMAIN,
        {
            CONF_HOST: "127.0.0.1",
            CONF_PORT: port,
            CONF_USERNAME: "admin",
            CONF_PASSWORD: "admin",
        },
        {CONF_HOURLY_LIMIT: 0, CONF_DAILY_LIMIT: 0},
        version=OpenVoxConfigFlow.VERSION,  # so that nothing is migrated
    )


async def add_gateway(
    hass: HomeAssistant, port: int, *, all_entities: bool = False
) -> ConfigEntry:
    """Set up an entry, if wanted with the entities that are disabled by default too."""
    entry = gateway_entry(port)
    if all_entities:
        with patch(
            "homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True
        ):
            await hass.config_entries.async_add(entry)
            await hass.async_block_till_done()
    else:
        await hass.config_entries.async_add(entry)
        await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED, entry.reason
    return entry


def coordinator_of(entry: ConfigEntry) -> DataUpdateCoordinator[Any]:
    """Return the coordinator of a gateway, in version 0.1.0 as well."""
    runtime = entry.runtime_data
    coordinator: DataUpdateCoordinator[Any] = getattr(runtime, "coordinator", runtime)
    return coordinator
