"""The switch for the power of a module."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import (
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    EntityCategory,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from simulator import Box, Simulator

from .common import PHONE, pass_time, poll, settle, until

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
    assert hass.states.is_state("sensor.gsm_1_status", "power_off")
    for unknown in ("signal_strength", "operator", "network_status"):
        assert hass.states.is_state(f"sensor.gsm_1_{unknown}", "unknown")
    await poll(hass, freezer)
    assert hass.states.is_state(POWER, STATE_OFF)
    assert hass.states.is_state("switch.gsm_2_module_power", STATE_ON)

    await switch(hass, SERVICE_TURN_ON)
    assert hass.states.is_state(POWER, STATE_ON)
    assert hass.states.is_state("sensor.gsm_1_status", "ready")
    assert commands(gateway) == ["gsm power off 1", "gsm power on 1"]


@BOTH_FIRMWARES
@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_is_off_is_not_switched_off_again(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The gateway would refuse it."""
    await switch(hass, SERVICE_TURN_OFF)
    await switch(hass, SERVICE_TURN_OFF)
    assert commands(gateway) == ["gsm power off 1"]


@BOTH_FIRMWARES
@pytest.mark.usefixtures("all_entities")
async def test_on_is_always_sent(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its owner may know better than the gateway that the module has no power."""
    await switch(hass, SERVICE_TURN_ON)
    assert commands(gateway) == ["gsm power on 1"]


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
    """Is on once it shows new life, and stays on in whatever happens to it later."""
    await switch(hass, SERVICE_TURN_OFF)
    await gateway.spans[1].power_switch.on()
    gateway.spans[1].signal = 11
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
@pytest.mark.parametrize("signal", [20, 11])
async def test_off_outlives_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    signal: int,
) -> None:
    """But not where the module shows another signal than when it was switched off."""
    hass_storage[f"openvox_gsm.{entry.entry_id}"] = {
        "version": 1,
        "data": {"sent": [], "counters": [], "switched_off": [[1, 20, False]]},
    }
    gateway.spans[1].signal = signal
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert hass.states.is_state(POWER, STATE_OFF if signal == 20 else STATE_ON)


@pytest.mark.usefixtures("all_entities")
async def test_what_is_off_is_saved(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Within a second, as everything is that is kept of a gateway."""
    await pass_time(hass, freezer, 1)  # set-up has saved something, too
    await switch(hass, SERVICE_TURN_OFF)
    await pass_time(hass, freezer, 1)

    saved = hass_storage[f"openvox_gsm.{loaded.entry_id}"]["data"]
    assert saved["switched_off"] == [[1, 20, False]]


@pytest.mark.usefixtures("all_entities")
async def test_an_sms_to_a_module_that_is_off(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It fails with the reason, as the driver would lose it. Other spans can send."""
    await switch(hass, SERVICE_TURN_OFF)

    with pytest.raises(HomeAssistantError, match="turned off; turn on its module"):
        await hass.services.async_call(
            "notify",
            "send_sms",
            {"target": PHONE, "message": "Hello", "span": 1},
            blocking=True,
        )
    await hass.services.async_call(
        "notify", "send_sms", {"target": PHONE, "message": "Hello"}, blocking=True
    )
    assert [sms.span for sms in gateway.sent] != [1]


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
