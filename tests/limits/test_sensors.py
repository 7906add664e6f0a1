"""Sensors of how many SMS are left; for those of a SIM see test_sims.py as well."""

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import CONF_DAILY_LIMIT, CONF_HOURLY_LIMIT
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator import Simulator

from tests.common import PHONE, pass_time, poll, set_options, settle, until
from tests.limits.test_sims import limit
from tests.test_services import send

LONG = "All work and no play makes Jack a dull boy. " * 10  # three parts
HOUR, DAY = "sensor.openvox_sms_left_1_hour", "sensor.openvox_sms_left_24_hours"


def shown(hass: HomeAssistant, *entity_ids: str) -> list[str | None]:
    """Return the states of sensors, None for one that doesn't exist."""
    states = [hass.states.get(entity_id) for entity_id in entity_ids]
    return [state and state.state for state in states]


async def test_how_many_are_left(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """At once when something is sent, and at the minute when there's room again."""
    assert shown(hass, HOUR, DAY) == ["60", "500"]
    state = hass.states.get(HOUR)
    assert state
    assert state.attributes["state_class"] == "measurement"
    assert state.attributes["unit_of_measurement"] == "SMS"

    await send(hass, target=PHONE, message=LONG)
    await settle(hass)
    assert shown(hass, HOUR, DAY) == ["57", "497"]

    for _ in range(60):
        await pass_time(hass, freezer, 60)
    assert shown(hass, HOUR, DAY) == ["57", "497"]
    await pass_time(hass, freezer, 60)
    assert shown(hass, HOUR, DAY) == ["60", "497"]


async def test_a_limit_that_is_lowered(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """None are left, not less than none."""
    await send(hass, target=PHONE, message=LONG)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 2, CONF_DAILY_LIMIT: 3})

    assert shown(hass, HOUR, DAY) == ["0", "0"]


async def test_sensors_come_and_go_with_the_limits(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One that goes is removed from the registry, in a restart as well."""
    registry = er.async_get(hass)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 0, CONF_DAILY_LIMIT: 9})
    assert shown(hass, HOUR, DAY) == [None, "9"]
    assert not registry.async_get(HOUR)

    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 8, CONF_DAILY_LIMIT: 9})
    assert shown(hass, HOUR, DAY) == ["8", "9"]

    await hass.config_entries.async_unload(loaded.entry_id)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 8, CONF_DAILY_LIMIT: 0})
    await hass.config_entries.async_setup(loaded.entry_id)
    await settle(hass)
    assert shown(hass, HOUR, DAY) == ["8", None]
    assert not registry.async_get(DAY)


async def test_nothing_is_written_where_nothing_changes(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Not even for a message that is refused."""
    await limit(hass, loaded, 1, day=1)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    await send(hass, target=PHONE, span=1)
    await settle(hass)
    events = async_capture_events(hass, EVENT_STATE_CHANGED)

    for span in (1, 2):
        with pytest.raises(Exception, match="has reached its maximum"):
            await send(hass, target=PHONE, span=span)
    for _ in range(10):
        await poll(hass, freezer)

    assert [event for event in events if "left" in event.data["entity_id"]] == []


async def test_a_gateway_that_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """They are unavailable as all others are."""
    await gateway.stop()
    await until(lambda: shown(hass, HOUR, DAY) == 2 * [STATE_UNAVAILABLE])
