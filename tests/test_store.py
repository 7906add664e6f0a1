"""The file that outlives a restart."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.store import CounterKey
from homeassistant.core import HomeAssistant
from simulator import Simulator

from .common import pass_time


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
