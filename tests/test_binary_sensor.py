"""Whether the gateway can be reached."""

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator import Simulator

from .common import entity_states, settle, until, until_later

CONNECTED = "binary_sensor.openvox_connectivity"


async def test_the_gateway_goes_and_comes_back(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """This entity tells; others are unavailable meanwhile.

    What has happened stays true: events, and when the last SMS came.
    """
    state = hass.states.get(CONNECTED)
    assert state
    assert state.state == STATE_ON
    assert state.attributes == {
        "device_class": "connectivity",
        "friendly_name": "OpenVox Connectivity",
    }

    await gateway.stop()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    states = entity_states(hass, loaded)
    assert states.pop(CONNECTED) == STATE_OFF
    assert {
        state
        for entity, state in states.items()
        if not entity.startswith("event.") and not entity.endswith("_last_sms")
    } == {STATE_UNAVAILABLE}

    await gateway.start()
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await settle(hass)
    assert STATE_UNAVAILABLE not in entity_states(hass, loaded).values()


async def test_a_poll_that_ends_just_after_the_connection(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It has read all it wanted, but the gateway is away."""
    coordinator = loaded.runtime_data.coordinator
    await gateway.stop()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))

    coordinator.async_set_updated_data(coordinator.data)

    assert coordinator.last_update_success
    assert hass.states.is_state(CONNECTED, STATE_OFF)


async def test_a_gateway_that_is_connected_but_tells_nothing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Of no use is as good as away."""
    silent = gateway.faults.silent_commands
    silent.add("gsm show span")
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_OFF))

    silent.clear()
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))


async def test_it_is_a_diagnostic_entity(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It tells about the gateway, not what the gateway is for."""
    registered = er.async_get(hass).async_get(CONNECTED)
    assert registered
    assert registered.entity_category is EntityCategory.DIAGNOSTIC
