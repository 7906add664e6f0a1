"""What the sensors of the gateway and of its spans tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from homeassistant.const import STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from simulator import Dialect, Firmware, Simulator

from .common import PHONE, poll, set_rights, settle, until, until_later

KINDS = [
    pytest.param({"dialect": Dialect.ASTERISK_1_8}, id="1.8"),
    pytest.param(
        {"dialect": Dialect.ASTERISK_14, "firmware": Firmware.LATER}, id="later"
    ),
]


@pytest.mark.parametrize("gateway", KINDS, indirect=True)
async def test_a_span_tells(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Signal, status, network and operator, on every kind of gateway."""
    for span in range(1, 5):
        states = {
            key: hass.states.get(f"sensor.gsm_{span}_{key}")
            for key in (
                "signal_strength",
                "signal_quality",
                "status",
                "network_status",
                "operator",
                "last_sms",
            )
        }
        assert {key: state and state.state for key, state in states.items()} == {
            "signal_strength": "-73",
            "signal_quality": "65",
            "status": "ready",
            "network_status": "home",
            "operator": "CHINA MOBILE",
            "last_sms": STATE_UNKNOWN,
        }


@pytest.mark.parametrize(
    ("entity_id", "name", "attributes", "category"),
    [
        (
            "sensor.gsm_1_signal_strength",
            "GSM 1 Signal strength",
            {
                "device_class": "signal_strength",
                "state_class": "measurement",
                "unit_of_measurement": "dBm",
            },
            EntityCategory.DIAGNOSTIC,
        ),
        (
            "sensor.gsm_1_signal_quality",
            "GSM 1 Signal quality",
            {"state_class": "measurement", "unit_of_measurement": "%"},
            EntityCategory.DIAGNOSTIC,
        ),
        (
            "sensor.gsm_1_status",
            "GSM 1 Status",
            {
                "device_class": "enum",
                "options": [
                    "ready",
                    "busy",
                    "in_call",
                    "no_sim",
                    "no_signal",
                    "pin_error",
                    "down",
                    "power_off",
                    "alarm",
                ],
            },
            None,
        ),
        (
            "sensor.gsm_1_network_status",
            "GSM 1 Network status",
            {
                "device_class": "enum",
                "options": [
                    "not_registered",
                    "home",
                    "searching",
                    "denied",
                    "roaming",
                    "registered",
                ],
            },
            EntityCategory.DIAGNOSTIC,
        ),
        (
            "sensor.gsm_1_operator",
            "GSM 1 Operator",
            {},
            EntityCategory.DIAGNOSTIC,
        ),
        (
            "sensor.gsm_1_last_sms",
            "GSM 1 Last SMS",
            {"device_class": "timestamp"},
            None,
        ),
        (
            "sensor.openvox_active_calls",
            "OpenVox Active calls",
            {"state_class": "measurement", "unit_of_measurement": "calls"},
            None,
        ),
    ],
)
async def test_how_a_sensor_presents_itself(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    entity_id: str,
    name: str,
    attributes: dict[str, Any],
    category: EntityCategory | None,
) -> None:
    """Name, class, unit and category."""
    state = hass.states.get(entity_id)
    assert state
    assert state.attributes == {"friendly_name": name} | attributes
    registered = er.async_get(hass).async_get(entity_id)
    assert registered
    assert registered.entity_category == category
    assert registered.disabled_by is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"status": "Undetected SIM Card"}, "no_sim"),
        ({"status": "No Signal"}, "no_signal"),
        ({"status": "Pin (1234) Error"}, "pin_error"),
        ({"status": "Down"}, "down"),
        ({"power": False}, "power_off"),
        ({"alarm": True}, "alarm"),
        ({"state": "SMS SENDING"}, "busy"),
    ],
)
async def test_what_a_span_is_doing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    change: dict[str, Any],
    status: str,
) -> None:
    """In one word; the PIN that the gateway tells is nowhere."""
    for name, value in change.items():
        setattr(gateway.spans[2], name, value)

    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_2_status", status)
    assert hass.states.is_state("sensor.gsm_1_status", "ready")
    assert not any("1234" in str(state.as_dict()) for state in hass.states.async_all())


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("Not registered", "not_registered"),
        ("Registered (Home network)", "home"),
        ("Searching", "searching"),
        ("Registration denied", "denied"),
        ("Registered (Roaming)", "roaming"),
        ("Registered", "registered"),
        ("Unknown Network Status", STATE_UNKNOWN),
    ],
)
async def test_how_a_sim_stands_with_its_network(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    told: str,
    status: str,
) -> None:
    """As the network tells the module."""
    gateway.spans[1].network_status = told

    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_1_network_status", status)


async def test_what_is_not_known_is_unknown(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """A signal of -1, no operator, a status that nobody has heard of."""
    span = gateway.spans[1]
    span.signal, span.operator, span.status = -1, "", "Dancing"

    await poll(hass, freezer)

    for key in ("signal_strength", "signal_quality", "operator", "status"):
        assert hass.states.is_state(f"sensor.gsm_1_{key}", STATE_UNKNOWN), key


async def test_active_calls(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """They are counted over all spans, and unknown without the right for it."""
    assert hass.states.is_state("sensor.openvox_active_calls", "0")

    call = await gateway.incoming_call(1, PHONE)
    await call.answer()
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.openvox_active_calls", "1")
    assert hass.states.is_state("sensor.gsm_1_status", "in_call")


async def test_active_calls_without_the_right(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """All the rest works."""
    set_rights(gateway, without="system")
    set_rights(gateway, without="reporting")
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert hass.states.is_state("sensor.openvox_active_calls", STATE_UNKNOWN)
    assert hass.states.is_state("sensor.gsm_1_status", "ready")


async def test_the_last_sms(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The moment it came in, on its span only."""
    before = dt_util.utcnow()
    await gateway.receive_sms(2, PHONE, "Hello", datetime(2020, 1, 1, tzinfo=UTC))

    await until_later(
        freezer,
        lambda: not hass.states.is_state("sensor.gsm_2_last_sms", STATE_UNKNOWN),
    )
    state = hass.states.get("sensor.gsm_2_last_sms")
    assert state
    arrived = dt_util.parse_datetime(state.state, raise_on_error=True)
    assert before <= arrived <= dt_util.utcnow()
    assert hass.states.is_state("sensor.gsm_1_last_sms", STATE_UNKNOWN)


async def test_the_last_sms_is_remembered(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """Over a restart of Home Assistant; what cannot be one is not taken up."""
    when = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State("sensor.gsm_1_last_sms", ""),
                {
                    "native_value": {
                        "__type": "<class 'datetime.datetime'>",
                        "isoformat": when.isoformat(),
                    },
                    "native_unit_of_measurement": None,
                },
            ),
            (
                State("sensor.gsm_2_last_sms", ""),
                {"native_value": None, "native_unit_of_measurement": None},
            ),
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert hass.states.is_state("sensor.gsm_1_last_sms", when.isoformat())
    assert hass.states.is_state("sensor.gsm_2_last_sms", STATE_UNKNOWN)

    await gateway.receive_sms(1, PHONE, "Hello", when - timedelta(days=1))
    await until(
        lambda: not hass.states.is_state("sensor.gsm_1_last_sms", when.isoformat())
    )
