"""The triggers, in automations that run."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
import json
import logging
from pathlib import Path
import threading
from time import thread_time
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol

from custom_components.openvox_gsm import trigger as trigger_module
from custom_components.openvox_gsm.gateway import StatusReport
from homeassistant.const import CONF_COUNTRY, STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.trigger import (
    async_get_all_descriptions,
    async_initialize_triggers,
    async_validate_trigger_config,
)
from homeassistant.setup import async_setup_component
from simulator import Simulator, SmsOutcome

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    gateway_device,
    said,
    settle,
    span_device,
    until,
    until_later,
)

CONNECTED = "binary_sensor.openvox_connectivity"
ROOT = Path(trigger_module.__file__).parent
SMS, CALL = "openvox_gsm.sms_received", "openvox_gsm.call_received"
DELIVERED = "openvox_gsm.sms_delivered"
SENT, FAILED = "openvox_gsm.sms_sent", "openvox_gsm.sms_failed"
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

type Automate = Callable[..., Awaitable[list[Event]]]


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SMS and calls rest no longer than on a wire without forgers."""
    for module in ("receiving.inbox", "calls.tracker"):
        monkeypatch.setattr(
            f"custom_components.openvox_gsm.gateway.{module}.SETTLE_TIME", 0.01
        )


@pytest.fixture
async def germany(
    hass: HomeAssistant, enable_custom_integrations: None, entry: MockConfigEntry
) -> MockConfigEntry:
    """A gateway in Germany that is set up, with a contact."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_COUNTRY: "DE"})
    add_contact(hass, entry, "Anna", PHONE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    return entry


@pytest.fixture
def automate(hass: HomeAssistant, germany: MockConfigEntry) -> Automate:
    """Make an automation that runs on a trigger; returns what it sees."""

    async def make(
        trigger: str,
        options: dict[str, Any] | None = None,
        target: dict[str, Any] | None = None,
        see: str = "{{ trigger.message | default(trigger.caller) }}",
    ) -> list[Event]:
        seen: list[Event] = async_capture_events(hass, "seen")
        config: dict[str, Any] = {"trigger": trigger}
        if options is not None:
            config["options"] = options
        if target is not None:
            config["target"] = target
        assert await async_setup_component(
            hass,
            "automation",
            {
                "automation": {
                    "id": "on_news",
                    "alias": "On news",
                    "mode": "queued",
                    "triggers": config,
                    "actions": {"event": "seen", "event_data": {"see": see}},
                }
            },
        )
        await settle(hass)
        return seen

    return make


def is_usable(hass: HomeAssistant) -> bool:
    """Tell whether the automation's configuration was accepted."""
    return hass.states.is_state("automation.on_news", STATE_ON)


@pytest.fixture
def receive(
    hass: HomeAssistant, gateway: Simulator, germany: MockConfigEntry
) -> Callable[..., Awaitable[None]]:
    """Let an SMS come in, and all that it sets off come to an end."""
    published = async_capture_events(hass, "openvox_gsm_sms_received")

    async def receive(text: str, sender: str = PHONE, span: int = 1) -> None:
        count = len(published)
        await gateway.receive_sms(span, sender, text)
        await until(lambda: len(published) > count)
        await settle(hass)

    return receive


@pytest.fixture
def ring(
    hass: HomeAssistant, gateway: Simulator, germany: MockConfigEntry
) -> Callable[..., Awaitable[None]]:
    """Let a call come in and be missed, and all that it sets off come to an end."""
    published = async_capture_events(hass, "openvox_gsm_call")

    async def ring(caller: str, span: int = 1) -> None:
        count = len(published)
        call = await gateway.incoming_call(span, caller)
        await call.hangup()
        await until(lambda: len(published) == count + 2)
        await settle(hass)

    return ring


def seen_by(events: list[Event]) -> list[Any]:
    """Return what an automation saw."""
    return [event.data["see"] for event in events]


# SMS


async def test_any_sms(
    hass: HomeAssistant, automate: Automate, receive: Any, germany: MockConfigEntry
) -> None:
    """Without options every SMS runs the automation, which gets all of its data."""
    seen = await automate(SMS, see="{{ trigger }}")

    await receive("Hello")

    told = seen[0].data["see"]
    received_at = told.pop("received_at")
    assert datetime.fromisoformat(received_at).tzinfo
    assert told == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": SMS,
        "description": "SMS on span 1",
        "span": 1,
        "device_id": span_device(hass, germany, 1).id,
        "sender": PHONE,
        "contact": "Anna",
        "message": "Hello",
        "parts": 1,
        "complete": True,
        "groups": {},
    }


@pytest.mark.parametrize(
    ("wanted", "senders", "seen"),
    [
        ([PHONE], [PHONE, OTHER_PHONE], [PHONE]),
        ("0049 151 / 1234 5678", [PHONE, OTHER_PHONE], [PHONE]),
        (["0151 12345678", OTHER_PHONE], [PHONE, OTHER_PHONE], [PHONE, OTHER_PHONE]),
        (4915112345678, [PHONE, OTHER_PHONE], [PHONE]),
        (["mybank"], ["MyBank", "YourBank", PHONE], ["MyBank"]),
        (["10086"], ["10086", "+4910086"], ["10086"]),
        (["x"], ["X", PHONE], ["X"]),
        # Anyone can send under the name of a contact.
        (["Anna"], ["Anna", "ANNA", "Bert", PHONE, OTHER_PHONE], [PHONE]),
        ([" anna\u200e", "Bert"], ["Anna", "Bert", PHONE], ["Bert", PHONE]),
    ],
)
async def test_the_sender(
    automate: Automate,
    receive: Any,
    wanted: Any,
    senders: list[str],
    seen: list[str],
) -> None:
    """A number by its digits, a contact by its number, another name by its letters."""
    events = await automate(SMS, {"senders": wanted}, see="{{ [trigger.sender] }}")

    for sender in senders:
        await receive("Hello", sender)

    assert [each for [each] in seen_by(events)] == seen


async def test_a_sender_who_becomes_a_contact(
    hass: HomeAssistant, automate: Automate, receive: Any, germany: MockConfigEntry
) -> None:
    """The name stands for the number from then on."""
    events = await automate(SMS, {"senders": ["Carl"]}, see="{{ [trigger.sender] }}")
    await receive("Before", "Carl")
    await receive("Before", OTHER_PHONE)
    add_contact(hass, germany, "Carl", OTHER_PHONE)
    await receive("Afterwards", "Carl")
    await receive("Afterwards", OTHER_PHONE)

    assert [each for [each] in seen_by(events)] == ["Carl", OTHER_PHONE]


async def test_known_contacts_only(automate: Automate, receive: Any) -> None:
    """Nobody else."""
    events = await automate(SMS, {"known_contacts": True}, see="{{ trigger.contact }}")

    await receive("Hello", OTHER_PHONE)
    await receive("Hello", "Anna")
    await receive("Hello", PHONE)

    assert seen_by(events) == ["Anna"]


@pytest.mark.parametrize(
    ("options", "fits", "does_not_fit"),
    [
        ({"text": "open"}, ["open", "OPEN", " Open\n"], ["open gate", "reopen", "x"]),
        ({"text": "open", "ignore_case": False}, ["open"], ["Open"]),
        ({"text": "Öffne ", "match": "is"}, ["öffne"], ["öffne das Tor"]),
        ({"text": "gate", "match": "contains"}, ["open Gate 1"], ["open"]),
        ({"text": "a.e", "match": "contains"}, ["a.e"], ["ate"]),
        ({"text": "open", "match": "starts_with"}, ["Open it"], ["please open"]),
        ({"text": "^open$", "match": "regex"}, ["OPEN"], ["open it"]),
        ({"text": "o+", "match": "regex", "ignore_case": False}, ["foo"], ["FOO"]),
    ],
)
async def test_the_text(
    automate: Automate,
    receive: Any,
    options: dict[str, Any],
    fits: list[str],
    does_not_fit: list[str],
) -> None:
    """Compared in one of four ways; its case and outer blanks do not matter."""
    events = await automate(SMS, options)

    for text in (*does_not_fit, *fits):
        await receive(text)

    assert [str(each).strip() for each in seen_by(events)] == [
        each.strip() for each in fits
    ]


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize("match", ["contains", "starts_with", "regex"])
@pytest.mark.parametrize("text", [{}, {"text": ""}, {"text": " \n"}])
async def test_a_text_that_every_sms_has(
    hass: HomeAssistant, match: str, text: dict[str, str]
) -> None:
    """It's refused when the automation is loaded or saved: it would let everyone in."""
    config = {"platform": SMS, "options": {"match": match} | text}
    with pytest.raises(vol.Invalid, match="every SMS would match") as error:
        await async_validate_trigger_config(hass, [config])
    assert error.value.path == ["options", "text"]


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_an_invalid_expression(hass: HomeAssistant) -> None:
    """The error names the field in which it is."""
    config = {"platform": SMS, "options": {"match": "regex", "text": "("}}
    with pytest.raises(vol.Invalid, match="not a regular expression") as error:
        await async_validate_trigger_config(hass, [config])
    assert error.value.path == ["options", "text"]


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_an_expression_that_takes_all_memory(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """It's refused: every user may have Home Assistant check a trigger."""
    client = await hass_ws_client(access_token=hass_read_only_access_token)
    options = {"text": "a{100000000}", "match": "regex"}
    await client.send_json_auto_id(
        {"type": "validate_config", "triggers": {"trigger": SMS, "options": options}}
    )
    answer = (await client.receive_json())["result"]["triggers"]

    assert not answer["valid"]
    assert "too long, or repeats too much" in answer["error"]


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("trigger", "options"), [(SMS, {"senders": None}), (CALL, {"callers": None})]
)
async def test_numbers_that_are_null(
    hass: HomeAssistant, trigger: str, options: dict[str, None]
) -> None:
    """They're refused: an input that was left out doesn't mean everyone."""
    config = {"platform": trigger, "options": options}
    with pytest.raises(vol.Invalid, match="for everyone, leave it out") as error:
        await async_validate_trigger_config(hass, [config])
    assert error.value.path == ["options", *options]


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize("target", [{"device_id": []}, {"area_id": [], "label_id": []}])
async def test_a_target_of_nothing(
    hass: HomeAssistant, target: dict[str, list[str]]
) -> None:
    """It's refused as well: it doesn't mean every span."""
    config = {"platform": CALL, "target": target}
    with pytest.raises(vol.Invalid, match="for every span, leave it out") as error:
        await async_validate_trigger_config(hass, [config])
    assert error.value.path == ["target"]


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_what_means_everyone(hass: HomeAssistant) -> None:
    """A list without numbers, and a target without a word: forms leave them so."""
    for trigger, numbers in ((SMS, "senders"), (CALL, "callers")):
        config = {"platform": trigger, "target": {}, "options": {numbers: []}}
        assert await async_validate_trigger_config(hass, [config])


async def test_the_groups_of_an_expression(automate: Automate, receive: Any) -> None:
    """By their names and by their numbers; 0 is all that fitted."""
    events = await automate(
        SMS,
        {"text": r"set (?P<room>\w+) to (\d+)( degrees)?", "match": "regex"},
        see="{{ trigger.groups.room }}|{{ trigger.groups[1] }}|{{ trigger.groups[2] }}"
        "|{{ trigger.groups[3] }}|{{ trigger.groups[0] }}",
    )

    await receive("Please set bath to 21!")

    assert seen_by(events) == ["bath|bath|21|None|set bath to 21"]


async def test_an_expression_that_takes_too_long(
    automate: Automate, receive: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The text counts as another one, and that is said; neither stands in the log."""
    events = await automate(SMS, {"text": r"(a|a)+$", "match": "regex"})

    await receive("a" * 60 + "b")
    assert events == []
    [warning] = said(caplog, logging.WARNING)
    assert "of an SMS trigger took more than 0.1 s" in warning
    assert "aaa" not in warning
    assert PHONE not in warning

    await receive("a" * 60)
    assert len(events) == 1


async def test_expressions_that_took_too_long_are_counted_in_the_end(
    hass: HomeAssistant,
    automate: Automate,
    receive: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There may be no other warning that would tell it."""
    await automate(SMS, {"text": r"(a|a)+$", "match": "regex"})
    for end in "bcd":
        await receive("a" * 60 + end)
    assert len(said(caplog, logging.WARNING)) == 1

    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.on_news"}, blocking=True
    )
    assert said(caplog, logging.WARNING)[1].endswith("since the last such warning: 1")


async def test_the_order_of_messages(
    gateway: Simulator, hass: HomeAssistant, automate: Automate
) -> None:
    """It's kept, also where the search in one of them takes long."""
    events = await automate(SMS, {"text": ".*", "match": "regex"})
    published = async_capture_events(hass, "openvox_gsm_sms_received")
    go_on = threading.Event()

    def search(_self: Any, text: str) -> dict[int, str]:
        if text == "first":
            go_on.wait(5)
        return {0: text}

    with patch.object(trigger_module.RegularExpression, "search", search):
        for text in ("first", "second"):
            await gateway.receive_sms(1, PHONE, text)
        await until(lambda: len(published) == 2)
        await asyncio.sleep(0.05)
        go_on.set()
        await settle(hass)

    assert seen_by(events) == ["first", "second"]


async def attach(
    hass: HomeAssistant, triggers: int, text: str
) -> tuple[list[Any], Callable[[], None]]:
    """Attach triggers with a regular expression; return what runs, and detach."""
    config = {"platform": SMS, "options": {"text": text, "match": "regex"}}
    ran: list[Any] = []

    async def action(variables: Any, _context: Any = None) -> None:
        ran.append(variables)

    detach = await async_initialize_triggers(
        hass,
        await async_validate_trigger_config(hass, triggers * [config]),
        action,
        "test",
        "test",
        lambda *_args, **_more: None,
    )
    assert detach
    return ran, detach


async def test_many_expressions_that_take_too_long(
    hass: HomeAssistant, gateway: Simulator, germany: MockConfigEntry
) -> None:
    """They don't hold Home Assistant up: in the event loop, it would be two seconds."""
    ran, detach = await attach(hass, 20, r"(a|a)+$")
    longest, ended = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        last = thread_time()
        while not ended.is_set():
            await asyncio.sleep(0)
            now = thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    await gateway.receive_sms(1, PHONE, "a" * 60 + "b")
    await gateway.receive_sms(1, PHONE, "aaa")
    await until(lambda: len(ran) == 20)
    ended.set()
    await watching
    assert longest < 0.5
    detach()


async def test_a_trigger_that_is_detached_during_a_search(
    hass: HomeAssistant, gateway: Simulator, germany: MockConfigEntry
) -> None:
    """It runs nothing any more."""
    ran, detach = await attach(hass, 1, "hello")
    begun, go_on = threading.Event(), threading.Event()

    def search(_self: Any, _text: str) -> dict[int, str]:
        begun.set()
        go_on.wait(5)
        return {0: "hello"}

    with patch.object(trigger_module.RegularExpression, "search", search):
        await gateway.receive_sms(1, PHONE, "hello")
        await until(begun.is_set)
        detach()
        go_on.set()
        await settle(hass)

    assert ran == []


async def test_a_contact_of_another_gateway(
    hass: HomeAssistant, automate: Automate, receive: Any
) -> None:
    """It is known here, too, as it is when an SMS is sent to it."""
    other = MockConfigEntry(domain="openvox_gsm")
    other.add_to_hass(hass)
    add_contact(hass, other, "Bert", OTHER_PHONE)
    events = await automate(SMS, {"known_contacts": True}, see="{{ trigger.contact }}")

    await receive("Hello", OTHER_PHONE)

    assert seen_by(events) == ["Bert"]


# Calls


async def test_a_call(
    hass: HomeAssistant, automate: Automate, ring: Any, germany: MockConfigEntry
) -> None:
    """It runs the automation when it rings, and not again when it is missed."""
    events = await automate(CALL, see="{{ trigger }}")

    await ring(PHONE, span=2)

    [told] = seen_by(events)
    assert datetime.fromisoformat(told.pop("received_at")).tzinfo
    assert told == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": CALL,
        "description": "call on span 2",
        "span": 2,
        "device_id": span_device(hass, germany, 2).id,
        "caller": PHONE,
        "contact": "Anna",
    }


@pytest.mark.parametrize(
    "options", [{"callers": ["0151 12345678"]}, {"known_contacts": True}]
)
async def test_who_may_open_the_gate(
    automate: Automate, ring: Any, options: dict[str, Any]
) -> None:
    """Nobody else, and nobody who withholds the number."""
    events = await automate(CALL, options, see="{{ trigger.contact }}")

    for caller in (OTHER_PHONE, "<unknown>", PHONE):
        await ring(caller)

    assert seen_by(events) == ["Anna"]


async def test_a_withheld_number_matches_no_sender(
    hass: HomeAssistant, automate: Automate, ring: Any
) -> None:
    """Whatever number is so short that nothing is left to compare."""
    events = await automate(CALL, {"callers": ["00"]})
    assert is_usable(hass)

    await ring("<unknown>")
    assert events == []


async def test_an_sms_that_forges_a_call(
    hass: HomeAssistant, gateway: Simulator, automate: Automate, receive: Any
) -> None:
    """It opens no gate."""
    events = await automate(CALL, {"callers": [PHONE]})

    await receive(
        "x\r\n\r\nEvent: Newchannel\r\nPrivilege:\r\nChannel: EXTRA/1-1\r\n"
        f"ChannelStateDesc: Ring\r\nCallerIDNum: {PHONE}\r\nUniqueid: 9.9\r\n\r\n",
        OTHER_PHONE,
    )
    assert events == []

    await gateway.incoming_call(1, PHONE)
    await until(lambda: events)


# SMS sent, SMS failed


@pytest.fixture
def send(hass: HomeAssistant, germany: MockConfigEntry) -> Any:
    """Send an SMS, whatever becomes of it."""

    async def send(target: str = PHONE, **more: Any) -> None:
        await hass.services.async_call(
            *("notify", "send_sms", {"message": "Hi", "target": target, **more}),
            blocking=True,
            return_response=True,
        )
        await settle(hass)

    return send


async def test_an_sms_was_sent(
    hass: HomeAssistant, germany: MockConfigEntry, automate: Automate, send: Any
) -> None:
    """What is known of it."""
    events = await automate(SENT, see="{{ trigger }}")
    await send(span=2)
    [sent] = seen_by(events)
    assert sent == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": SENT,
        "description": "SMS sent on span 2",
        "span": 2,
        "device_id": span_device(hass, germany, 2).id,
        "target": PHONE,
        "contact": "Anna",
        "status": "sent",
        "parts": 1,
        "parts_sent": 1,
        "error": None,
    }


async def test_an_sms_failed(
    hass: HomeAssistant,
    gateway: Simulator,
    automate: Automate,
    send: Any,
) -> None:
    """On all spans where it was tried: that's one message."""
    events = await automate(
        FAILED, see="{{ [trigger.target, trigger.error, trigger.span] }}"
    )
    gateway.spans[2].sms_outcomes.append(SmsOutcome.FAILED)
    await send()  # on span 1, which works
    assert events == []

    await send(span=2)
    for span in gateway.spans.values():
        span.status = "No Signal"
    await send()
    assert seen_by(events) == [
        [PHONE, "rejected", 2],
        [PHONE, "no_span_ready", None],
    ]


@pytest.mark.logs_exceptions
@pytest.mark.parametrize("trigger", [SENT, FAILED])
async def test_an_sms_of_which_nothing_is_known(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    automate: Automate,
    trigger: str,
) -> None:
    """It's neither sent nor failed."""
    events = await automate(trigger)
    finished = async_capture_events(hass, "openvox_gsm_sms_sent")
    gateway.spans[1].sms_outcomes.append(SmsOutcome.DROP_AFTER)
    await hass.services.async_call(
        "notify", "send_sms", {"message": "Hi", "target": PHONE, "span": 1}
    )
    await until_later(freezer, lambda: finished)
    for _ in range(20):  # an automation would run meanwhile
        await asyncio.sleep(0)

    assert [event.data["status"] for event in finished] == ["unknown"]
    assert events == []


@pytest.mark.parametrize(
    "options", [{"targets": ["0151 12345678"]}, {"known_contacts": True}]
)
async def test_to_whom_an_sms_was_sent(
    automate: Automate, send: Any, options: dict[str, Any]
) -> None:
    """A recipient may be written in any way."""
    events = await automate(SENT, options, see="{{ trigger.contact }}")

    for target in (OTHER_PHONE, PHONE):
        await send(target)

    assert seen_by(events) == ["Anna"]


@pytest.mark.parametrize(("of_gateway", "expected"), [(True, [1, None]), (False, [1])])
async def test_where_an_sms_failed(
    hass: HomeAssistant,
    gateway: Simulator,
    germany: MockConfigEntry,
    automate: Automate,
    send: Any,
    of_gateway: bool,
    expected: list[int | None],
) -> None:
    """What no span could send failed on the gateway, and on none of its spans."""
    device = (
        gateway_device(hass, germany) if of_gateway else span_device(hass, germany, 1)
    )
    events = await automate(
        FAILED, target={"device_id": device.id}, see="{{ trigger.span }}"
    )
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    await send(span=1)
    for span in gateway.spans.values():
        span.status = "No Signal"
    await send()

    assert seen_by(events) == expected


async def test_whose_message_triggered(
    hass: HomeAssistant, automate: Automate, germany: MockConfigEntry
) -> None:
    """Activity shows what came of which action."""
    events = await automate(SENT, see="sent")
    context = Context()
    await hass.services.async_call(
        *("notify", "send_sms", {"message": "Hi", "target": PHONE}),
        blocking=True,
        context=context,
    )
    await settle(hass)

    assert [event.context.parent_id for event in events] == [context.id]


# SMS delivered


@pytest.fixture
def report(hass: HomeAssistant, germany: MockConfigEntry) -> Any:
    """Let the network report what became of an SMS."""

    async def report(
        delivered: bool, recipient: str = PHONE, span: int = 1, **more: Any
    ) -> None:
        germany.runtime_data.publisher.sms_reported(
            StatusReport(
                span=span,
                recipient=recipient,
                reference=1,
                delivered=delivered,
                status=0 if delivered else 0x61,
                discharged_at=None,
                arrived_at=WHEN,
                **more,
            )
        )
        await settle(hass)

    return report


async def test_a_delivery(automate: Automate, report: Any) -> None:
    """What is known of it, and which message it was where that is certain."""
    events = await automate(
        DELIVERED,
        see="{{ [trigger.target, trigger.contact, trigger.delivered, trigger.cause,"
        " trigger.message | default('?'), trigger.span] }}",
    )

    await report(True, message="Hi")
    await report(True, OTHER_PHONE, span=2)
    await report(False)

    assert seen_by(events) == [
        [PHONE, "Anna", True, None, "Hi", 1],
        [OTHER_PHONE, None, True, None, "?", 2],
    ]


@pytest.mark.parametrize(
    ("result", "expected"),
    [("delivered", [True]), ("not_delivered", [False]), ("any", [True, False])],
)
async def test_delivered_or_not(
    automate: Automate, report: Any, result: str, expected: list[bool]
) -> None:
    """A message that never arrives may matter more."""
    events = await automate(
        DELIVERED, {"result": result}, see="{{ trigger.delivered }}"
    )

    await report(True)
    await report(False)

    assert seen_by(events) == expected


@pytest.mark.parametrize(
    "options", [{"targets": ["01511 2345678"]}, {"known_contacts": True}]
)
async def test_whose_delivery(
    automate: Automate, report: Any, options: dict[str, Any]
) -> None:
    """A recipient may be written in any way."""
    events = await automate(DELIVERED, options, see="{{ trigger.contact }}")

    for recipient in (OTHER_PHONE, PHONE):
        await report(True, recipient)

    assert seen_by(events) == ["Anna"]


# Where


def in_area(hass: HomeAssistant, device: dr.DeviceEntry) -> dict[str, Any]:
    """Put a device into an area."""
    area = ar.async_get(hass).async_create("Cellar")
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    return {"area_id": area.id}


def with_label(hass: HomeAssistant, device: dr.DeviceEntry) -> dict[str, Any]:
    """Put a label on a device."""
    label = lr.async_get(hass).async_create("Mobile")
    dr.async_get(hass).async_update_device(device.id, labels={label.label_id})
    return {"label_id": label.label_id}


def entity_with_label(hass: HomeAssistant, device: dr.DeviceEntry) -> dict[str, Any]:
    """Put a label on an entity of the device."""
    label = lr.async_get(hass).async_create("Mobile")
    er.async_get(hass).async_update_entity("event.gsm_2_sms", labels={label.label_id})
    return {"label_id": [label.label_id]}


@pytest.mark.parametrize(
    "target_of",
    [
        lambda hass, device: {"device_id": device.id},
        lambda hass, device: {"device_id": ["unknown", device.id]},
        lambda hass, device: {"entity_id": "event.gsm_2_sms"},
        in_area,
        with_label,
        entity_with_label,
    ],
    ids=["device", "devices", "entity", "area", "label", "label of an entity"],
)
async def test_the_target_is_a_span(
    hass: HomeAssistant,
    germany: MockConfigEntry,
    automate: Automate,
    receive: Any,
    target_of: Callable[[HomeAssistant, dr.DeviceEntry], dict[str, Any]],
) -> None:
    """Named in any of the ways that the editor offers; other spans do not count."""
    target = target_of(hass, span_device(hass, germany, 2))
    events = await automate(SMS, target=target)

    await receive("one", span=1)
    await receive("two", span=2)

    assert seen_by(events) == ["two"]


@pytest.mark.parametrize("trigger", [SMS, CALL])
async def test_the_target_is_a_gateway(
    hass: HomeAssistant,
    germany: MockConfigEntry,
    automate: Automate,
    receive: Any,
    ring: Any,
    trigger: str,
) -> None:
    """It stands for all its spans."""
    target = {"device_id": gateway_device(hass, germany).id}
    events = await automate(trigger, target=target, see="{{ trigger.span }}")

    for span in (1, 2):
        await receive("Hello", span=span)
        await ring(PHONE, span=span)

    assert seen_by(events) == [1, 2]


async def test_the_target_is_something_else(
    hass: HomeAssistant, gateway: Simulator, automate: Automate, receive: Any
) -> None:
    """Then nothing runs the automation, even if neither belongs to a device."""
    gateway.add_span(7)  # so new that no poll has seen it yet
    er.async_get(hass).async_get_or_create("light", "test", "1")
    events = await automate(SMS, target={"entity_id": ["light.test_1", "light.none"]})

    await receive("Hello")
    await receive("Hello", span=7)
    assert events == []


# In the long run


async def test_an_automation_outlives_a_reload_and_a_reconnection(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    germany: MockConfigEntry,
    automate: Automate,
) -> None:
    """Neither runs it, and it runs once for what comes in afterwards."""
    events = await automate(SMS)
    await gateway.receive_sms(1, PHONE, "one", WHEN)
    await until_later(freezer, lambda: events)

    assert await hass.config_entries.async_reload(germany.entry_id)
    await settle(hass)
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await settle(hass)
    assert seen_by(events) == ["one"]

    await gateway.receive_sms(1, PHONE, "two", WHEN)
    await until_later(freezer, lambda: len(events) > 1)
    assert seen_by(events) == ["one", "two"]


async def test_an_automation_that_is_switched_off(
    hass: HomeAssistant, automate: Automate, receive: Any
) -> None:
    """It hears of nothing any more."""
    events = await automate(SMS)
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.on_news"}, blocking=True
    )

    await receive("Hello")
    assert events == []


# The editor


@pytest.mark.parametrize(
    ("trigger", "options"),
    [
        (SMS, {"text": "(", "match": "regex"}),
        (SMS, {"match": "regex"}),
        (SMS, {"match": "contains"}),
        (SMS, {"match": "sounds_like"}),
        (SMS, {"senders": [""]}),
        (SMS, {"callers": [PHONE]}),
        (CALL, {"callers": [PHONE, "  "]}),
        (CALL, {"text": "open"}),
        ("openvox_gsm.fax_received", {}),
    ],
)
async def test_what_the_editor_refuses(
    hass: HomeAssistant, automate: Automate, trigger: str, options: dict[str, Any]
) -> None:
    """An empty number would be anybody; the rest is a mistake, too."""
    await automate(trigger, options)

    assert hass.states.is_state("automation.on_news", STATE_UNAVAILABLE)


async def test_the_editor_knows_the_triggers(
    hass: HomeAssistant, germany: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Their fields are those of the schemas, each with texts and a selector."""
    assert await async_setup_component(hass, "automation", {})
    await settle(hass)
    texts = json.loads((ROOT / "translations/en.json").read_text("utf-8"))
    icons = json.loads((ROOT / "icons.json").read_text("utf-8"))

    descriptions = await async_get_all_descriptions(hass)

    assert "Unable to parse triggers.yaml" not in caplog.text
    for name, schema in (
        ("sms_received", trigger_module.SMS_OPTIONS),
        ("sms_sent", trigger_module.SENT_OPTIONS),
        ("sms_failed", trigger_module.SENT_OPTIONS),
        ("sms_delivered", trigger_module.DELIVERY_OPTIONS),
        ("call_received", trigger_module.CALL_OPTIONS),
    ):
        description = descriptions[f"openvox_gsm.{name}"]
        assert description
        options = {str(key): key for key in schema}
        fields = description["fields"]
        assert (
            fields.keys() == options.keys() == texts["triggers"][name]["fields"].keys()
        )
        assert icons["triggers"][name]["trigger"].startswith("mdi:")
        assert description["target"]["device"] == [{"integration": "openvox_gsm"}]
        for key, field in fields.items():
            assert field["selector"]
            if "default" in field:
                assert field["default"] == options[key].default()
    select = descriptions[SMS]["fields"]["match"]["selector"]["select"]  # type: ignore[index]
    assert set(select["options"]) == texts["selector"]["match"]["options"].keys()
    select = descriptions[DELIVERED]["fields"]["result"]["selector"]["select"]  # type: ignore[index]
    key = select["translation_key"]
    assert set(select["options"]) == texts["selector"][key]["options"].keys()


@pytest.mark.parametrize("trigger", [SMS, DELIVERED, SENT, FAILED, CALL])
async def test_the_editor_offers_the_devices_of_gateways_and_spans(
    hass: HomeAssistant,
    germany: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    trigger: str,
) -> None:
    """And nobody else's: it offers a trigger for a device with a fitting entity."""
    assert await async_setup_component(hass, "automation", {})
    assert await async_setup_component(hass, "websocket_api", {})
    stranger = dr.async_get(hass).async_get_or_create(
        config_entry_id=germany.entry_id, identifiers={("stranger", "1")}
    )
    er.async_get(hass).async_get_or_create(
        "event", "stranger", "1", device_id=stranger.id
    )
    await settle(hass)
    client = await hass_ws_client(hass)

    for device, is_offered in (
        (gateway_device(hass, germany), True),
        (span_device(hass, germany, 1), True),
        (stranger, False),
    ):
        await client.send_json_auto_id(
            {
                "type": "get_triggers_for_target",
                "target": {"device_id": [device.id]},
            }
        )
        answer = await client.receive_json()
        assert (trigger in answer["result"]) == is_offered
