"""A message on its way: by which gateway, and what is told of it."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import EVENT_SMS_SENT
from custom_components.openvox_gsm.sending import OutgoingSms, async_send
from homeassistant.core import HomeAssistant
from simulator import Simulator, SmsOutcome

from .common import PHONE, settle, until

LONG = "All work and no play makes Jack a dull boy. " * 10  # three parts


async def test_whoever_gives_up_ends_the_message(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """What is under way goes on, and the bus hears what became of it."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(
        async_send(OutgoingSms(PHONE, LONG, 1), [loaded.runtime_data])
    )
    await until(lambda: gateway.sent_parts)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await settle(hass)

    [event] = events
    assert event.data["status"] == "failed"
    assert event.data["error"] == "given_up"
    assert event.data["parts_sent"] == len(gateway.sent_parts) < 3


async def test_a_message_given_up_goes_to_no_other_gateway(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Though the first one could not send it."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.spans[1].send_duration = 0.05
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    sending = hass.async_create_task(
        async_send(
            OutgoingSms(PHONE, "Hello", 1),
            [loaded.runtime_data, other_loaded.runtime_data],
        )
    )
    await until(lambda: gateway.spans[1].state == "SMS SENDING")
    sending.cancel()
    await settle(hass)

    assert [event.data["error"] for event in events] == ["rejected"]
    assert other.sent == []


async def test_two_gateways_tell_one_outcome(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
) -> None:
    """That of the last one that tried."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateways = [loaded.runtime_data, other_loaded.runtime_data]
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    sent = await async_send(OutgoingSms(PHONE, "Hello", 1), gateways)
    assert (sent.coordinator, sent.reason) == (gateways[1], None)

    refused = await async_send(OutgoingSms(PHONE, "Hello", 9), gateways)
    assert refused.reason == "Other has no span 9"

    entries = [event.data["config_entry_id"] for event in events]
    assert entries == 2 * [other_loaded.entry_id]


async def test_a_reason_in_the_language_of_the_server(
    hass: HomeAssistant, entry: MockConfigEntry, enable_custom_integrations: None
) -> None:
    """It stands inside of other texts, which are translated by their keys."""
    hass.config.language = "de"
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    outcome = await async_send(OutgoingSms(PHONE, "Hello", 9), [entry.runtime_data])

    assert outcome.reason == "OpenVox hat keinen Span 9"
