"""The buttons that start a module again."""

import asyncio

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.gateway import modules as modules_module
from homeassistant.const import STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from simulator import Simulator

from .common import PHONE, poll, set_rights, until, until_later

RESTART = "button.gsm_1_restart_module"
RELOAD = "button.gsm_1_reload_module"


@pytest.fixture(autouse=True)
def _fast_modules(gateway: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the modules start and stop at once."""
    gateway.power_speed = 0
    monkeypatch.setattr(modules_module, "_RELOAD_TIME", 0.01)


async def press(hass: HomeAssistant, button: str = RESTART) -> None:
    """Press a button of span 1."""
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )


def resets(gateway: Simulator) -> list[str]:
    """Return the commands to modules that the gateway was given."""
    return [command for command in gateway.commands if "gsm power" in command]


@pytest.mark.parametrize(
    ("button", "kind", "name"),
    [(RESTART, "restart", "Restart module"), (RELOAD, None, "Reload module")],
)
async def test_they_are_there_for_those_who_want_them(
    hass: HomeAssistant, loaded: MockConfigEntry, button: str, kind: str, name: str
) -> None:
    """Nobody presses one by accident: they are disabled by default."""
    registered = er.async_get(hass).async_get(button)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert registered.entity_category is EntityCategory.CONFIG
    assert registered.original_device_class == kind
    assert registered.original_name == name


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_is_stuck_is_reloaded(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Without its power; the span is ready then."""
    gateway.spans[1].doing = "SMS SENDING"
    gateway.spans[1].operator = "China Telecom"
    freed = asyncio.create_task(gateway.spans[1].freed())

    await press(hass, RELOAD)

    assert freed.done()
    assert "gsm reload span 1" in gateway.commands
    assert resets(gateway) == []
    assert hass.states.is_state("sensor.gsm_1_operator", "China Telecom")


@pytest.mark.usefixtures("all_entities")
async def test_two_modules_at_once(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """One doesn't wait for the other, which is about to send an SMS."""
    gateway.spans[1].send_duration = 0.5
    sending = hass.async_create_task(
        loaded.runtime_data.gateway.sms.send(PHONE, "Hello", span=1)
    )
    await until(lambda: gateway.spans[1].doing == "SMS SENDING")
    first = hass.async_create_task(press(hass))

    await press(hass, RESTART.replace("_1_", "_2_"))

    assert not first.done()
    assert resets(gateway) == ["gsm power reset 2"]
    await asyncio.gather(sending, first)


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_does_not_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Firmware without that command says so."""
    gateway.remove_span(1)

    with pytest.raises(HomeAssistantError, match="couldn't restart or switch"):
        await press(hass, RELOAD)


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_is_off_is_not_reloaded(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It would stay off; a restart turns it on."""
    switch = {"entity_id": "switch.gsm_1_module_power"}
    await hass.services.async_call("switch", "turn_off", switch, blocking=True)

    with pytest.raises(HomeAssistantError, match=r"^Span 1 of OpenVox is turned off; "):
        await press(hass, RELOAD)
    assert "gsm reload span 1" not in gateway.commands

    await press(hass, RESTART)
    assert hass.states.is_state("switch.gsm_1_module_power", "on")


@pytest.mark.usefixtures("all_entities")
async def test_the_module_restarts(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Once, and what it tells then is known at once."""
    gateway.spans[1].operator = "China Telecom"

    await press(hass)

    assert resets(gateway) == ["gsm power reset 1"]
    assert hass.states.is_state("sensor.gsm_1_operator", "China Telecom")


@pytest.mark.usefixtures("all_entities")
async def test_a_message_is_sent_first(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The restart would tear it away."""
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(
        hass.services.async_call(
            "notify",
            "send_sms",
            {"target": PHONE, "message": "Hello", "span": 1},
            blocking=True,
        )
    )
    await until(lambda: gateway.spans[1].state == "SMS SENDING")

    pressing = hass.async_create_task(press(hass))
    await until(lambda: gateway.sent)
    assert resets(gateway) == []

    await sending
    await pressing
    assert resets(gateway) == ["gsm power reset 1"]


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_does_not_restart(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Is told, and what became of it is read."""
    span = gateway.spans[1]
    span.power_fails, span.status = True, "No Signal"

    with pytest.raises(
        HomeAssistantError,
        match=r"^OpenVox couldn't restart or switch the module of span 1\. Try again",
    ):
        await press(hass)

    assert hass.states.is_state("sensor.gsm_1_status", "no_signal")


@pytest.mark.usefixtures("all_entities")
async def test_without_the_right_for_commands(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is said which one is missing."""
    set_rights(gateway, without="command")

    with pytest.raises(HomeAssistantError, match=r"^The API user isn't allowed to run"):
        await press(hass)

    assert resets(gateway) == []


@pytest.mark.usefixtures("all_entities")
async def test_no_session_can_be_had(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nothing was done to the module."""
    gateway.faults.refuse = True

    with pytest.raises(HomeAssistantError, match=r"^Can't connect to the gateway: "):
        await press(hass)

    assert resets(gateway) == []


@pytest.mark.usefixtures("all_entities")
async def test_a_gateway_that_does_not_answer(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What became of the module is not known; it is not tried again."""
    gateway.faults.silent_commands.add("gsm power")
    pressing = hass.async_create_task(press(hass))

    await until_later(freezer, pressing.done)

    with pytest.raises(
        HomeAssistantError,
        match=r"^It's unknown whether OpenVox restarted or switched the module of span 1\. ",
    ):
        await pressing
    assert len(resets(gateway)) == 1


@pytest.mark.usefixtures("all_entities")
async def test_a_gateway_that_is_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nothing can be pressed."""
    await gateway.stop()

    await until(lambda: hass.states.is_state(RESTART, STATE_UNAVAILABLE))


@pytest.mark.usefixtures("all_entities")
async def test_a_span_that_appears_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Has one, too."""
    gateway.add_span(5)

    await poll(hass, freezer)

    assert hass.states.get("button.gsm_5_restart_module")
