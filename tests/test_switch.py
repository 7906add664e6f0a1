"""The switch for the power of a module."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from homeassistant.const import (
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    EntityCategory,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from simulator import Box, Simulator

from .common import poll, settle, until

POWER = "switch.gsm_1_module_power"
BOTH_FIRMWARES = pytest.mark.parametrize(
    "gateway",
    [
        pytest.param({}, id="says “Power on” of a module that is off"),
        pytest.param({"box": Box.TODAY}, id="says “Power off”"),
    ],
    indirect=True,
)


@pytest.fixture(autouse=True)
def _fast_modules(gateway: Simulator) -> None:
    """Let the modules start and stop at once."""
    gateway.power_speed = 0


async def switch(hass: HomeAssistant, service: str, entity_id: str = POWER) -> None:
    """Switch the module of span 1 on or off."""
    await hass.services.async_call(
        "switch", service, {"entity_id": entity_id}, blocking=True
    )


def commands(gateway: Simulator) -> list[str]:
    """Return the commands to modules that the gateway was given."""
    return [command for command in gateway.commands if "gsm power" in command]


async def test_it_is_there_for_those_who_want_it(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Nobody switches it by accident: it is disabled by default."""
    registered = er.async_get(hass).async_get(POWER)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert registered.entity_category is EntityCategory.CONFIG
    assert registered.original_name == "Module power"


@BOTH_FIRMWARES
@pytest.mark.usefixtures("all_entities")
async def test_off_and_on(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What the span is doing is known at once; the switch stays as it was put."""
    assert hass.states.is_state(POWER, STATE_ON)

    await switch(hass, SERVICE_TURN_OFF)
    assert hass.states.is_state(POWER, STATE_OFF)
    assert not hass.states.is_state("sensor.gsm_1_status", "ready")
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_OFF)
    assert hass.states.is_state("switch.gsm_2_module_power", STATE_ON)

    await switch(hass, SERVICE_TURN_ON)
    assert hass.states.is_state(POWER, STATE_ON)
    assert hass.states.is_state("sensor.gsm_1_status", "ready")
    assert commands(gateway) == ["gsm power off 1", "gsm power on 1"]


@BOTH_FIRMWARES
@pytest.mark.usefixtures("all_entities")
async def test_what_is_so_already_is_not_done_again(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The gateway would refuse it, or disturb a module that works."""
    await switch(hass, SERVICE_TURN_ON)
    assert commands(gateway) == []

    await switch(hass, SERVICE_TURN_OFF)
    await switch(hass, SERVICE_TURN_OFF)
    assert commands(gateway) == ["gsm power off 1"]


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_is_down_counts_as_on(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Nothing says that it has no power; it can be switched on all the same."""
    gateway.spans[1].status = "Down"
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_ON)

    await switch(hass, SERVICE_TURN_ON)
    assert commands(gateway) == ["gsm power on 1"]


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_was_switched_on_elsewhere(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Is on, and stays on in whatever happens to it later."""
    await switch(hass, SERVICE_TURN_OFF)
    await gateway.spans[1].power_switch.on()
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_ON)

    gateway.spans[1].status = "Down"
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_ON)


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_was_switched_off_elsewhere(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Is off where the gateway tells it, and can be switched on."""
    gateway.spans[1].power = False
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_OFF)

    await switch(hass, SERVICE_TURN_ON)
    assert hass.states.is_state(POWER, STATE_ON)


@pytest.mark.usefixtures("all_entities")
async def test_off_outlives_a_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The gateway itself goes on to say "Power on"."""
    await switch(hass, SERVICE_TURN_OFF)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)

    assert hass.states.is_state(POWER, STATE_OFF)


@pytest.mark.usefixtures("all_entities")
@pytest.mark.parametrize(
    ("status", "state"),
    [("Down", STATE_OFF), ("Up", STATE_ON), ("No Signal", STATE_ON)],
)
async def test_off_outlives_a_restart(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    status: str,
    state: str,
) -> None:
    """Even where the gateway was away at the end; not a module that came to life."""
    gateway.spans[1].status = status
    stored: dict[str, Any] = {"switched_off": True}
    mock_restore_cache_with_extra_data(
        hass, [(State(POWER, STATE_UNAVAILABLE), stored)]
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert hass.states.is_state(POWER, state)


@BOTH_FIRMWARES
@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_cannot_be_switched(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Is told, and the switch stays where it was."""
    gateway.spans[1].power_fails = True
    with pytest.raises(HomeAssistantError, match="couldn't restart or switch"):
        await switch(hass, SERVICE_TURN_OFF)
    assert hass.states.is_state(POWER, STATE_ON)

    gateway.spans[1].power_fails = False
    await switch(hass, SERVICE_TURN_OFF)
    gateway.spans[1].power_fails = True
    with pytest.raises(HomeAssistantError, match="couldn't restart or switch"):
        await switch(hass, SERVICE_TURN_ON)
    assert hass.states.is_state(POWER, STATE_OFF)


@pytest.mark.usefixtures("all_entities")
async def test_one_after_another(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Who comes next sees what became of the command before."""
    gateway.power_speed = 0.005
    switching = [
        hass.async_create_task(switch(hass, service), eager_start=True)
        for service in (SERVICE_TURN_OFF, SERVICE_TURN_ON)
    ]
    for each in switching:
        await each

    assert commands(gateway) == ["gsm power off 1", "gsm power on 1"]
    assert hass.states.is_state(POWER, STATE_ON)


@pytest.mark.usefixtures("all_entities")
async def test_the_power_is_never_asked_for(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """`gsm power stat` hangs the span for good."""
    await switch(hass, SERVICE_TURN_OFF)
    await poll(hass, freezer)
    await switch(hass, SERVICE_TURN_ON)

    assert not any("stat" in command for command in commands(gateway))


@pytest.mark.usefixtures("all_entities")
async def test_a_span_that_appears_and_goes(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Its switch comes, and is unavailable then."""
    gateway.add_span(5)
    await poll(hass, freezer)
    assert hass.states.is_state("switch.gsm_5_module_power", STATE_ON)

    gateway.remove_span(5)
    await poll(hass, freezer)
    assert hass.states.is_state("switch.gsm_5_module_power", STATE_UNAVAILABLE)


@pytest.mark.usefixtures("all_entities")
async def test_a_gateway_that_is_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nothing can be switched."""
    await switch(hass, SERVICE_TURN_OFF)
    await gateway.stop()

    await until(lambda: hass.states.is_state(POWER, STATE_UNAVAILABLE))
