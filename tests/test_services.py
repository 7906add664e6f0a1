"""Whom and which way actions reach, notify.send_sms, and openvox.send_ussd."""

import asyncio
from datetime import UTC, datetime
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.const import CONF_COUNTRY
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import validate_selector
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from simulator import Simulator, SmsOutcome, UssdMenu, UssdOutcome

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    gateway_device,
    poll,
    settle,
    span_device,
    until,
    until_later,
)

WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def send(hass: HomeAssistant, **data: Any) -> None:
    """Send an SMS, and do not ask for a response."""
    await hass.services.async_call(
        "notify", "send_sms", {"message": "Hello"} | data, blocking=True
    )


async def send_and_ask(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    """Send an SMS and return what became of it."""
    response: Any = await hass.services.async_call(
        "notify",
        "send_sms",
        {"message": "Hello"} | data,
        blocking=True,
        return_response=True,
    )
    assert response.keys() == {"messages"}
    messages: list[dict[str, Any]] = response["messages"]
    return messages


async def ask(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Send a USSD code and return the answer."""
    response = await hass.services.async_call(
        "openvox", "send_ussd", data, blocking=True, return_response=True
    )
    assert response
    return dict(response)


def sent(gateway: Simulator) -> list[tuple[int, str, str]]:
    """Return what went out: span, number, text."""
    return [(sms.span, sms.number, sms.text) for sms in gateway.sent]


# Targets


@pytest.mark.parametrize(
    ("target", "numbers"),
    [
        (PHONE, [PHONE]),
        ("+49 (151) 123-456.78", [PHONE]),
        (f"{PHONE}, {OTHER_PHONE}", [PHONE, OTHER_PHONE]),
        (f"{PHONE};{OTHER_PHONE}", [PHONE, OTHER_PHONE]),
        (f"{PHONE}\n{OTHER_PHONE}\n", [PHONE, OTHER_PHONE]),
        ([PHONE, OTHER_PHONE], [PHONE, OTHER_PHONE]),
        ([f"{PHONE},", [f" {OTHER_PHONE}"]], [PHONE, OTHER_PHONE]),
        ([PHONE, "+49 151 12345678", PHONE], [PHONE]),
        (12345, ["12345"]),
        ((12345, 999999), ["12345", "999999"]),
        ({"12345"}, ["12345"]),
        (" 10086 ", ["10086"]),
    ],
)
async def test_who_it_goes_to(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    target: Any,
    numbers: list[str],
) -> None:
    """One number, several in a text or a list, each once, however it is written."""
    messages = await send_and_ask(hass, target=target)

    assert [message["target"] for message in messages] == numbers
    assert sorted(sms.number for sms in gateway.sent) == sorted(numbers)


def nested(times: int) -> Any:
    """Return a number in that many lists, each in the next."""
    target: Any = PHONE
    for _ in range(times):
        target = [target]
    return target


@pytest.mark.parametrize(
    ("target", "key"),
    [
        (None, "no_target"),
        ("", "no_target"),
        (" , ;", "no_target"),
        ([], "no_target"),
        ([None, ""], "no_target"),
        ("call me", "invalid_number"),
        ([PHONE, "+49 151 12345678 ext. 5"], "invalid_number"),
        ([PHONE, "*100#"], "invalid_number"),
        ([PHONE, "+49*21*0151#"], "invalid_number"),
        ("0151 12345678", "number_needs_country"),
        ("+49 1", "number_impossible"),
        (True, "invalid_target"),
        (49.15, "invalid_target"),
        ({"number": PHONE}, "invalid_target"),
        (nested(2000), "invalid_target"),
        (4915112345678, "number_without_quotes"),
        (1000000, "number_without_quotes"),
        (-5, "number_without_quotes"),
    ],
)
async def test_what_is_not_a_target(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    target: Any,
    key: str,
) -> None:
    """It is said what is wrong, and nothing is sent to the others either."""
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target=target)

    assert (error.value.translation_domain, error.value.translation_key) == (
        DOMAIN,
        key,
    )
    assert gateway.sent == []


async def test_a_contact_whose_country_is_no_longer_known(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's the number in the contact that is wrong, not how the target is written."""
    add_contact(hass, loaded, "Anna", "0151 12345678")
    with pytest.raises(ServiceValidationError, match="has no country code"):
        await send(hass, target="Anna")
    assert gateway.sent == []


async def test_no_target_at_all(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Neither outside of data nor inside."""
    with pytest.raises(ServiceValidationError, match="No recipient specified"):
        await send(hass)
    with pytest.raises(ServiceValidationError, match="No recipient specified"):
        await send(hass, data={"ttl": 0})


async def test_a_template_that_drops_the_plus(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A template that renders a number gives an integer, several give a tuple.

    With a country known, a number of that country gets its plus back. Any other could
    be the number of a stranger.
    """
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "answer": {
                    "sequence": {
                        "action": "notify.send_sms",
                        "data": {"message": "Hi", "target": "{{ sender }}"},
                    }
                }
            }
        },
    )

    async def answer(sender: str) -> None:
        await hass.services.async_call(
            "script", "answer", {"sender": sender}, blocking=True
        )

    with pytest.raises(ServiceValidationError, match="a leading plus"):
        await answer(PHONE)

    hass.config.country = "DE"
    await answer(PHONE)
    await answer(f"{PHONE}, {OTHER_PHONE}")
    assert sorted(sms.number for sms in gateway.sent) == sorted(
        [PHONE, PHONE, OTHER_PHONE]
    )


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("DE", "0151 12345678"),
        ("DE", "+49 (0)151 12345678"),
        ("DE", "0049 151/12345678"),
        ("DE", "4915112345678"),
        ("US", "011 49 151 12345678"),
        (None, "\u202a+49 151 12345678\u202c"),
    ],
)
async def test_a_number_as_people_write_it(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    country: str | None,
    written: str,
) -> None:
    """It is read in the gateway's country, and goes out in its one form."""
    hass.config_entries.async_update_entry(loaded, options={CONF_COUNTRY: country})

    await send(hass, target=[written, PHONE])

    assert sent(gateway) == [(1, PHONE, "Hello")]


async def test_gateways_in_two_countries(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """A national number would be somebody else's in the other country."""
    for entry, country in ((loaded, "DE"), (other_loaded, "AT")):
        hass.config_entries.async_update_entry(entry, options={CONF_COUNTRY: country})

    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target="0660 1234567")
    assert error.value.translation_key == "number_in_several_countries"

    await send(hass, target="0660 1234567", config_entry_id=other_loaded.entry_id)
    assert [sms.number for sms in other.sent] == ["+436601234567"]
    assert gateway.sent == []


# The text


@pytest.mark.parametrize(
    ("title", "text"),
    [("Home", "Home: Hello"), ("", "Hello"), (None, "Hello"), (5, "5: Hello")],
)
async def test_a_title(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    title: Any,
    text: str,
) -> None:
    """It stands in front of the text; there is none by default."""
    await send(hass, target=PHONE, title=title)

    assert gateway.sent[0].text == text


async def test_a_long_text(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It goes as several SMS that the phone joins."""
    text = "".join(f"{number:4}" for number in range(100))

    [message] = await send_and_ask(hass, message=text, target=PHONE)

    assert message["parts"] == 3
    assert gateway.sent[0].text == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("  ", "blank"),
        ("a\x00b", "character"),
        ("x" * 2000, "too_long"),
    ],
    ids=lambda value: value[:10],
)
async def test_a_text_that_cannot_be_sent(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    text: str,
    fault: str,
) -> None:
    """That is the caller's mistake."""
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, message=text, target=[PHONE, OTHER_PHONE])

    assert error.value.translation_key == f"text_{fault}"
    assert gateway.sent == []


async def test_the_message_is_required(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """All the rest is optional."""
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(
            "notify", "send_sms", {"target": PHONE}, blocking=True
        )


# The way


async def test_the_device_of_a_span(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The SMS goes through that SIM; the list of an action's target will do, too."""
    device_id = span_device(hass, loaded, 3).id

    await send(hass, target=PHONE, device_id=device_id)
    await send(hass, target=PHONE, device_id=[device_id])
    await send(hass, target=PHONE, device_id=device_id, span=3)
    await send(hass, target=PHONE, device_id=device_id, config_entry_id=loaded.entry_id)

    assert [sms.span for sms in gateway.sent] == [3, 3, 3, 3]


async def test_the_device_of_a_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Any span of that gateway, or the one that is given beside it."""
    device_id = gateway_device(hass, loaded).id

    await send(hass, target=PHONE, device_id=device_id)
    await send(hass, target=PHONE, device_id=device_id, span=2)

    assert len(gateway.sent) == 2
    assert gateway.sent[1].span == 2
    assert other.sent == []


async def test_the_entry_and_the_span(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The entry alone, or with a span."""
    await send(hass, target=PHONE, config_entry_id=loaded.entry_id, span="4")
    await send(hass, target=PHONE, config_entry_id=other_loaded.entry_id)

    assert sent(gateway) == [(4, PHONE, "Hello")]
    assert sent(other) == [(1, PHONE, "Hello")]


async def test_what_a_script_leaves_out(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its fields come as None or as an empty text."""
    await send(hass, target=PHONE, device_id=None, config_entry_id="", span="")
    await send(hass, target=PHONE, device_id="", config_entry_id=None, span=None)

    assert len(gateway.sent) == 2


async def test_the_span_alone(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """That will do where there is one gateway."""
    await send(hass, target=PHONE, span=2)

    assert gateway.sent[0].span == 2


async def test_the_span_alone_of_several_gateways(
    hass: HomeAssistant, loaded: MockConfigEntry, other_loaded: MockConfigEntry
) -> None:
    """Nobody knows which one."""
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target=PHONE, span=1)
    assert error.value.translation_key == "which_gateway"


async def test_an_invalid_route(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Each mistake has an error of its own."""
    foreign = MockConfigEntry(domain="foreign")
    foreign.add_to_hass(hass)
    foreign_device = dr.async_get(hass).async_get_or_create(
        config_entry_id=foreign.entry_id, identifiers={("foreign", loaded.entry_id)}
    )
    away = MockConfigEntry(domain=DOMAIN, title="Away")
    away.add_to_hass(hass)
    span = span_device(hass, loaded, 1).id

    for way, key in (
        ({"device_id": "nothing"}, "not_our_device"),
        ({"device_id": foreign_device.id}, "not_our_device"),
        ({"device_id": span, "span": 2}, "contradictory_route"),
        ({"device_id": span, "config_entry_id": "x"}, "contradictory_route"),
        ({"config_entry_id": "nothing"}, "not_our_entry"),
        ({"config_entry_id": foreign.entry_id}, "not_our_entry"),
        ({"config_entry_id": away.entry_id}, "not_loaded"),
    ):
        with pytest.raises(ServiceValidationError) as error:
            await send(hass, target=PHONE, **way)
        assert error.value.translation_key == key, way
    assert gateway.sent == []


@pytest.mark.parametrize("span", [0, -1, 65, 1e30, 1.5, True, [1], "one"])
async def test_a_span_that_no_gateway_has(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, span: Any
) -> None:
    """It's refused at once, and not kept as a message that no file can hold."""
    with pytest.raises(vol.Invalid):
        await send(hass, target=PHONE, span=span)
    assert len(loaded.runtime_data.messages) == 0
    assert gateway.sent == []


async def test_no_gateway(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    """The actions are there before the first gateway is."""
    assert await async_setup_component(hass, DOMAIN, {})

    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target=PHONE)
    assert error.value.translation_key == "no_gateway"


# Data: alerts, groups and older scripts


async def test_everything_inside_data(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Options of other services beside it do no harm."""
    await send(
        hass,
        data={
            "target": PHONE,
            "title": "Home",
            "device_id": span_device(hass, loaded, 2).id,
            "push": {"sound": "none"},
            "subtitle": "Door",
            "ttl": 0,
        },
    )
    await send(
        hass,
        data={"target": PHONE, "config_entry_id": loaded.entry_id, "span": "3"},
    )

    assert sent(gateway) == [(2, PHONE, "Home: Hello"), (3, PHONE, "Hello")]


async def test_what_stands_outside_counts(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Unless it is empty."""
    data = {"target": PHONE, "title": "In", "span": 1, "message": "In"}

    await send(hass, target=OTHER_PHONE, title="Out", span=2, data=data)
    await send(hass, target="", title=None, data=data)

    assert sent(gateway) == [
        (2, OTHER_PHONE, "Out: Hello"),
        (1, PHONE, "In: Hello"),
    ]


async def test_an_empty_span_inside_data(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A script that leaves it out means any."""
    await send(hass, target=PHONE, data={"span": ""})
    await send(hass, target=PHONE, data={"span": None})

    assert [span for span, _, _ in sent(gateway)] == [1, 2]


@pytest.mark.parametrize("data", [{"span": "x"}, {"device_id": ["a", "b"]}])
async def test_data_that_cannot_be_used(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    """It is refused by the action itself, so that an alert survives it."""
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target=PHONE, data=data)
    assert error.value.translation_key == "invalid_data"


async def test_an_option_of_another_service(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Notify groups pass the options of all their services to each of them."""
    await send(hass, target=PHONE, data={"sound": "bell", "ttl": 0})

    assert len(gateway.sent) == 1


async def set_up_alert(hass: HomeAssistant, data: dict[str, Any]) -> None:
    """Have an alert that sends when a door is open, again every minute."""
    hass.states.async_set("binary_sensor.door", "off")
    assert await async_setup_component(
        hass,
        "alert",
        {
            "alert": {
                "door": {
                    "name": "Door",
                    "entity_id": "binary_sensor.door",
                    "repeat": 1,
                    "title": "Home",
                    "message": "The door is open",
                    "done_message": "The door is shut",
                    "notifiers": ["send_sms"],
                    "data": data,
                }
            }
        },
    )


async def test_an_alert(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It sends, sends again, and says when it is over."""
    await set_up_alert(hass, {"target": PHONE, "span": 2})

    hass.states.async_set("binary_sensor.door", "on")
    await until(lambda: len(gateway.sent) == 1)
    await until_later(freezer, lambda: len(gateway.sent) == 2)
    hass.states.async_set("binary_sensor.door", "off")
    await until(lambda: len(gateway.sent) == 3)

    assert sent(gateway) == [
        (2, PHONE, "Home: The door is open"),
        (2, PHONE, "Home: The door is open"),
        (2, PHONE, "Home: The door is shut"),
    ]


@pytest.mark.logs_exceptions
@pytest.mark.parametrize(
    "data", [{"target": [4.5]}, {"target": PHONE, "span": "x"}, {}, {"span": 9}]
)
async def test_an_alert_survives_what_cannot_be_sent(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    data: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It tries again the next time, and the state stays right."""

    def failures() -> int:
        return caplog.text.count("Error executing service: <ServiceCall notify")

    await set_up_alert(hass, data)
    hass.states.async_set("binary_sensor.door", "on")
    await until(lambda: failures() == 1)
    assert hass.states.is_state("alert.door", "on")
    await until_later(freezer, lambda: failures() == 2)
    assert hass.states.is_state("alert.door", "on")
    hass.states.async_set("binary_sensor.door", "off")
    await settle(hass)
    assert hass.states.is_state("alert.door", "idle")


@pytest.mark.logs_exceptions
async def test_an_alert_survives_a_gateway_that_is_away(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Once it is back the next repetition gets through."""
    await set_up_alert(hass, {"target": PHONE})
    await gateway.stop()
    hass.states.async_set("binary_sensor.door", "on")
    await settle(hass)
    await gateway.start()

    await until_later(freezer, lambda: gateway.sent)
    hass.states.async_set("binary_sensor.door", "off")
    await until(lambda: len(gateway.sent) == 2)


async def test_a_notify_group(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """Its members are given their numbers in either place."""
    assert await async_setup_component(
        hass,
        "notify",
        {
            "notify": {
                "platform": "group",
                "name": "family",
                "services": [
                    {"action": "send_sms", "data": {"target": PHONE, "span": 1}},
                    {
                        "action": "send_sms",
                        "data": {"data": {"target": [OTHER_PHONE], "span": 2}},
                    },
                ],
            }
        },
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    await hass.services.async_call(
        "notify", "family", {"message": "Hello", "title": "All"}, blocking=True
    )

    assert sorted(sent(gateway)) == [
        (1, PHONE, "All: Hello"),
        (2, OTHER_PHONE, "All: Hello"),
    ]


# What became of it


async def test_the_response(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It contains each number, also if some were not reached."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    messages = await send_and_ask(hass, target=[PHONE, OTHER_PHONE], span=1)

    assert messages == [
        {
            "target": PHONE,
            "contact": None,
            "status": "failed",
            "config_entry_id": loaded.entry_id,
            "span": 1,
            "parts": 1,
            "error": "The network rejected it on span 1 of OpenVox.",
        },
        {
            "target": OTHER_PHONE,
            "contact": None,
            "status": "sent",
            "config_entry_id": loaded.entry_id,
            "span": 1,
            "parts": 1,
            "error": None,
        },
    ]


async def test_the_outcome_is_unknown(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """That is no failure: it is not tried again."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)

    sending = asyncio.create_task(send_and_ask(hass, target=PHONE, span=1))
    await until_later(freezer, sending.done)

    [message] = await sending
    assert message["status"] == "unknown"
    assert message["error"].startswith("It's unknown whether it was sent")
    assert gateway.sent == []


async def test_a_failure_raises_after_all_were_tried(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error names the numbers and the reasons."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.FAILED] * 2)
    third = "+4915100000000"

    with pytest.raises(HomeAssistantError) as error:
        await send(hass, target=[PHONE, OTHER_PHONE, third], span=1)

    assert not isinstance(error.value, ServiceValidationError)
    assert str(error.value) == (
        "Sending failed. "
        f"{PHONE}: The network rejected it on span 1 of OpenVox. "
        f"{OTHER_PHONE}: The network rejected it on span 1 of OpenVox."
    )
    assert sent(gateway) == [(1, third, "Hello")]


async def test_some_parts_were_sent(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error tells how many; the message is not tried on another span."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])

    [message] = await send_and_ask(hass, message="x" * 300, target=PHONE)

    assert (message["status"], message["parts"]) == ("failed", 2)
    assert message["error"] == (
        "The network rejected it on span 1 of OpenVox. 1 of 2 parts were sent."
    )


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"status": "No Signal"}, "Span 1 of OpenVox isn't registered with a network"),
        ({"sms_mode": "text"}, "Span 1 of OpenVox is in SMS text mode"),
        ({"sms_coding": "ascii"}, "would garble special characters"),
    ],
)
async def test_why_a_span_does_not_send(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    spoil: dict[str, Any],
    reason: str,
) -> None:
    """In words that say what to do."""
    for name, value in spoil.items():
        setattr(gateway.spans[1], name, value)

    with pytest.raises(HomeAssistantError, match=reason):
        await send(hass, message="Grüße", target=PHONE, span=1)


async def test_a_span_that_is_unknown(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The gateway says so."""
    with pytest.raises(HomeAssistantError, match="OpenVox has no span 9"):
        await send(hass, target=PHONE, span=9)


async def test_the_gateway_refuses(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own words are in the error."""
    monkeypatch.setattr("simulator.cli.gsm_send._MAX_SMS_BYTES", 2)
    [message] = await send_and_ask(hass, target=PHONE, span=1)

    assert message["status"] == "failed"
    assert message["error"].startswith("OpenVox refused to send it: ")


async def test_the_gateway_is_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nothing is kept for later."""
    await gateway.stop()
    await until(lambda: hass.states.is_state("sensor.gsm_1_status", "unavailable"))

    with pytest.raises(HomeAssistantError, match="OpenVox isn't connected"):
        await send(hass, target=PHONE)


# Several spans, several gateways


async def test_many_go_in_parallel(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Over all ready spans of all gateways, and over no other."""
    gateway.spans[3].status = "No Signal"
    numbers = [f"+49151000000{number:02}" for number in range(8)]

    messages = await send_and_ask(hass, target=numbers)

    assert {message["status"] for message in messages} == {"sent"}
    assert sorted(sms.number for sms in [*gateway.sent, *other.sent]) == numbers
    assert {sms.span for sms in gateway.sent} == {1, 2, 4}
    assert 1 <= len(other.sent) <= 3


async def test_another_gateway_steps_in(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Where the first certainly did not send it."""
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)

    [message] = await send_and_ask(hass, target=PHONE)

    assert message["status"] == "sent"
    assert message["config_entry_id"] == other_loaded.entry_id


async def test_no_gateway_steps_in(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The one that tried says why, not the one that could not."""
    other.spans[1].status = "No Signal"
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)

    [message] = await send_and_ask(hass, target=PHONE)

    assert message["config_entry_id"] == loaded.entry_id
    assert message["error"].startswith("The network rejected it")


async def test_a_gateway_that_is_away_is_not_waited_for(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The other one sends."""
    await gateway.stop()
    await until(lambda: hass.states.is_state("sensor.gsm_2_status", "unavailable"))

    await send(hass, target=PHONE)

    assert len(other.sent) == 1


async def test_a_gateway_without_a_ready_span_comes_last(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It is not even asked where another one can."""
    for span in gateway.spans.values():
        span.status = "No Signal"
    await poll(hass, freezer)
    asked = len(gateway.commands)

    await send(hass, target=PHONE)

    assert len(other.sent) == 1
    assert len(gateway.commands) == asked


# USSD


async def test_a_balance(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The network's answer is the response."""
    gateway.spans[2].ussd["*100#"] = "Your balance is 12.50"

    answer = await ask(hass, code=" *100# ", device_id=span_device(hass, loaded, 2).id)

    assert answer == {
        "config_entry_id": loaded.entry_id,
        "span": 2,
        "response_type": 0,
        "status": "done",
        "coding": 15,
        "message": "Your balance is 12.50",
    }


async def test_a_menu(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A reply goes the same way; a number will do."""
    gateway.spans[1].ussd["*1#"] = UssdMenu("1 Balance", {"1": "12.50 €"})
    way = {"config_entry_id": loaded.entry_id, "span": 1}

    answer = await ask(hass, code="*1#", **way)
    assert (answer["response_type"], answer["status"]) == (1, "reply_expected")
    answer = await ask(hass, code=1, **way)
    assert answer["message"] == "12.50 €"


async def test_no_response_is_asked_for(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The code is sent all the same."""
    await hass.services.async_call(
        "openvox", "send_ussd", {"code": "*100#", "span": 1}, blocking=True
    )

    assert any(command.startswith("gsm send ussd 1") for command in gateway.commands)


async def test_the_only_gateway_that_is_there(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    other: Simulator,
    other_loaded: MockConfigEntry,
) -> None:
    """One that's away keeps nobody from asking the other."""
    other.spans[1].ussd["*100#"] = "12.50"
    await gateway.stop()
    await until(lambda: not loaded.runtime_data.gateway.is_connected)

    answer = await ask(hass, code="*100#")

    assert answer["config_entry_id"] == other_loaded.entry_id


async def test_the_only_span_that_is_ready(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It need not be named; what is ready is looked at now, not at the last poll."""
    with pytest.raises(ServiceValidationError) as error:
        await ask(hass, code="*100#")
    assert error.value.translation_key == "which_span"

    for number in (1, 2, 4):
        gateway.spans[number].status = "No Signal"
    with pytest.raises(ServiceValidationError) as error:
        await ask(hass, code="*100#")
    assert error.value.translation_key == "which_span"
    answer = await ask(hass, code="*100#", config_entry_id=loaded.entry_id)
    assert answer["span"] == 3

    await other.stop()
    answer = await ask(hass, code="*100#")
    assert answer["span"] == 3

    gateway.spans[3].status = "No Signal"
    with pytest.raises(HomeAssistantError) as failure:
        await ask(hass, code="*100#")
    assert not isinstance(failure.value, ServiceValidationError)
    assert str(failure.value) == (
        "No span of OpenVox is ready. "
        + "".join(
            f"Span {span} of OpenVox isn't registered with a network. "
            for span in gateway.spans
        )
        + "Other isn't connected, so nothing was done. Try again when it's connected."
    )


@pytest.mark.parametrize("code", ["", " ", "*1#\n*2#", "1" * 161])
async def test_what_is_not_a_code(
    hass: HomeAssistant, loaded: MockConfigEntry, code: str
) -> None:
    """That is the caller's mistake."""
    with pytest.raises(ServiceValidationError) as error:
        await ask(hass, code=code, span=1)
    assert error.value.translation_key == "invalid_ussd_code"


async def test_the_time_limit(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is passed on to the gateway; 30 seconds by default."""
    await ask(hass, code="*1#", span=1)
    for timeout in ("5", None, ""):
        await ask(hass, code="*1#", span=1, timeout=timeout)

    limits = [
        command.split()[-1]
        for command in gateway.commands
        if command.startswith("gsm send ussd")
    ]
    assert limits == ["30", "5", "30", "30"]
    for timeout in (0, 301):
        with pytest.raises(vol.Invalid):
            await ask(hass, code="*1#", span=1, timeout=timeout)


@pytest.mark.parametrize(
    ("outcome", "key"),
    [(UssdOutcome.FAILED, "ussd_failed"), (UssdOutcome.TIMEOUT, "ussd_timed_out")],
)
async def test_the_network_does_not_answer(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    outcome: UssdOutcome,
    key: str,
) -> None:
    """The error names span and gateway."""
    gateway.spans[1].ussd_outcomes.append(outcome)

    with pytest.raises(HomeAssistantError, match="span 1 of OpenVox") as error:
        await ask(hass, code="*100#", span=1)

    assert not isinstance(error.value, ServiceValidationError)
    assert error.value.translation_key == key


async def test_a_span_that_cannot_ask(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Without signal, without existing, without a gateway."""
    gateway.spans[1].status = "No Signal"
    for span, key in ((1, "no_network"), (9, "no_such_span")):
        with pytest.raises(HomeAssistantError) as error:
            await ask(hass, code="*100#", span=span)
        assert error.value.translation_key == key

    await gateway.stop()
    await until(lambda: hass.states.is_state("sensor.gsm_1_status", "unavailable"))
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, code="*100#", span=1)
    assert error.value.translation_key == "not_connected"


# How the actions present themselves


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a description, those in its sections too."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        found |= shown(field["fields"]) if "fields" in field else {name: field}
    return found


@pytest.mark.parametrize(
    ("domain", "service", "required", "in_sections"),
    [
        (
            "notify",
            "send_sms",
            {"message", "target"},
            {"config_entry_id", "span", "flash", "timeout"},
        ),
        ("openvox", "send_ussd", {"code"}, {"config_entry_id", "span"}),
        ("openvox", "dial", {"number"}, {"config_entry_id", "span"}),
        ("openvox", "hangup", set(), {"config_entry_id", "span"}),
        ("openvox", "cli_command", {"command"}, set()),
        ("openvox", "ami_action", {"action"}, set()),
        ("openvox", "record", set(), set()),
        ("openvox", "self_test", set(), {"config_entry_id", "span"}),
    ],
)
async def test_an_action_is_described(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    caplog: pytest.LogCaptureFixture,
    domain: str,
    service: str,
    required: set[str],
    in_sections: set[str],
) -> None:
    """With a name, and for each field a name, a description and a selector."""
    assert await async_setup_component(hass, DOMAIN, {})

    description = (await async_get_all_descriptions(hass))[domain][service]
    fields = shown(description["fields"])

    assert description["name"]
    assert description["description"]
    assert description["response"] == {"optional": True}
    assert {name for name, field in fields.items() if field.get("required")} == required
    assert fields.keys() - description["fields"].keys() == in_sections
    for name, field in description["fields"].items():
        assert field["name"], name
        assert field["description"], name
    for name, field in fields.items():
        assert field["name"], name
        assert field["description"], name
        validate_selector(field["selector"])
    assert "Failed to load services.yaml" not in caplog.text
    assert hass.services.supports_response(domain, service) is SupportsResponse.OPTIONAL
    schema: Any = hass.services.async_services()[domain][service].schema
    assert schema
    assert fields.keys() == {str(key) for key in schema.schema} - {"data"}
    for name, field in fields.items():
        number = field["selector"].get("number", {})
        for edge, beyond in ((number.get("min"), -1), (number.get("max"), 1)):
            if edge is not None:
                assert not is_refused(schema, name, edge)
                # A gateway may have more spans than any that is known.
                if (name, beyond) != ("span", 1):
                    assert is_refused(schema, name, edge + beyond)


def is_refused(schema: Any, field: str, value: int) -> bool:
    """Return whether an action doesn't take a value of a field."""
    try:
        schema({field: value})
    except vol.MultipleInvalid as err:
        return any(each.path == [field] for each in err.errors)
    return False


async def test_the_language_changes(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The descriptions follow, at once; other changes leave them alone."""
    asked: list[str] = []

    async def translations(
        hass: HomeAssistant, language: str, category: str, integrations: set[str]
    ) -> dict[str, str]:
        if category == "services":
            asked.append(language)
        return {f"component.{DOMAIN}.services.send_sms.name": f"SMS in {language}"}

    monkeypatch.setattr(
        "custom_components.openvox_gsm.services.async_get_translations", translations
    )
    assert await async_setup_component(hass, DOMAIN, {})

    async def name() -> str:
        descriptions = await async_get_all_descriptions(hass)
        return str(descriptions["notify"]["send_sms"]["name"])

    assert await name() == "SMS in en"
    await hass.config.async_update(language="de")
    await settle(hass)
    assert await name() == "SMS in de"
    await hass.config.async_update(elevation=5)
    await settle(hass)
    assert asked == ["en", "de"]


async def test_nothing_is_logged_of_a_failure(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller has the error; a log is read by more people."""
    caplog.set_level(logging.INFO)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    caplog.clear()

    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE, span=1)

    assert PHONE[1:] not in caplog.text


@pytest.mark.logs_exceptions
async def test_the_options_of_a_field_have_names(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Home Assistant finds no texts of ours for an action of another domain."""
    descriptions = await async_get_all_descriptions(hass)
    encoding = descriptions["notify"]["send_sms"]["fields"]["encoding"]
    assert encoding["selector"]["select"]["options"] == [
        {"value": "auto", "label": "Automatic"},
        {"value": "ascii", "label": "Plain letters"},
    ]
