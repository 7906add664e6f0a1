"""The self-test: SMS from one span to another, and a report in words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.openvox_gsm import self_test as self_test_module
from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_SENT,
)
from custom_components.openvox_gsm.gateway.receiving.received_part import ReceivedPart
from homeassistant.components import persistent_notification
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from simulator import Box, SentSms, Simulator, SmsOutcome

NUMBERS = {1: "+4915100000001", 2: "+4915100000002"}
TARGET = NUMBERS[2]
STRANGER = "+4915199999999"

# The boxes of 2013 don't know the numbers of their SIM cards.
pytestmark = pytest.mark.parametrize(
    "gateway", [{"box": Box.TODAY, "sms_received": True}], indirect=True, ids=[""]
)

type Network = Callable[[SentSms], str | None]


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait long for what doesn't come."""
    monkeypatch.setattr(self_test_module, "ARRIVAL_TIME", 1.0)
    monkeypatch.setattr(self_test_module, "REPORT_TIME", 0.05)


@pytest.fixture
def numbers(gateway: Simulator) -> None:
    """Let the gateway know the numbers of its SIM cards."""
    for span, number in NUMBERS.items():
        gateway.spans[span].own_number = number


@pytest.fixture
async def network(
    hass: HomeAssistant, gateway: Simulator, numbers: None, in_a_hurry: None
) -> AsyncIterator[list[Network]]:
    """Carry what is sent to the second span; a test may put in what it makes of it."""
    carried: list[Network] = [lambda sms: sms.text]

    async def carry() -> None:
        done = 0
        while True:
            for sms in gateway.sent[done:]:
                done += 1
                text = carried[-1](sms)
                if text is not None:
                    sender = NUMBERS[sms.span] if len(carried) < 3 else STRANGER
                    target = next(n for n in NUMBERS if NUMBERS[n] == sms.number)
                    await gateway.receive_sms(target, sender, text)
            await asyncio.sleep(0.01)

    carrier = asyncio.create_task(carry())
    yield carried
    carrier.cancel()


async def start(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Run the action and return its response."""
    response = await hass.services.async_call(
        "openvox", "self_test", {"span": 1} | data, blocking=True, return_response=True
    )
    assert response
    return response


@pytest.mark.usefixtures("network")
async def test_what_it_costs_is_said_before(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nothing is sent until that is wanted."""
    response = await start(hass)
    assert response["cost"] == 4
    assert response["passed"] is None
    [report] = response["report"]
    assert "sends 4 SMS from span 1 to span 2 of OpenVox." in report
    assert gateway.sent == []


@pytest.mark.usefixtures("network")
async def test_a_gateway_that_does_everything_right(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Accents, emoji and two parts, the sender and the time."""
    response = await start(hass, send=True)
    assert response["passed"] is True
    assert response["sent"] == response["cost"] == 4
    assert response["report"] == [
        "An SMS with accents arrived unchanged after 0 seconds.",
        "The sender is span 1's own number.",
        "The timestamp is right.",
        "An SMS with emoji arrived unchanged after 0 seconds.",
        "A long SMS in two parts arrived unchanged after 0 seconds.",
        "The gateway didn't report the delivery.",
    ]


@pytest.mark.usefixtures("numbers")
async def test_a_gateway_like_that_of_the_demo(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What it sends comes in at its other span, and the delivery is reported."""
    gateway.carries_sms = gateway.status_reports = True
    response = await start(hass, send=True)
    assert response["passed"] is True
    report = " ".join(response["report"])
    assert report.count("arrived unchanged") == 3
    assert "didn't report the delivery" not in report


@pytest.mark.usefixtures("network")
async def test_a_network_that_reports_the_delivery(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may do so after the last SMS has arrived."""
    monkeypatch.setattr(self_test_module, "REPORT_TIME", 5.0)
    gateway.status_reports = True
    response = await start(hass, send=True)
    assert response["passed"] is True
    assert "The network reported the delivery." in response["report"]


@pytest.mark.usefixtures("network")
async def test_who_sent_it(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """The events have the context of the action."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    context = Context(parent_id="1")
    await hass.services.async_call(
        *("openvox", "self_test", {"span": 1, "send": True}),
        blocking=True,
        context=context,
    )
    assert [event.context for event in events] == [context] * 3


@pytest.mark.usefixtures("network")
async def test_only_one_at_a_time(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A second press, or a second action, costs nothing and says why."""
    first = hass.async_create_task(start(hass, send=True))
    while not gateway.sent:
        await asyncio.sleep(0.001)
    with pytest.raises(ServiceValidationError, match="is already running"):
        await start(hass, send=True)
    assert (await first)["passed"] is True
    assert len(gateway.sent) == 3  # texts, one of them in two parts

    assert (await start(hass, send=True))["passed"] is True


@pytest.mark.usefixtures("all_entities", "network")
async def test_the_button_pressed_twice(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Once it's pressed, the next press is refused."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "button", "openvox_gsm", f"{loaded.entry_id}_self_test"
    )
    press = ("button", "press", {"entity_id": entity_id}, True)
    await hass.services.async_call(*press)
    with pytest.raises(ServiceValidationError, match="is already running"):
        await hass.services.async_call(*press)


async def test_a_text_that_was_changed(
    hass: HomeAssistant, network: list[Network], loaded: MockConfigEntry
) -> None:
    """The rest is tried all the same."""
    network.append(lambda sms: sms.text.replace("é", "?"))
    response = await start(hass, send=True)
    assert response["passed"] is False
    expected = "An SMS with accents arrived after 0 seconds, but with a different text."
    assert response["report"][0] == expected
    assert response["sent"] == 4


async def test_an_sms_that_never_arrives(
    hass: HomeAssistant, network: list[Network], loaded: MockConfigEntry
) -> None:
    """No others are sent, as they would only cost money."""
    network.append(lambda _sms: None)
    response = await start(hass, send=True)
    assert response["passed"] is False
    assert response["sent"] == 1
    [report] = response["report"]
    assert report.startswith(
        "An SMS with accents was sent, but didn't arrive within 1 seconds. "
    )
    assert "Check the number" in report


async def test_another_sender(
    hass: HomeAssistant, network: list[Network], loaded: MockConfigEntry
) -> None:
    """Automations that go by the sender would not see it."""
    network += [lambda sms: sms.text] * 2
    response = await start(hass, send=True)
    assert response["passed"] is False
    assert "The sender isn't span 1's own number." in response["report"]


@pytest.mark.usefixtures("network")
async def test_a_clock_that_is_wrong(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Automations that go by the time of an SMS would act on a wrong one."""
    receive = gateway.receive_sms
    late = partial(receive, when=dt_util.utcnow() - timedelta(minutes=10))
    monkeypatch.setattr(gateway, "receive_sms", late)
    response = await start(hass, send=True)
    assert response["passed"] is False
    assert "The timestamp is off by 10 minutes." in response["report"]


async def test_what_is_not_of_the_test(
    hass: HomeAssistant,
    gateway: Simulator,
    network: list[Network],
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another SMS to the span that receives, and a delivery of another message."""
    receive = gateway.receive_sms

    async def receive_another_first(span: int, sender: str, text: str) -> None:
        await receive(span, STRANGER, "Buy two: one is free")
        ours = {"config_entry_id": loaded.entry_id, "target": TARGET}
        for other in ({"config_entry_id": "another"}, {"target": STRANGER}):
            hass.bus.async_fire(EVENT_SMS_DELIVERED, ours | other)
        await receive(span, sender, text)

    monkeypatch.setattr(gateway, "receive_sms", receive_another_first)

    response = await start(hass, send=True)

    report = " ".join(response["report"])
    assert report.count("arrived unchanged") == 3
    assert "didn't report the delivery" in report
    assert response["passed"] is True


@pytest.mark.parametrize("own_number", ["", "015112345678"])
async def test_what_cannot_be_compared(
    hass: HomeAssistant,
    gateway: Simulator,
    network: list[Network],
    loaded: MockConfigEntry,
    own_number: str,
) -> None:
    """The sender where the span's number isn't known, and a time that isn't there."""

    def without_time(sms: SentSms) -> None:
        loaded.runtime_data.publisher.assembler.add(
            ReceivedPart(
                *(2, NUMBERS[1], sms.text),
                sent_at=None,
                time_stamp="",
                arrived_at=dt_util.utcnow(),
            )
        )

    network.append(without_time)
    gateway.spans[1].own_number = own_number
    await loaded.runtime_data.coordinator.async_refresh()

    response = await start(hass, send=True)

    report = " ".join(response["report"])
    assert report.count("arrived unchanged") == 3
    assert "sender" not in report
    assert "timestamp" not in report
    assert response["passed"] is True


@pytest.mark.usefixtures("network")
async def test_an_sms_that_is_not_sent(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The reason is the one that every other message would have."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    response = await start(hass, send=True)
    assert response["passed"] is False
    assert response["sent"] == 0
    assert response["report"] == [
        "An SMS with accents wasn't sent. "
        "The network rejected it on span 1 of OpenVox. The test ended here."
    ]


@pytest.mark.usefixtures("network")
async def test_the_allowed_destinations_apply(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A test is no way around them."""
    hass.config_entries.async_update_entry(loaded, options={CONF_ALLOWED: ["+33"]})
    with pytest.raises(ServiceValidationError, match="allowed destination"):
        await start(hass, send=True)
    assert gateway.sent == []


async def test_a_gateway_that_does_not_know_its_numbers(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The number can be given, together with its span."""
    for given in ({}, {"to_span": 2}):
        with pytest.raises(ServiceValidationError, match="needs the phone number"):
            await start(hass, **given)
    response = await start(hass, number=TARGET, to_span=2)
    assert "to span 2" in response["report"][0]


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize(
    ("without_sim", "given", "reason"),
    [
        ([], {"to_span": 1}, "Span 1 of OpenVox can't send the self-test to itself"),
        ([], {"number": STRANGER}, "Enter the receiving span as well"),
        ([2, 3, 4], {}, "two different spans of OpenVox.*spans that are ready now: 1"),
        ([1], {}, "Span 1 of OpenVox has no SIM"),
        ([2], {"to_span": 2}, "Span 2 of OpenVox has no SIM"),
        ([], {"to_span": 9}, "OpenVox has no span 9"),
        ([], {"to_span": 2, "number": "Anna"}, '"Anna" is neither'),
    ],
)
async def test_what_is_missing_is_said(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    without_sim: list[int],
    given: dict[str, Any],
    reason: str,
) -> None:
    """Spans that are ready, the one that was chosen, or a number that can be dialed."""
    for span in without_sim:
        gateway.spans[span].status = "Undetected SIM Card"
    await loaded.runtime_data.coordinator.async_refresh()

    with pytest.raises(ServiceValidationError, match=reason):
        await start(hass, **given)
    assert gateway.sent == []


@pytest.mark.usefixtures("all_entities", "network")
async def test_the_button_reports_in_a_notification(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is disabled by default, as it costs money."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "button", "openvox_gsm", f"{loaded.entry_id}_self_test"
    )
    assert entity_id
    notifications: dict[str, Any] = {}
    persistent_notification.async_register_callback(
        hass, lambda _kind, changed: notifications.update(changed)
    )
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True
    )
    async with asyncio.timeout(5):
        while not notifications:
            await asyncio.sleep(0.01)
    (notification,) = notifications.values()
    assert notification["title"] == "Self-test of OpenVox"
    assert notification["message"].count("arrived unchanged") == 3


@pytest.mark.usefixtures("all_entities", "network")
async def test_the_button_is_for_administrators(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_admin_user: MockUser,
) -> None:
    """Only for administrators, like the action. Its state and the events name the user."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "button", "openvox_gsm", f"{loaded.entry_id}_self_test"
    )
    events = async_capture_events(hass, EVENT_SMS_SENT)
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": True})
    press = ("button", "press", {"entity_id": entity_id}, True)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(*press, Context(user_id=user.id))
    assert gateway.sent == []

    context = Context(user_id=hass_admin_user.id)
    await hass.services.async_call(*press, context)
    pressed = hass.states.get(entity_id)
    assert pressed
    assert pressed.context is context
    async with asyncio.timeout(5):
        while len(events) < 3:
            await asyncio.sleep(0.01)
    assert [event.context for event in events] == [context] * 3


@pytest.mark.usefixtures("network")
async def test_a_language_whose_texts_are_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Right after a change of the language, the report is in English."""
    hass.config.language = "nl"
    response = await start(hass)
    assert "sends 4 SMS from span 1 to span 2" in response["report"][0]


async def test_the_button_is_disabled_by_default(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Nobody presses it by chance."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        "button", "openvox_gsm", f"{loaded.entry_id}_self_test"
    )
    assert entity_id
    entity = registry.async_get(entity_id)
    assert entity
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert entity.entity_category is EntityCategory.DIAGNOSTIC
    assert entity.original_name == "Run self-test (sends SMS)"
