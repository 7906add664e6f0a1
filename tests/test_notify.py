"""Contacts as something to notify."""

from datetime import datetime, timedelta
import logging
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    mock_restore_cache,
)

from custom_components.openvox_gsm.const import EVENT_SMS_SENT, SUBENTRY_CONTACT
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import (
    CONF_COUNTRY,
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from simulator import Simulator, SmsOutcome

from .common import OTHER_PHONE, PHONE, settle, until

ANNA = "notify.anna"
BERT = "notify.bert"


def contact(name: str, number: str, **data: Any) -> ConfigSubentry:
    """Return a contact as the flow makes it."""
    return ConfigSubentry(
        subentry_type=SUBENTRY_CONTACT,
        title=name,
        unique_id=None,
        data=MappingProxyType({"name": name, "number": number, **data}),
    )


@pytest.fixture
def entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """The gateway with two contacts; one is always reached by span 3."""
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(entry, contact("Anna", PHONE))
    hass.config_entries.async_add_subentry(entry, contact("Bert", OTHER_PHONE, span=3))
    return entry


async def notify(hass: HomeAssistant, entity_id: str, **data: Any) -> None:
    """Send a message to a contact."""
    await hass.services.async_call(
        "notify", "send_message", {"entity_id": entity_id, **data}, blocking=True
    )


async def send_sms(hass: HomeAssistant, **data: Any) -> None:
    """Send a message in the other way."""
    await hass.services.async_call(
        "notify", "send_sms", {"message": "Hello", **data}, blocking=True
    )
    await settle(hass)


def state_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity."""
    state = hass.states.get(entity_id)
    assert state
    return state.state


async def test_a_contact_is_an_entity(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Named as the contact, part of its subentry and of no device."""
    state = hass.states.get(ANNA)
    registered = er.async_get(hass).async_get(ANNA)
    assert state
    assert registered
    assert (state.name, state.state) == ("Anna", STATE_UNKNOWN)
    assert registered.device_id is None
    assert registered.config_subentry_id == next(iter(loaded.subentries))


async def test_a_message_goes_to_the_number(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With the title in front; the state is when."""
    await notify(hass, ANNA, message="The pump has failed", title="Alarm")
    await notify(hass, ANNA, message="And the heating")

    assert [(sms.number, sms.text) for sms in gateway.sent] == [
        (PHONE, "Alarm: The pump has failed"),
        (PHONE, "And the heating"),
    ]
    assert state_of(hass, ANNA) == dt_util.utcnow().isoformat()
    assert state_of(hass, BERT) == STATE_UNKNOWN


async def test_messages_to_two_contacts_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """One doesn't wait for the other, since each has a span of its own."""
    gateway.spans[3].send_duration = 0.5
    slow = hass.async_create_task(notify(hass, BERT, message="Slow"))
    await until(lambda: gateway.spans[3].doing == "SMS SENDING")

    await notify(hass, ANNA, message="Quick")

    assert not slow.done()
    await slow
    assert {sms.text for sms in gateway.sent} == {"Slow", "Quick"}


async def test_a_contact_that_is_renamed(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """By Home Assistant's own Rename, which changes nothing but the title."""
    anna = next(iter(loaded.subentries.values()))
    hass.config_entries.async_update_subentry(loaded, anna, title="Anne")
    await settle(hass)

    state = hass.states.get(ANNA)
    assert state
    assert state.attributes["friendly_name"] == "Anne"
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)
    with pytest.raises(HomeAssistantError, match="Anne: "):
        await notify(hass, ANNA, message="Hello")


async def test_a_contact_that_is_changed_while_disabled(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its entity was never added, which isn't an error; enabled, it has the change."""
    subentry = next(iter(entry.subentries.values()))
    registry = er.async_get(hass)
    registry.async_get_or_create(
        "notify",
        "openvox_gsm",
        f"{entry.entry_id}_{subentry.subentry_id}",
        suggested_object_id="anna",
        config_entry=entry,
        config_subentry_id=subentry.subentry_id,
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert hass.states.get(ANNA) is None

    for number in (OTHER_PHONE, "+4915100000000"):
        hass.config_entries.async_update_subentry(
            entry, subentry, data={**subentry.data, "number": number}
        )
        await settle(hass)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []

    registry.async_update_entity(ANNA, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    await notify(hass, ANNA, message="Hello")
    assert [sms.number for sms in gateway.sent] == ["+4915100000000"]


async def test_who_sent_it(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Event and state have the context of the action, so that Activity can show it."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    for context, name, data in (
        (Context(parent_id="1"), "send_message", {"entity_id": ANNA}),
        (Context(parent_id="2"), "send_sms", {"target": "Bert"}),
    ):
        await hass.services.async_call(
            "notify", name, {"message": "Hello", **data}, blocking=True, context=context
        )
        assert events.pop().context is context
    sent = hass.states.get(ANNA)
    assert sent
    assert sent.context.parent_id == "1"


async def test_a_contact_has_a_span(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Each message takes it, ready or not."""
    await notify(hass, BERT, message="Hello")
    await notify(hass, BERT, message="Hello")
    assert [sms.span for sms in gateway.sent] == [3, 3]

    gateway.spans[3].status = "No Signal"
    with pytest.raises(HomeAssistantError, match="Span 3 of OpenVox isn't registered"):
        await notify(hass, BERT, message="Hello")
    assert len(gateway.sent) == 2


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (
            SmsOutcome.FAILED,
            "Sending failed. Bert: The network rejected it on span 3 of OpenVox.",
        ),
        (
            SmsOutcome.DROP_AFTER,
            "Sending failed or couldn't be confirmed. Bert: It's unknown whether it "
            "was sent, because the connection to OpenVox was lost",
        ),
    ],
)
async def test_a_message_that_is_not_sent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    gateway: Simulator,
    outcome: SmsOutcome,
    reason: str,
) -> None:
    """Is an error that says why; the number is not in it. It is no notification."""
    gateway.spans[3].sms_outcomes.append(outcome)

    with pytest.raises(HomeAssistantError) as caught:
        await notify(hass, BERT, message="Hello")

    assert str(caught.value).startswith(reason)
    assert OTHER_PHONE not in str(caught.value)
    assert state_of(hass, BERT) == STATE_UNKNOWN


async def test_a_message_that_is_sent_in_part(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Says how much of it."""
    gateway.spans[3].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])

    with pytest.raises(HomeAssistantError, match=r" 1 of 2 parts were sent\.$"):
        await notify(hass, BERT, message="x" * 200)

    assert state_of(hass, BERT) == STATE_UNKNOWN


async def test_a_text_that_cannot_be_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Is the caller's mistake."""
    with pytest.raises(ServiceValidationError, match="The message is empty"):
        await notify(hass, ANNA, message="")
    assert not gateway.sent
    assert state_of(hass, ANNA) == STATE_UNKNOWN


# Messages that go to the number in other ways


@pytest.mark.parametrize("target", [PHONE, "+49 (151) 1234-5678", "0049 15112345678"])
async def test_an_sms_to_the_number_counts(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    target: str,
) -> None:
    """However it is written; for nobody else."""
    await send_sms(hass, target=target)

    assert state_of(hass, ANNA) == dt_util.utcnow().isoformat()
    assert state_of(hass, BERT) == STATE_UNKNOWN


async def test_an_sms_to_a_number_without_country_counts(
    hass: HomeAssistant, entry: MockConfigEntry, enable_custom_integrations: None
) -> None:
    """Where the country is known."""
    hass.config_entries.async_update_entry(entry, options={CONF_COUNTRY: "DE"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    await send_sms(hass, target="0151 12345678")

    assert state_of(hass, ANNA) != STATE_UNKNOWN


async def test_an_sms_that_fails_does_not_count(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """As with the contact's own."""
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)

    with pytest.raises(HomeAssistantError):
        await send_sms(hass, target=PHONE)

    assert state_of(hass, ANNA) == STATE_UNKNOWN


async def test_an_sms_to_the_number_while_its_own_fails(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """That of others is known as soon as it's clear which one was sent."""
    gateway.spans[3].sms_outcomes.append(SmsOutcome.FAILED)
    gateway.spans[3].send_duration = 0.5
    own = hass.async_create_task(notify(hass, BERT, message="Hello"))
    await until(lambda: gateway.commands[-1].startswith("gsm send sync sms 3"))
    await hass.services.async_call(
        *("notify", "send_sms", {"message": "Hi", "target": OTHER_PHONE, "span": 1}),
        blocking=True,
    )
    assert not own.done()
    assert state_of(hass, BERT) == STATE_UNKNOWN

    with pytest.raises(HomeAssistantError):
        await own

    assert len(gateway.sent) == 1
    assert state_of(hass, BERT) != STATE_UNKNOWN


async def test_its_own_that_fails_does_not_count_later(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """What was sent meanwhile is over."""
    await notify(hass, BERT, message="Hello")
    before = state_of(hass, BERT)
    gateway.spans[3].sms_outcomes.append(SmsOutcome.FAILED)
    with pytest.raises(HomeAssistantError):
        await notify(hass, BERT, message="Hello")

    assert state_of(hass, BERT) == before


async def test_a_message_counts_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The contact's own is not counted again when its outcome arrives."""
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)

    await notify(hass, ANNA, message="Hello")
    await settle(hass)

    assert len([each for each in changes if each.data["entity_id"] == ANNA]) == 1


# Over time


async def test_the_last_message_is_known_after_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, enable_custom_integrations: None
) -> None:
    """Home Assistant keeps it."""
    last = (datetime.now(dt_util.UTC) - timedelta(days=1)).isoformat()
    mock_restore_cache(hass, [State(ANNA, last)])

    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert state_of(hass, ANNA) == last


async def test_a_contact_stays_available(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """While the gateway is away; sending says so."""
    await gateway.stop()
    await settle(hass)
    assert state_of(hass, ANNA) != STATE_UNAVAILABLE

    with pytest.raises(HomeAssistantError, match="OpenVox"):
        await notify(hass, ANNA, message="Hello")
