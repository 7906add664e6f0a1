"""How the gateways are, on the system health page."""

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from simulator import Simulator

from .common import poll, until
from .test_translations import TEXTS

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


async def test_system_health(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """All and those that work; each line has its text."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    gateway.spans[4].status = "Undetected SIM Card"
    await poll(hass, freezer)

    info = await get_system_health_info(hass, DOMAIN)

    assert info == {
        "gateways": 1,
        "gateways_connected": 1,
        "spans": 4,
        "spans_ready": 3,
    }
    assert TEXTS["system_health"]["info"].keys() == info.keys()


async def test_a_gateway_that_is_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its spans are as good as away, too; one that is not loaded counts as one."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    await gateway.stop()
    await until(lambda: not loaded.runtime_data.gateway.is_connected)

    assert await get_system_health_info(hass, DOMAIN) == {
        "gateways": 1,
        "gateways_connected": 0,
        "spans": 4,
        "spans_ready": 0,
    }

    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert await get_system_health_info(hass, DOMAIN) == {
        "gateways": 1,
        "gateways_connected": 0,
        "spans": 0,
        "spans_ready": 0,
    }


async def test_what_does_not_count(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Gateways that are disabled, or that a user doesn't want to add."""
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE).add_to_hass(hass)
    MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER).add_to_hass(
        hass
    )
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()

    info = await get_system_health_info(hass, DOMAIN)
    assert (info["gateways"], info["gateways_connected"]) == (1, 1)
