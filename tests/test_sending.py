"""A message on its way: through which gateway, and what is published of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    CONF_HOURLY_LIMIT,
    DOMAIN,
    EVENT_SMS_SENT,
)
from custom_components.openvox_gsm.gateway import SendFailure, Work
from custom_components.openvox_gsm.gateway.sending import part as part_module
from custom_components.openvox_gsm.sending import (
    PreparedOrder,
    Recipient,
    Route,
    SmsOrder,
    async_send,
    in_turn,
    prepare,
    require_allowed,
)
from custom_components.openvox_gsm.store import CounterKey
from homeassistant.const import (
    CONF_COUNTRY,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from simulator import Box, Simulator, SmsOutcome

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


async def test_a_message_that_no_span_was_given(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """It's kept and published as one of the gateway, not of the span that was next."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.faults.refuse = True
    recipient = Recipient(PHONE, None, (Route(loaded.runtime_data),))

    outcome = await async_send(hass, prepare(hass, SmsOrder(recipient, "Hello")))
    await settle(hass)

    assert outcome.result.failure is SendFailure.NOT_CONNECTED
    [event] = events
    assert (event.data["span"], event.data["device_id"]) == (None, None)
    [kept] = loaded.runtime_data.messages.newest_first()
    assert (kept.status, kept.span) == ("failed", None)


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
    assert refused.reason == "Other has no span 9."

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

    assert outcome.reason == "OpenVox hat keinen Span 9."


# Limits


async def test_a_limit_reached_after_the_gateway_was_unloaded(
    hass: HomeAssistant, loaded: MockConfigEntry, other_loaded: MockConfigEntry
) -> None:
    """A message under way may still come to it. No issue stays behind."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    message = order("Hello", 1, loaded)
    await async_send(hass, message)
    assert await hass.config_entries.async_unload(loaded.entry_id)

    outcome = await async_send(hass, message)

    assert outcome.result.failure is SendFailure.LIMIT_REACHED
    assert ir.async_get(hass).issues == {}


# Whose turn it is


async def read_spans(*entries: MockConfigEntry) -> None:
    """Let the gateways know what their spans are like now."""
    for entry in entries:
        await entry.runtime_data.gateway.spans.read()


async def ways(hass: HomeAssistant, count: int) -> list[tuple[str, int]]:
    """Send messages one after another; return the gateway and span of each."""
    return [
        (message["config_entry_id"], message["span"])
        for _ in range(count)
        for message in await send_and_ask(hass, target=PHONE)
    ]


async def test_the_span_used_longest_ago_of_all_gateways(
    hass: HomeAssistant, loaded: MockConfigEntry, other_loaded: MockConfigEntry
) -> None:
    """So that all SIMs are used alike."""
    used = await ways(hass, 10)

    assert set(used[:5]) == {
        *((loaded.entry_id, span) for span in (1, 2, 3, 4)),
        (other_loaded.entry_id, 1),
    }
    assert used[5:] == used[:5]


async def test_a_busy_gateway_comes_after_an_idle_one(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Though the span of the idle one was used last."""
    for span in gateway.spans.values():
        span.send_duration = 0.1
    busy, idle = (Route(entry.runtime_data) for entry in (loaded, other_loaded))

    def prepared(*routes: Route) -> PreparedOrder:
        return prepare(hass, SmsOrder(Recipient(PHONE, None, routes), "Hello"))

    await async_send(hass, prepared(idle))
    sending = [
        hass.async_create_task(async_send(hass, prepared(busy))) for _ in range(4)
    ]
    await until(lambda: all(span.state for span in gateway.spans.values()))

    assert (await async_send(hass, prepared(busy, idle))).entry is other_loaded
    assert not any(each.done() for each in sending)
    await asyncio.gather(*sending)


async def test_a_gateway_with_hardly_any_signal_comes_last(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """It sends where no other can."""
    for span in gateway.spans.values():
        span.signal = 5
    await read_spans(loaded)
    assert set(await ways(hass, 6)) == {(other_loaded.entry_id, 1)}

    other.spans[1].status = "No Signal"
    await read_spans(other_loaded)
    assert await ways(hass, 1) == [(loaded.entry_id, 1)]


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True, ids=[""])
async def test_a_call_goes_by_the_gateway_whose_turn_it_is(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
) -> None:
    """A limit of SMS is none of calls."""
    for span in gateway.spans.values():
        span.limits.append("Sms")
    await read_spans(loaded)
    routes = [Route(other_loaded.runtime_data), Route(loaded.runtime_data)]
    await ways(hass, 1)

    assert [route.entry for route in in_turn(routes)] == [other_loaded, loaded]
    assert [route.entry for route in in_turn(routes, Work.CALL)] == [
        loaded,
        other_loaded,
    ]


# An outcome that's learned later


@pytest.fixture
async def today(
    hass: HomeAssistant, enable_custom_integrations: None
) -> AsyncIterator[tuple[MockConfigEntry, Simulator]]:
    """A box as sold today, set up, that tells outcomes late."""
    async with Simulator(spans=1, box=Box.TODAY) as simulator:
        simulator.spans[1].late_after = 0.3
        entry = MockConfigEntry(
            domain=DOMAIN,
            minor_version=2,
            data={
                CONF_HOST: simulator.host,
                CONF_PORT: simulator.port,
                CONF_USERNAME: "admin",
                CONF_PASSWORD: "admin",
            },
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await settle(hass)
        yield entry, simulator
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("late", "status", "counter", "room"),
    [
        (SmsOutcome.LATE_SUCCESS, "sent", CounterKey.SENT, False),
        (SmsOutcome.LATE_FAILURE, "failed", CounterKey.FAILED, True),
    ],
)
async def test_what_became_of_a_message_is_told_once(
    hass: HomeAssistant,
    today: tuple[MockConfigEntry, Simulator],
    monkeypatch: pytest.MonkeyPatch,
    late: SmsOutcome,
    status: str,
    counter: CounterKey,
    room: bool,
) -> None:
    """When it is known: the action has said by then that it is not."""
    entry, gateway = today
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.05)
    await set_options(hass, entry, **{CONF_HOURLY_LIMIT: 1})
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.spans[1].sms_outcomes.append(late)
    store = entry.runtime_data.store

    context = Context(parent_id="1")

    sms = replace(order("Hello", 1, entry), context=context)
    outcome = await async_send(hass, sms)
    await settle(hass)

    assert outcome.result.status == "unknown"
    assert events == []
    assert not store.budget.reserve(1)
    await until(lambda: events)
    [event] = events
    assert event.data["status"] == status
    assert event.context is context
    counted = {
        key: found.value for key in CounterKey if (found := store.counter(1, key))
    }
    assert counted == {key: int(key is counter) for key in CounterKey}
    # What was certainly not sent does not count against the limit.
    assert bool(store.budget.reserve(1)) is room


async def test_what_is_never_known_is_told_when_the_gateway_is_unloaded(
    hass: HomeAssistant,
    today: tuple[MockConfigEntry, Simulator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing waits for it any more."""
    entry, gateway = today
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.05)
    events = async_capture_events(hass, EVENT_SMS_SENT)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    await async_send(hass, order("Hello", 1, entry))
    assert events == []

    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)

    assert [event.data["status"] for event in events] == ["unknown"]


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
