"""What the sensors of the gateway and of its spans tell."""

from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    mock_restore_cache_with_extra_data,
)

from custom_components.openvox_gsm.const import EVENT_SMS_RECEIVED
from custom_components.openvox_gsm.gateway import SendFailure, SendResult, SendStatus
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from simulator import Box, Dialect, Simulator, SmsOutcome

from .common import (
    PHONE,
    add_contact,
    entity_states,
    pass_time,
    poll,
    set_rights,
    settle,
    span_device,
    until,
)
from .ussd.test_query import query

KINDS = [
    pytest.param({"dialect": Dialect.ASTERISK_1_8}, id="1.8"),
    pytest.param({"dialect": Dialect.ASTERISK_14, "box": Box.TODAY}, id="later"),
]


@pytest.mark.parametrize("gateway", KINDS, indirect=True)
@pytest.mark.usefixtures("all_entities")
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
            )
        }
        assert {key: state and state.state for key, state in states.items()} == {
            "signal_strength": "-73",
            "signal_quality": "65",
            "status": "ready",
            "network_status": "home",
            "operator": "CHINA MOBILE",
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
                    "stuck",
                    "locked",
                    "sms_limit",
                    "call_limit",
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
            "sensor.openvox_active_calls",
            "OpenVox Active calls",
            {"state_class": "measurement", "unit_of_measurement": "calls"},
            None,
        ),
        (
            "sensor.openvox_start_time",
            "OpenVox Start time",
            {"device_class": "timestamp"},
            EntityCategory.DIAGNOSTIC,
        ),
        *(
            (
                f"sensor.gsm_1_sms_{what}",
                f"GSM 1 SMS {what}",
                {"state_class": "total", "unit_of_measurement": "SMS"},
                None,
            )
            for what in ("received", "sent", "failed")
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
    assert {**state.attributes, "last_reset": None} == {
        "friendly_name": name,
        "last_reset": None,
        **attributes,
    }
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
        ({"alarm": True}, "ready"),
        ({"alarm": True, "status": "Down"}, "alarm"),
        ({"status": "Block"}, "locked"),
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


@pytest.mark.usefixtures("all_entities")
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


RARE = {
    "sensor.gsm_1_bit_error_rate": ("0", {"state_class": "measurement"}),
    "sensor.gsm_1_module_state": ("READY", {}),
    "sensor.gsm_1_answered_calls_asr": (
        "20",
        {"state_class": "measurement", "unit_of_measurement": "%"},
    ),
    "sensor.gsm_1_average_call_duration_acd": (
        "12",
        {
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "s",
        },
    ),
    "sensor.gsm_1_post_dial_delay_pdd": (
        "7",
        {
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "s",
        },
    ),
    "sensor.gsm_1_own_number": ("+8613632919026", {}),
    "sensor.gsm_1_sms_center": ("+8613800755500", {}),
    "sensor.openvox_driver_version": ("2.2.0", {}),
    "sensor.openvox_asterisk_version": ("22.10.1", {}),
}


async def test_what_few_people_look_at_is_disabled(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It is diagnostic, too."""
    for entity_id in RARE:
        registered = er.async_get(hass).async_get(entity_id)
        assert registered, entity_id
        assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert registered.entity_category is EntityCategory.DIAGNOSTIC
        assert hass.states.get(entity_id) is None


@pytest.mark.usefixtures("all_entities")
async def test_seconds_have_no_decimals(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant would show durations with two."""
    registry = er.async_get(hass)
    options = [
        entity.options["sensor"]
        for entity in er.async_entries_for_config_entry(registry, loaded.entry_id)
        if entity.unit_of_measurement == "s"
    ]

    assert len(options) == 2 * 4
    assert {each["suggested_display_precision"] for each in options} == {0}


async def test_an_entity_that_is_enabled_later(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It's there after half a minute, as always, and only it."""
    entity_id = "sensor.gsm_1_signal_quality"
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert hass.states.get(entity_id) is None
    before = set(entity_states(hass, loaded))

    er.async_get(hass).async_update_entity(entity_id, disabled_by=None)
    await pass_time(hass, freezer, RELOAD_AFTER_UPDATE_DELAY + 1)

    assert set(entity_states(hass, loaded)) == before | {entity_id}
    assert entity_states(hass, loaded)[entity_id] == "65"


@pytest.mark.usefixtures("all_entities")
@pytest.mark.parametrize("gateway", [KINDS[1]], indirect=True)
async def test_what_few_people_look_at(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Call statistics, numbers, versions."""
    gateway.spans[1].own_number = "+8613632919026"
    await poll(hass, freezer)

    for entity_id, (value, attributes) in RARE.items():
        state = hass.states.get(entity_id)
        assert state, entity_id
        told = dict(state.attributes)
        del told["friendly_name"]
        assert (state.state, told) == (value, attributes), entity_id


@pytest.mark.usefixtures("all_entities")
async def test_what_few_people_look_at_and_the_gateway_does_not_tell(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Is unknown."""
    span = gateway.spans[1]
    span.ber, span.asr, span.acd, span.pdd = 99, -1, -1, -1
    span.sms_center, span.state = "Undefined", ""
    await poll(hass, freezer)

    for entity_id in RARE:
        if "gsm_1" in entity_id:
            assert hass.states.is_state(entity_id, STATE_UNKNOWN), entity_id


@pytest.mark.usefixtures("all_entities")
async def test_the_module_state_in_a_call(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The caller is nobody's business, and the time would be a change each poll."""
    call = await gateway.incoming_call(1, PHONE)
    await call.answer()
    assert PHONE.removeprefix("+") in gateway.spans[1].state

    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_1_module_state", "CALL ACTIVE")
    states = {
        entity_id: state
        for entity_id, state in entity_states(hass, loaded).items()
        if PHONE.removeprefix("+") in state
    }
    assert states == {}


async def test_the_start_time(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The gateway's local time, in the time zone of Home Assistant; it stands still."""
    await hass.config.async_set_time_zone("Asia/Shanghai")
    gateway.started_at = datetime(2026, 3, 4, 5, 6, 7, 123456)

    for _ in range(2):
        await poll(hass, freezer)
        assert hass.states.is_state(
            "sensor.openvox_start_time", "2026-03-03T21:06:07+00:00"
        )


async def test_a_poll_that_finds_nothing_new_writes_no_state(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    all_entities: None,
    loaded: MockConfigEntry,
) -> None:
    """However often, not even the same one again; else only what is new changes."""
    add_contact(hass, loaded, "Anna", PHONE)
    hass.config_entries.async_add_subentry(loaded, query())
    for _ in range(2):  # the span shows what it was asked
        await poll(hass, freezer)
    assert hass.states.get("notify.anna")
    assert hass.states.get("sensor.gsm_2_balance")
    changed: list[str] = []
    reported: list[str] = []
    hass.bus.async_listen(
        EVENT_STATE_CHANGED, lambda event: changed.append(event.data["entity_id"])
    )
    hass.bus.async_listen(
        EVENT_STATE_REPORTED,
        callback(lambda event: reported.append(event.data["entity_id"])),
        event_filter=callback(lambda data: True),
    )
    commands = len(gateway.commands)
    for _ in range(4):
        await poll(hass, freezer)
    assert len(gateway.commands) >= commands + 4
    assert (changed, reported) == ([], [])

    gateway.spans[3].asr = 21
    await poll(hass, freezer)
    assert changed == ["sensor.gsm_3_answered_calls_asr"]


async def test_the_sensors_of_a_span_that_appears_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Are added."""
    gateway.add_span(5)
    await poll(hass, freezer)

    assert span_device(hass, loaded, 5)
    assert hass.states.is_state("sensor.gsm_5_status", "ready")
    assert hass.states.is_state("sensor.gsm_5_sms_sent", "0")


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
    assert hass.states.is_state("sensor.openvox_start_time", STATE_UNKNOWN)
    assert hass.states.is_state("sensor.gsm_1_status", "ready")


# Counters


def counts(hass: HomeAssistant, span: int) -> tuple[int, int, int]:
    """Return how many SMS a span received, sent, and failed to send."""
    states = [
        hass.states.get(f"sensor.gsm_{span}_sms_{what}")
        for what in ("received", "sent", "failed")
    ]
    received, sent, failed = (int(state.state) for state in states if state)
    return received, sent, failed


async def send(
    hass: HomeAssistant, text: str, span: int | None
) -> list[dict[str, Any]]:
    """Send an SMS, and return what became of it."""
    response: Any = await hass.services.async_call(
        "notify",
        "send_sms",
        {"target": PHONE, "message": text, "span": span},
        blocking=True,
        return_response=True,
    )
    return list(response["messages"])


LONG = "This text is too long for one SMS. " * 12  # three parts


async def test_the_counters_start_at_zero(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """And are never unknown."""
    assert counts(hass, 1) == (0, 0, 0)


async def test_received_sms_are_counted(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """By their parts, each on its span."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    await gateway.receive_sms(2, PHONE, "Hello", when)
    await until(lambda: counts(hass, 2) == (1, 0, 0))
    await gateway.receive_sms(2, PHONE, LONG, when)
    await until(lambda: counts(hass, 2) == (4, 0, 0))

    assert counts(hass, 1) == (0, 0, 0)


async def test_sent_sms_are_counted(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """By their parts, each on its span."""
    await send(hass, "Hello", 2)
    assert counts(hass, 2) == (0, 1, 0)

    await send(hass, LONG, 2)
    assert counts(hass, 2) == (0, 4, 0)
    assert counts(hass, 1) == (0, 0, 0)


async def test_sms_that_fail_are_counted(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Of a long one, the part that failed and those that were not tried any more."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    [message] = await send(hass, "Hello", 1)
    assert message["status"] == "failed"
    assert counts(hass, 1) == (0, 0, 1)

    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])
    await send(hass, LONG, 1)
    assert counts(hass, 1) == (0, 1, 3)


async def test_a_failure_counts_where_it_was(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Though another span sent the message after that."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    [message] = await send(hass, "Hello", None)

    assert (message["status"], message["span"]) == ("sent", 2)
    assert (counts(hass, 1), counts(hass, 2)) == ((0, 0, 1), (0, 1, 0))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(
            SendResult(PHONE, SendStatus.UNKNOWN, 1, 3, 1, SendFailure.TIMED_OUT),
            (0, 1, 0),
            id="it's unknown what became of the second part",
        ),
        pytest.param(
            SendResult(
                PHONE, SendStatus.FAILED, None, 3, failure=SendFailure.NO_SPAN_READY
            ),
            (0, 0, 0),
            id="no span was ready",
        ),
    ],
)
async def test_what_counts_as_neither(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    result: SendResult,
    expected: tuple[int, int, int],
) -> None:
    """Neither sent nor failed for certain, or on no span at all."""
    loaded.runtime_data.publisher.sms_attempted(result)

    assert counts(hass, 1) == expected


async def test_other_gateways_are_not_counted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    other: Simulator,
) -> None:
    """Their spans have the same numbers."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    await other.receive_sms(1, PHONE, "Hello")
    await until(lambda: events)

    assert counts(hass, 1) == (0, 0, 0)
    assert hass.states.is_state(f"sensor.gsm_1_port_{other.port}_sms_received", "1")


async def test_an_sms_wakes_its_own_span_only(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """No other entity writes a state, however many spans there are."""
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    reports: list[Event[Any]] = []
    hass.bus.async_listen(
        EVENT_STATE_REPORTED,
        callback(lambda event: reports.append(event)),
        event_filter=callback(lambda _data: True),
    )
    await gateway.receive_sms(2, PHONE, "Hello")
    await until(lambda: len(changes) == 2)
    await settle(hass)

    assert {each.data["entity_id"] for each in changes} == {
        "event.gsm_2_sms",
        "sensor.gsm_2_sms_received",
    }
    assert reports == []


async def test_a_counter_can_go_back(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """After a crash a counter may lack the last second, and counts it again.

    Statistics must take that for what it is, and not for a counter that started over.
    """
    state = hass.states.get("sensor.gsm_1_sms_sent")
    assert state
    assert state.attributes["state_class"] == "total"
    assert state.attributes["last_reset"]


def restart(hass: HomeAssistant, stored: dict[str, Any]) -> None:
    """Let Home Assistant have stored values of sensors when it stopped."""
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State(entity_id, ""),
                {"native_value": value, "native_unit_of_measurement": None},
            )
            for entity_id, value in stored.items()
        ],
    )


async def test_the_counters_go_on_after_a_restart(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """They go on where they were; what cannot be a number is ignored."""
    restart(
        hass,
        {
            "sensor.gsm_1_sms_received": 41,
            "sensor.gsm_1_sms_sent": 7,
            "sensor.gsm_1_sms_failed": None,
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert counts(hass, 1) == (41, 7, 0)

    await send(hass, "Hello", 1)
    assert counts(hass, 1) == (41, 8, 0)


async def test_the_counters_go_on_after_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """An entry is reloaded whenever its options change."""
    await send(hass, "Hello", 1)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)

    assert counts(hass, 1) == (0, 1, 0)
