"""SMS that come in and go out, as bus events; what is held until it can be seen."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    DOMAIN,
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from custom_components.openvox_gsm.contacts import contact_name
from custom_components.openvox_gsm.gateway import (
    SendFailure,
    SendResult,
    SendStatus,
    StatusReport,
)
from custom_components.openvox_gsm.sending import Recipient, Route, SmsOrder, async_send
from custom_components.openvox_gsm.signals import SIGNAL_SMS_RECEIVED
from custom_components.openvox_gsm.store import CounterKey
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, STATE_OFF, STATE_ON
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulator import Box, Simulator, SmsOutcome

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    pass_time,
    poll,
    said,
    settle,
    span_device,
    until,
    until_later,
)

CONNECTED = "binary_sensor.openvox_connectivity"
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    if not hass.config_entries.async_get_entry(entry.entry_id):
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def send(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    number: str,
    text: str,
    span: int | None = None,
) -> None:
    """Send an SMS through a gateway."""
    route = Route(entry.runtime_data, span)
    contact = contact_name(hass, entry, number)
    await async_send(hass, SmsOrder(Recipient(number, contact, (route,)), text))


async def test_an_sms_comes_in(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The event tells all of it: the text, the sender, the span and its device."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)

    await gateway.receive_sms(3, PHONE, "Grüße 👋\r\nfrom me", WHEN, zone_hours=2)
    await until(lambda: events)

    assert events[0].data == {
        "config_entry_id": loaded.entry_id,
        "device_id": span_device(hass, loaded, 3).id,
        "span": 3,
        "sender": PHONE,
        "contact": None,
        "message": "Grüße 👋\r\nfrom me",
        "received_at": "2026-05-04T05:02:01+02:00",
        "parts": 1,
        "complete": True,
    }


async def test_a_long_sms_is_one(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """However its parts come in."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    text = "".join(f"{number:4}" for number in range(100))

    await gateway.receive_sms(1, "MyBank", text, WHEN, order=[3, 1, 2])
    await until(lambda: events)

    [event] = events
    assert event.data["message"] == text
    assert event.data["sender"] == "MyBank"
    assert (event.data["parts"], event.data["complete"]) == (3, True)


async def test_a_part_is_missing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """After a while what is there is published, and that it is not all."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)

    await gateway.receive_sms(1, PHONE, "x" * 300, WHEN, order=[1])
    await settle(hass)
    for _ in range(8):
        await poll(hass, freezer)
    assert events == []

    await until_later(freezer, lambda: events)
    [event] = events
    assert (event.data["parts"], event.data["complete"]) == (2, False)
    assert set(event.data["message"]) == {"x"}


async def test_a_gateway_that_tells_no_time_zone(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """No time is better than a wrong one; such SMS are never taken for repetitions."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    for text in ("Hello", "Hello again"):
        await gateway.receive_sms(1, PHONE, text, WHEN, varset=False)
        await until_later(freezer, lambda: events)
        assert events.pop().data["received_at"] is None


async def test_sms_are_held_until_home_assistant_has_started(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """In the order in which they came, even over a reload of the entry."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)

    await gateway.receive_sms(1, PHONE, "one", WHEN)
    await gateway.receive_sms(1, PHONE, "two", WHEN)
    held = entry.runtime_data.publisher._held  # noqa: SLF001
    await until(lambda: len(held) == 2)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    await gateway.receive_sms(1, PHONE, "three", WHEN)
    await until(lambda: len(held) == 3)
    assert events == []
    assert hass.states.is_state("event.gsm_1_sms", "unknown")

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)

    assert [event.data["message"] for event in events] == ["one", "two", "three"]
    assert not hass.states.is_state("event.gsm_1_sms", "unknown")

    await gateway.receive_sms(1, PHONE, "four", WHEN)
    await until(lambda: len(events) == 4)


async def test_an_automation_sees_what_came_during_the_start(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """That is what it is held for."""
    actions: list[Event] = async_capture_events(hass, "seen")
    hass.set_state(CoreState.not_running)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {"trigger": "event", "event_type": EVENT_SMS_RECEIVED},
                "actions": {
                    "event": "seen",
                    "event_data": {"text": "{{ trigger.event.data.message }}"},
                },
            }
        },
    )
    await set_up(hass, entry)
    await gateway.receive_sms(1, PHONE, "early", WHEN)
    await until(lambda: entry.runtime_data.publisher._held)  # noqa: SLF001

    await hass.async_start()
    await settle(hass)

    assert [event.data["text"] for event in actions] == ["early"]


async def test_an_sms_comes_while_the_entry_is_set_up(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """It waits for the devices and entities, so that it names the device."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    entry.add_to_hass(hass)
    setup = asyncio.create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(lambda: gateway.commands)
    await gateway.receive_sms(1, PHONE, "early", WHEN)
    assert await setup
    await settle(hass)
    await until(lambda: events)

    assert events[0].data["device_id"] == span_device(hass, entry, 1).id
    assert not hass.states.is_state("event.gsm_1_sms", "unknown")


async def test_nothing_is_published_twice(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Not after a reload, not after the connection was away, not if it is repeated."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until_later(freezer, lambda: events)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await gateway.receive_sms(1, PHONE, "News", WHEN)
    await until_later(freezer, lambda: len(events) > 1)
    assert [event.data["message"] for event in events] == ["Hello", "News"]

    # The same text at the same time from the service centre, however long after.
    freezer.tick(3 * 3600)
    await settle(hass)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN + timedelta(seconds=1))
    await gateway.receive_sms(1, PHONE, "Last", WHEN)
    await until_later(freezer, lambda: events[-1].data["message"] == "Last")
    texts = [event.data["message"] for event in events]
    assert texts == ["Hello", "News", "Hello", "Last"]


async def test_what_became_of_a_message(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """One event for each message and recipient, however many parts it takes."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    await set_up(hass, entry)
    gateway.spans[1].sms_outcomes.extend(2 * [SmsOutcome.SUCCESS])
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    for number in (PHONE, OTHER_PHONE):
        await send(hass, entry, number, "x" * 200, span=1)
    await settle(hass)

    where = {
        "config_entry_id": entry.entry_id,
        "device_id": span_device(hass, entry, 1).id,
        "span": 1,
        "parts": 2,
    }
    assert [event.data for event in events] == [
        where
        | {
            "target": PHONE,
            "contact": "Anna",
            "status": "sent",
            "parts_sent": 2,
            "error": None,
        },
        where
        | {
            "target": OTHER_PHONE,
            "contact": None,
            "status": "failed",
            "parts_sent": 0,
            "error": "rejected",
        },
    ]


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)
async def test_whether_a_message_was_delivered(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """Once for each message, with its text where it is certain which one it was."""
    events = async_capture_events(hass, "openvox_gsm_sms_delivered")
    gateway.status_reports = True
    gateway.spans[1].deliveries.extend([True, True, False])
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    await set_up(hass, entry)

    await send(hass, entry, PHONE, "x" * 200, span=1)
    await until(lambda: len(events) == 1)
    await send(hass, entry, OTHER_PHONE, "Hello", span=1)
    await until(lambda: len(events) == 2)
    await gateway.receive_status_report(1, "10086")
    await until(lambda: len(events) == 3)

    where = {
        "config_entry_id": entry.entry_id,
        "device_id": span_device(hass, entry, 1).id,
        "span": 1,
    }
    assert [event.data for event in events] == [
        where
        | {
            "target": PHONE,
            "contact": "Anna",
            "delivered": True,
            "cause": None,
            "message": "x" * 200,
        },
        where
        | {
            "target": OTHER_PHONE,
            "contact": None,
            "delivered": False,
            "cause": "Validity period expired",
            "message": "Hello",
        },
        where | {"target": "10086", "contact": None, "delivered": True, "cause": None},
    ]


async def test_reports_are_held_until_home_assistant_has_started(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """Automations could not see them before."""
    events = async_capture_events(hass, EVENT_SMS_DELIVERED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)
    report = StatusReport(1, PHONE, 1, True, 0, None, dt_util.utcnow())

    entry.runtime_data.publisher.sms_reported(report)
    await settle(hass)
    assert events == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    assert [event.data["target"] for event in events] == [PHONE]


async def test_a_gateway_that_cannot_be_reached_is_no_failure_of_a_span(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What was sent before it went away counts."""
    store = loaded.runtime_data.store
    gateway.faults.refuse = True
    await send(hass, loaded, PHONE, "Hello", span=1)

    def value(key: CounterKey) -> int:
        counter = store.counter(1, key)
        return counter.value if counter else 0

    assert (value(CounterKey.SENT), value(CounterKey.FAILED)) == (0, 0)

    loaded.runtime_data.publisher.sms_attempted(
        SendResult(PHONE, SendStatus.FAILED, 1, 3, 1, SendFailure.NOT_CONNECTED)
    )
    assert (value(CounterKey.SENT), value(CounterKey.FAILED)) == (1, 0)

    loaded.runtime_data.publisher.sms_attempted(
        SendResult(PHONE, SendStatus.FAILED, 1, 3, 1, SendFailure.REJECTED)
    )
    assert (value(CounterKey.SENT), value(CounterKey.FAILED)) == (2, 2)


async def test_a_message_that_no_span_can_take(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its event names none."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    for span in gateway.spans.values():
        span.power = False

    await send(hass, loaded, PHONE, "Hello")
    await settle(hass)

    [event] = events
    assert (event.data["span"], event.data["device_id"]) == (None, None)
    assert event.data["error"] == "no_span_ready"


async def test_half_of_a_long_sms_at_a_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is joined with what comes after that, and reaches the new entities."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    text = "x" * 200
    await gateway.receive_sms(1, PHONE, text, WHEN, reference=7, order=[1])
    await (
        loaded.runtime_data.coordinator.async_refresh()
    )  # what came before the answer is here
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert events == []
    await gateway.receive_sms(1, PHONE, text, WHEN, reference=7, order=[2])
    await until(lambda: events)
    await settle(hass)

    (event,) = events
    assert (event.data["message"], event.data["complete"]) == (text, True)
    state = hass.states.get("event.gsm_1_sms")
    assert state
    assert state.attributes["message"] == text


async def test_half_of_a_long_sms_of_a_gateway_that_is_removed(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's published as it is, since the rest can't come."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    await gateway.receive_sms(1, PHONE, "x" * 200, order=[1])
    await (
        loaded.runtime_data.coordinator.async_refresh()
    )  # what came before the answer is here
    await hass.config_entries.async_remove(loaded.entry_id)
    await settle(hass)

    (event,) = events
    assert (event.data["parts"], event.data["complete"]) == (2, False)
    assert "only 1 of 2 parts of a long SMS arrived" in caplog.text


@pytest.mark.parametrize("state", [CoreState.starting, CoreState.running])
async def test_half_of_a_long_sms_when_home_assistant_stops(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    hass_storage: dict[str, Any],
    state: CoreState,
) -> None:
    """It's published and counted, even if Home Assistant never got to run."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    hass.set_state(state)
    await set_up(hass, entry)
    await pass_time(hass, freezer, 1)  # all that was counted until now is saved
    await gateway.receive_sms(1, PHONE, "x" * 200, order=[1])
    await (
        entry.runtime_data.coordinator.async_refresh()
    )  # what came before the answer is here

    await hass.async_stop(force=True)

    assert [event.data["complete"] for event in events] == [False]
    counters = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["counters"]
    assert [1, "sms_received", 2] in [counter[:3] for counter in counters]


async def test_an_sms_is_answered_at_once_after_a_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The gateway can send as soon as automations see what came in meanwhile."""
    errors: list[Exception] = []

    async def answer(_event: Event) -> None:
        try:
            await hass.services.async_call(
                "notify", "send_sms", {"target": PHONE, "message": "Yes"}, blocking=True
            )
        except HomeAssistantError as err:
            errors.append(err)

    hass.bus.async_listen(EVENT_SMS_RECEIVED, answer)
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    await gateway.receive_sms(1, PHONE, "Are you there?", WHEN)
    await until(lambda: publisher._held)  # noqa: SLF001

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)

    assert errors == []
    assert [sms.text for sms in gateway.sent] == ["Yes"]


async def test_half_of_a_long_sms_of_a_gateway_that_is_not_loaded_at_the_stop(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It came in before the gateway was unloaded; it's published all the same."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    await gateway.receive_sms(1, PHONE, "x" * 200, order=[1])
    await (
        loaded.runtime_data.coordinator.async_refresh()
    )  # what came before the answer is here
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert events == []

    await hass.async_stop(force=True)

    assert [event.data["complete"] for event in events] == [False]
    [event] = events
    assert (event.data["sender"], event.data["complete"]) == (PHONE, False)


# Old news


async def disable(
    hass: HomeAssistant, entry: MockConfigEntry, by: ConfigEntryDisabler | None
) -> None:
    """Disable an entry, or enable it again."""
    await hass.config_entries.async_set_disabled_by(entry.entry_id, by)
    await settle(hass)


@pytest.mark.parametrize(("waited", "is_news"), [(590, True), (610, False)])
@pytest.mark.parametrize("parts", [1, 2])
async def test_what_was_held_for_long_is_no_news(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    waited: int,
    is_news: bool,
    parts: int,
) -> None:
    """It's counted and logged, without its text, and opens no doors."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    triggered: list[Any] = []
    async_dispatcher_connect(hass, SIGNAL_SMS_RECEIVED, triggered.append)
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    text = "Sesame" if parts == 1 else "Sesame" * 40
    await gateway.receive_sms(1, PHONE, text, WHEN, order=[1])
    # Half of a long one waits for the rest first, and that counts.
    await loaded.runtime_data.coordinator.async_refresh()
    await disable(hass, loaded, ConfigEntryDisabler.USER)
    for _ in range(waited // 10):
        await pass_time(hass, freezer, 10)

    await disable(hass, loaded, None)

    assert (len(events), len(triggered)) == ((1, 1) if is_news else (0, 0))
    received = hass.states.get("sensor.gsm_1_sms_received")
    assert received
    assert received.state == str(parts)
    old = [each for each in said(caplog) if "too old to trigger automations" in each]
    assert len(old) == (0 if is_news else 1)
    assert "Sesame" not in "".join(said(caplog))
    assert PHONE not in "".join(said(caplog))


async def test_a_missed_call_that_was_held_for_long(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's no news, either."""
    events = async_capture_events(hass, EVENT_CALL)
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    call = await gateway.incoming_call(2, PHONE)
    await call.hangup()
    await until_later(freezer, lambda: publisher._held)  # noqa: SLF001
    await disable(hass, loaded, ConfigEntryDisabler.USER)
    await pass_time(hass, freezer, 610)
    await disable(hass, loaded, None)

    assert events == []
    assert "a call came in on span 2" in caplog.text


async def test_a_delivery_report_that_was_held_for_long(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's no news, either; one that came after it is."""
    events = async_capture_events(hass, EVENT_SMS_DELIVERED)
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    publisher.sms_reported(StatusReport(2, PHONE, 1, True, 0, None, dt_util.utcnow()))
    await disable(hass, loaded, ConfigEntryDisabler.USER)
    await pass_time(hass, freezer, 610)
    publisher.sms_reported(StatusReport(3, PHONE, 2, True, 0, None, dt_util.utcnow()))
    await disable(hass, loaded, None)

    assert [event.data["span"] for event in events] == [3]
    assert "a delivery report came in on span 2" in caplog.text


async def test_more_than_can_be_held(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The oldest SMS is counted and among the messages, but triggers nothing."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    with patch("custom_components.openvox_gsm.publisher.MAX_HELD", 2):
        for text in ("First", "Second", "Third"):
            await gateway.receive_sms(1, PHONE, text, WHEN)
        await until(lambda: len(loaded.runtime_data.messages) == 3)
    assert events == []

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert [event.data["message"] for event in events] == ["Second", "Third"]
    received = hass.states.get("sensor.gsm_1_sms_received")
    assert received
    assert received.state == "3"


async def test_setting_the_clock_makes_nothing_old(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """A computer without a clock gets its time from the network while it starts."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until(lambda: entry.runtime_data.publisher._held)  # noqa: SLF001

    later = dt_util.utcnow() + timedelta(days=30)
    with patch("homeassistant.util.dt.utcnow", return_value=later):
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await settle(hass)
    assert len(events) == 1
