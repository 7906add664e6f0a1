"""What Home Assistant sends and dials, as messages."""

from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_CALL_EVENTS,
    CONF_FLASH,
    CONF_HOURLY_LIMIT,
    CONF_MESSAGES_KEPT,
)
from custom_components.openvox_gsm.gateway.firmware import Features
from custom_components.openvox_gsm.gateway.sending import part as part_module
from custom_components.openvox_gsm.sending import (
    Recipient,
    Route,
    SmsOrder,
    async_send,
    prepare,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from simulator import Box, CallOutcome, Simulator, SmsOutcome

from .conftest import kept, only, send

from tests.common import OTHER_PHONE, PHONE, add_contact, set_options, settle, until

# SMS


async def test_an_sms_on_its_way(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's there at once; its span when it's known."""
    gateway.spans[1].send_duration = 0.05
    for number in (2, 3, 4):
        gateway.spans[number].power = False
    await loaded.runtime_data.coordinator.async_refresh()
    sending = hass.async_create_task(send(hass, "x" * 200))
    await until(lambda: kept(loaded))
    [message] = kept(loaded)
    assert message == {
        "id": message["id"],
        "kind": "sms",
        "direction": "out",
        "number": PHONE,
        "text": "x" * 200,
        "time": message["time"],
        "span": None,
        "parts": 2,
        "status": "sending",
        "reason": None,
        "duration": None,
    }
    await sending
    assert kept(loaded) == [message | {"span": 1, "status": "sent"}]


async def test_an_sms_fails(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """With the reason in words."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    await send(hass, "Hello", span=1)

    [(status, reason)] = only(loaded, "status", "reason")
    assert status == "failed"
    assert "span 1" in reason


async def test_a_limit_refuses_it(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """It's there as well."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    await send(hass, "One")
    await send(hass, "Two")

    [_, (text, status, span, reason)] = only(loaded, "text", "status", "span", "reason")
    assert (text, status, span) == ("Two", "failed", None)
    assert reason.startswith("OpenVox has reached its maximum")


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)
async def test_a_gateway_loses_what_a_message_needs(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """As after a change of its firmware: the message failed, and the error says why."""
    await set_options(hass, loaded, **{CONF_FLASH: True})
    for span in (1, 2):
        gateway.spans[span].send_duration = 0.05
        gateway.spans[span].sms_outcomes.append(SmsOutcome.FAILED)
    routes = tuple(Route(loaded.runtime_data, span) for span in (1, 2))
    order = SmsOrder(Recipient(PHONE, None, routes), "x" * 200, flash=True)
    sending = hass.async_create_task(async_send(hass, prepare(hass, order)))
    await until(lambda: only(loaded, "status") == [("sending",)])
    await until(lambda: any(s.state == "SMS SENDING" for s in gateway.spans.values()))
    loaded.runtime_data.gateway.sms.adapt_to(Features())

    with pytest.raises(ServiceValidationError) as error:
        await sending

    assert error.value.translation_key == "text_too_long_for_flash"
    [(status, reason)] = only(loaded, "status", "reason")
    assert status == "failed"
    assert "flash message from this gateway" in reason


async def test_an_error_that_nobody_expects(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Whether it was sent isn't known then."""
    with (
        patch.object(loaded.runtime_data.gateway.sms, "send", side_effect=OSError),
        pytest.raises(OSError),
    ):
        await send(hass, "Hello", span=1)

    [(status, reason)] = only(loaded, "status", "reason")
    assert status == "unknown"
    assert "unexpected error" in reason


async def test_an_outcome_that_is_not_known(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That stands there with the reason."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.05)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.DROP_AFTER)
    await send(hass, "Hello", span=1)

    [(status, reason)] = only(loaded, "status", "reason")
    assert status == "unknown"
    assert "connection" in reason


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)
@pytest.mark.parametrize(
    ("late", "status"),
    [(SmsOutcome.LATE_SUCCESS, "sent"), (SmsOutcome.LATE_FAILURE, "failed")],
)
async def test_an_outcome_that_is_learned_later(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    late: SmsOutcome,
    status: str,
) -> None:
    """The message changes then."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.05)
    gateway.spans[1].late_after = 0.3
    gateway.spans[1].sms_outcomes.append(late)
    await send(hass, "Hello", span=1)
    assert only(loaded, "status") == [("unknown",)]

    await until(lambda: only(loaded, "status") == [(status,)])
    [(reason,)] = only(loaded, "reason")
    assert (reason is None) is (status == "sent")


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)
async def test_a_report_that_comes_before_the_answer(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Delivered is more than sent."""
    gateway.status_reports = True
    gateway.spans[1].deliveries.append(True)
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(send(hass, "Hello", span=1))
    await until(lambda: only(loaded, "status") == [("delivered",)])
    await sending
    await settle(hass)
    assert only(loaded, "status", "span") == [("delivered", 1)]


async def test_a_caller_that_gives_up(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The message gets its outcome all the same."""
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(send(hass, "Hello", span=1))
    await until(lambda: only(loaded, "status") == [("sending",)])
    await until(lambda: gateway.spans[1].state == "SMS SENDING")
    sending.cancel()
    await until(lambda: only(loaded, "status") == [("sent",)])


async def test_the_notify_entity_of_a_contact(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """Whatever sends, it's written down."""
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.anna", "message": "Hello"},
        blocking=True,
    )
    assert only(entry, "number", "text", "status") == [(PHONE, "Hello", "sent")]


async def test_a_message_that_goes_by_another_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It's one message, with the gateway that carried it."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    routes = tuple(Route(each.runtime_data, 1) for each in (loaded, other_loaded))
    order = SmsOrder(Recipient(PHONE, None, routes), "Hello")
    await async_send(hass, prepare(hass, order))

    assert kept(loaded) == []
    assert only(other_loaded, "status", "span") == [("sent", 1)]


async def test_a_message_on_its_way_by_another_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It's there while that one sends it, as its delivery report may come by then."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    other.spans[1].send_duration = 0.2
    routes = tuple(Route(each.runtime_data, 1) for each in (loaded, other_loaded))
    order = prepare(hass, SmsOrder(Recipient(PHONE, None, routes), "Hello"))
    sending = hass.async_create_task(async_send(hass, order))
    await until(lambda: other.spans[1].state == "SMS SENDING")

    assert kept(loaded) == []
    assert only(other_loaded, "text", "status") == [("Hello", "sending")]
    await sending


async def test_the_first_gateway_keeps_none(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The other one does."""
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 0})
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    routes = tuple(Route(each.runtime_data, 1) for each in (loaded, other_loaded))
    order = SmsOrder(Recipient(PHONE, None, routes), "Hello")
    await async_send(hass, prepare(hass, order))

    assert only(other_loaded, "status", "span") == [("sent", 1)]


async def test_the_other_gateway_is_removed_before_its_turn(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The message stays with the first one, which can still keep it."""
    await send(hass, "Before", config_entry_id=other_loaded.entry_id)
    gateway.spans[1].send_duration = 0.5
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    routes = tuple(Route(each.runtime_data, 1) for each in (loaded, other_loaded))
    order = prepare(hass, SmsOrder(Recipient(PHONE, None, routes), "Hello"))
    sending = hass.async_create_task(async_send(hass, order))
    await until(lambda: gateway.spans[1].state == "SMS SENDING")
    await hass.config_entries.async_remove(other_loaded.entry_id)
    assert gateway.spans[1].state == "SMS SENDING"
    await sending

    assert only(loaded, "text", "status", "span") == [("Hello", "failed", 1)]


async def test_a_message_deleted_while_it_is_sent(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It stays deleted."""
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(send(hass, "Hello", span=1))
    await until(lambda: only(loaded, "status") == [("sending",)])
    history = loaded.runtime_data.messages
    assert history.delete([each["id"] for each in kept(loaded)]) == 1
    await sending
    assert kept(loaded) == []


# Calls


async def dial(hass: HomeAssistant, **data: Any) -> None:
    """Ring a phone."""
    await hass.services.async_call(
        "openvox",
        "dial",
        {"number": PHONE, **data},
        blocking=True,
        return_response=True,
    )


@pytest.mark.parametrize("calls_are_events", [True, False])
@pytest.mark.parametrize(
    ("scripted", "status", "duration"),
    [
        (CallOutcome.ANSWERED, "ended", 0),
        (CallOutcome.BUSY, "busy", None),
        ((CallOutcome.NO_ANSWER, 0.01), "no_answer", None),
        (CallOutcome.FAILED, "failed", None),
    ],
)
async def test_a_call_that_we_make(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    scripted: CallOutcome,
    status: str,
    duration: int | None,
    calls_are_events: bool,
) -> None:
    """It's one message, whether or not its events are seen."""
    if not calls_are_events:
        await set_options(hass, loaded, **{CONF_CALL_EVENTS: False})
    gateway.spans[2].call_outcomes.append(scripted)
    await dial(hass, span=2)
    await loaded.runtime_data.coordinator.async_refresh()

    [message] = kept(loaded)
    assert message == {
        "id": message["id"],
        "kind": "call",
        "direction": "out",
        "number": PHONE,
        "text": None,
        "time": message["time"],
        "span": 2,
        "parts": 0,
        "status": status,
        "reason": "The network didn't connect the call on span 2 of OpenVox."
        if status == "failed"
        else None,
        "duration": duration,
    }


async def test_a_call_that_rings(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's there meanwhile."""
    gateway.spans[2].call_outcomes.append((CallOutcome.NO_ANSWER, 0.1))
    dialling = hass.async_create_task(dial(hass, span=2))
    await until(lambda: only(loaded, "status", "span") == [("ringing", 2)])
    await dialling


@pytest.mark.parametrize("calls_are_events", [True, False])
async def test_a_call_that_is_given_up(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    calls_are_events: bool,
) -> None:
    """It's hung up, so nobody answered."""
    await set_options(hass, loaded, **{CONF_CALL_EVENTS: calls_are_events})
    gateway.spans[2].call_outcomes.append((CallOutcome.NO_ANSWER, 600.0))
    dialling = hass.async_create_task(dial(hass, span=2))
    await until(lambda: gateway.originated)
    dialling.cancel()
    await until(lambda: only(loaded, "status") == [("no_answer",)])


async def test_a_call_that_cannot_be_made(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With the words of the error."""
    with pytest.raises(HomeAssistantError) as error:
        await dial(hass, span=9)

    [(status, reason)] = only(loaded, "status", "reason")
    assert status == "failed"
    assert reason == f"{error.value}."


async def test_a_call_of_somebody_else(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Such as one that a telephone system makes through the gateway."""
    span = gateway.spans[3]
    span.call_outcomes.append(CallOutcome.ANSWERED)
    call, _ = await span.phone.dial(OTHER_PHONE, 20)
    await until(lambda: kept(loaded))
    assert only(loaded, "direction", "span") == [("out", 3)]
    if call:
        await call.hangup()
    await until(lambda: only(loaded, "status") == [("ended",)])
