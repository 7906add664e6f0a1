"""What a gateway remembers over a restart."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.store import STORES, CounterKey
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from simulator import Simulator

from .common import pass_time, settle


async def test_an_sms_ends_after_its_gateway_was_removed(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The file stays deleted."""
    store, key = loaded.runtime_data.store, f"{DOMAIN}.{loaded.entry_id}"
    await pass_time(hass, freezer, 1)
    assert key in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)

    store.count(1, CounterKey.SENT, 1)
    await pass_time(hass, freezer, 1)

    assert key not in hass_storage


async def ask(hass: HomeAssistant) -> Any:
    """Send a USSD code."""
    return await hass.services.async_call(
        "openvox",
        "send_ussd",
        {"code": "*100#", "timeout": 20},
        blocking=True,
        return_response=True,
    )


async def test_how_a_firmware_counts_outlives_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Only the first USSD request is lost."""
    for number in (2, 3, 4):
        gateway.remove_span(number)
    gateway.ussd_in_milliseconds = True
    gateway.spans[1].ussd_duration = 0.1
    gateway.spans[1].ussd["*100#"] = "12.50"
    await loaded.runtime_data.coordinator.async_refresh()
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass)
    assert error.value.translation_key == "ussd_timed_out"

    assert await hass.config_entries.async_unload(loaded.entry_id)
    await settle(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await settle(hass)
    hass.data[STORES].clear()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await settle(hass)

    assert (await ask(hass))["message"] == "12.50"
    limits = [
        command.split()[-1]
        for command in gateway.commands
        if command.startswith("gsm send ussd")
    ]
    assert limits == ["20", "20000"]
