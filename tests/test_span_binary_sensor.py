"""Whether the SIM of a span is in a network, and in a foreign one."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator import Simulator

from .common import poll

# They are off by default: the network status says both in one word.
pytestmark = pytest.mark.usefixtures("all_entities")

REGISTERED = "binary_sensor.gsm_1_network_registration"
ROAMING = "binary_sensor.gsm_1_roaming"


@pytest.mark.parametrize(
    ("told", "registered", "roaming"),
    [
        ("Registered (Home network)", STATE_ON, STATE_OFF),
        ("Registered (Roaming)", STATE_ON, STATE_ON),
        ("Registered", STATE_ON, STATE_UNKNOWN),
        ("Not registered", STATE_OFF, STATE_OFF),
        ("Searching", STATE_OFF, STATE_OFF),
        ("Registration denied", STATE_OFF, STATE_OFF),
        ("Unknown", STATE_UNKNOWN, STATE_UNKNOWN),
        ("Dancing", STATE_UNKNOWN, STATE_UNKNOWN),
    ],
)
async def test_how_a_sim_stands_with_its_network(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    told: str,
    registered: str,
    roaming: str,
) -> None:
    """As the network tells the module; what it does not tell is unknown."""
    gateway.spans[1].network_status = told

    await poll(hass, freezer)

    assert hass.states.is_state(REGISTERED, registered)
    assert hass.states.is_state(ROAMING, roaming)
    assert hass.states.is_state("binary_sensor.gsm_2_network_registration", STATE_ON)


@pytest.mark.parametrize("change", [{"status": "Down"}, {"power": False}])
async def test_a_module_that_does_not_work(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    change: dict[str, Any],
) -> None:
    """Is in no network, whatever it told last."""
    gateway.spans[1].network_status = "Registered (Roaming)"
    for name, value in change.items():
        setattr(gateway.spans[1], name, value)

    await poll(hass, freezer)

    assert hass.states.is_state(REGISTERED, STATE_OFF)
    assert hass.states.is_state(ROAMING, STATE_OFF)


@pytest.mark.parametrize(
    ("entity_id", "attributes"),
    [
        (
            REGISTERED,
            {
                "device_class": "connectivity",
                "friendly_name": "GSM 1 Network registration",
            },
        ),
        (ROAMING, {"friendly_name": "GSM 1 Roaming"}),
    ],
)
async def test_how_they_present_themselves(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    entity_id: str,
    attributes: dict[str, str],
) -> None:
    """Both are diagnostic, and there from the beginning."""
    state = hass.states.get(entity_id)
    assert state
    assert state.attributes == attributes
    registered = er.async_get(hass).async_get(entity_id)
    assert registered
    assert registered.entity_category is EntityCategory.DIAGNOSTIC


async def test_a_span_that_appears_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Has them, too."""
    gateway.add_span(5)

    await poll(hass, freezer)

    assert hass.states.is_state("binary_sensor.gsm_5_network_registration", STATE_ON)
