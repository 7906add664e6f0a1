"""A message on its way: through which gateway, and what is published of it."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import CONF_ALLOWED, EVENT_SMS_SENT
from custom_components.openvox_gsm.sending import (
    Recipient,
    Route,
    SmsOrder,
    async_send,
    require_allowed,
)
from homeassistant.const import CONF_COUNTRY
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from simulator import Simulator, SmsOutcome

from .common import OTHER_PHONE, PHONE, set_options, settle, until
from .test_services import send, send_and_ask

LONG = "All work and no play makes Jack a dull boy. " * 10  # three parts


def order(text: str, span: int, *entries: MockConfigEntry) -> SmsOrder:
    """Return a message to one phone, through a span of each of the gateways."""
    routes = tuple(Route(entry.runtime_data, span) for entry in entries)
    return SmsOrder(Recipient(PHONE, None, routes), text)


async def test_whoever_gives_up_ends_the_message(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """What is under way goes on, and the bus hears what became of it."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.spans[1].send_duration = 0.05
    sending = hass.async_create_task(async_send(hass, order(LONG, 1, loaded)))
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
        async_send(hass, order("Hello", 1, loaded, other_loaded))
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
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    sent = await async_send(hass, order("Hello", 1, loaded, other_loaded))
    assert (sent.entry, sent.reason) == (other_loaded, None)

    refused = await async_send(hass, order("Hello", 9, loaded, other_loaded))
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

    outcome = await async_send(hass, order("Hello", 9, entry))

    assert outcome.reason == "OpenVox hat keinen Span 9"


# Who may get it


@pytest.mark.parametrize(
    ("allowed", "number", "expected"),
    [
        ([], "+1900", True),
        (["+49"], PHONE, True),
        (["+49"], "+43900", False),
        (["+49"], "491234", False),  # a short code of some other network
        (["+49", "10086"], "10086", True),
        (["10086"], "1008", False),
        # As version 0.1.0 kept them
        (["015"], PHONE, True),
        (["0043"], "+436601234567", True),
        (["Anna", "+49"], PHONE, True),
        (["Anna"], PHONE, False),
    ],
)
async def test_which_numbers_are_allowed(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    allowed: list[str],
    number: str,
    expected: bool,
) -> None:
    """An allowed destination is a number or its beginning; none means all."""
    options = {CONF_ALLOWED: allowed, CONF_COUNTRY: "DE"}
    hass.config_entries.async_update_entry(loaded, options=options)
    recipient = Recipient(number, None, (Route(loaded.runtime_data),))

    if expected:
        assert require_allowed(hass, recipient) == recipient
    else:
        with pytest.raises(ServiceValidationError) as error:
            require_allowed(hass, recipient)
        assert error.value.translation_key == "destination_not_allowed"


async def test_nothing_goes_elsewhere(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Nor to those who are allowed, where one of several is not; no call, either."""
    await set_options(hass, loaded, **{CONF_ALLOWED: [PHONE]})

    for target in (OTHER_PHONE, [PHONE, OTHER_PHONE]):
        with pytest.raises(ServiceValidationError) as caught:
            await send(hass, target=target)
        assert caught.value.translation_key == "destination_not_allowed"
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "openvox", "dial", {"number": OTHER_PHONE}, blocking=True
        )
    assert caught.value.translation_key == "destination_not_allowed"
    assert gateway.sent == []
    assert not [name for name in gateway.actions if name == "Originate"]

    await send(hass, target=PHONE)
    assert len(gateway.sent) == 1


async def test_the_gateway_that_may(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Where several would do, one that may send there is taken."""
    await set_options(hass, loaded, **{CONF_ALLOWED: [OTHER_PHONE]})

    [message] = await send_and_ask(hass, target=PHONE)

    assert message["status"] == "sent"
    assert (len(gateway.sent), len(other.sent)) == (0, 1)
