"""The WebSocket commands of the page."""

import logging
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openvox_gsm.const import (
    CONF_LINE_BREAKS,
    CONF_MESSAGES_FOR_ALL,
    CONF_MESSAGES_KEPT,
    DOMAIN,
)
from custom_components.openvox_gsm.messages.access import may_see
from homeassistant.auth.permissions.models import PermissionLookup
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from simulator import Simulator

from .conftest import Ask, asker, kept, receive, send

from tests.common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    entity_states,
    set_options,
    settle,
    span_device,
    until,
)

BANK = "MyBank"


def texts(result: dict[str, Any]) -> list[str]:
    """Return the texts of a page of messages."""
    return [each["text"] for each in result["messages"]]


async def sign_in(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, policy: dict[str, Any]
) -> Any:
    """Return the WebSocket client of a user with a policy for entities."""
    user = MockUser().add_to_hass(hass)
    user.perm_lookup = PermissionLookup(er.async_get(hass), dr.async_get(hass))
    user.mock_policy({"entities": policy})
    token = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
    return await hass_ws_client(access_token=hass.auth.async_create_access_token(token))


# Gateways


async def test_the_gateways(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """With their spans, whether one can send, and the contacts."""
    hass.config.country = "DE"
    add_contact(hass, loaded, "Anna", "0151 12345678")
    gateway.spans[2].power = False
    await loaded.runtime_data.coordinator.async_refresh()
    dr.async_get(hass).async_update_device(
        span_device(hass, loaded, 3).id, name_by_user="House"
    )

    result = await ask("gateways")

    assert result == {
        "gateways": [
            {
                "entry_id": loaded.entry_id,
                "title": "OpenVox",
                "kept": 500,
                "can_read": True,
                "has_messages": False,
                "can_send": True,
                "spans": [
                    {"span": 1, "name": "GSM 1", "can_send": True, "ready": True},
                    {"span": 2, "name": "GSM 2", "can_send": True, "ready": False},
                    {"span": 3, "name": "House", "can_send": True, "ready": True},
                    {"span": 4, "name": "GSM 4", "can_send": True, "ready": True},
                ],
            }
        ],
        "contacts": [{"name": "Anna", "number": PHONE, "entry_ids": [loaded.entry_id]}],
    }


async def test_a_gateway_that_is_not_set_up(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """Its messages can be read, but it sends none."""
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    await hass.config_entries.async_unload(loaded.entry_id)

    [shown] = (await ask("gateways"))["gateways"]
    assert shown["can_send"] is False
    assert {(each["can_send"], each["ready"]) for each in shown["spans"]} == {
        (False, False)
    }
    assert texts(await ask("list")) == ["Hello"]


async def test_without_any_gateway(
    hass: HomeAssistant, enable_custom_integrations: None, ask: Ask
) -> None:
    """There's nothing, and no error."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert await ask("gateways") == {"gateways": [], "contacts": []}
    assert await ask("list") == {"messages": [], "more": False}
    assert await ask("conversations") == {"conversations": [], "more": False}


async def test_a_gateway_that_is_gone_or_not_yet_there(
    hass: HomeAssistant, loaded: MockConfigEntry, ask: Ask
) -> None:
    """Only of the first one is it said that there's no such gateway."""
    late = MockConfigEntry(domain=DOMAIN)
    late.add_to_hass(hass)
    elsewhere = MockConfigEntry(domain="other")
    elsewhere.add_to_hass(hass)
    disabled = MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER)
    disabled.add_to_hass(hass)

    async def answer(entry_id: str) -> str:
        code: str = (await ask("list", entry_id=entry_id))["code"]
        return code

    assert await answer(late.entry_id) == "home_assistant_error"
    for entry_id in ("gone", elsewhere.entry_id, disabled.entry_id):
        assert await answer(entry_id) == "not_found"


# Reading


async def test_messages_and_conversations(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """The newest first, with the contact as it's called now."""
    await receive(gateway, loaded, (1, PHONE, "Hello"), (2, OTHER_PHONE, "Who is it?"))
    await send(hass, "Me", span=3)
    add_contact(hass, loaded, "Anna", PHONE)

    messages = await ask("list")
    conversations = await ask("conversations")

    assert texts(messages) == ["Me", "Who is it?", "Hello"]
    newest = messages["messages"][0]
    assert newest == kept(loaded)[-1] | {
        "entry_id": loaded.entry_id,
        "contact": "Anna",
    }
    assert messages["more"] is False
    assert conversations == {
        "conversations": [
            {"number": PHONE, "contact": "Anna", "last": newest, "count": 2},
            {
                "number": OTHER_PHONE,
                "contact": None,
                "last": messages["messages"][1],
                "count": 1,
            },
        ],
        "more": False,
    }


async def test_of_one_number(
    gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """Whatever the case of a name; None is for those that withhold it."""
    await receive(
        gateway, loaded, (1, BANK, "1"), (1, PHONE, "2"), (1, BANK.upper(), "3")
    )
    call = await gateway.incoming_call(2, "")
    await until(lambda: kept(loaded)[-1]["kind"] == "call")
    await call.hangup()

    assert texts(await ask("list", number=BANK)) == ["3", "1"]
    assert texts(await ask("list", number=PHONE)) == ["2"]
    assert texts(await ask("list", number=None)) == [None]
    assert texts(await ask("list", number=OTHER_PHONE)) == []


async def test_pages(gateway: Simulator, loaded: MockConfigEntry, ask: Ask) -> None:
    """Each begins where the one before ended."""
    for number in range(5):
        await receive(gateway, loaded, (1, f"+49151876543{number:02}", str(number)))

    page = await ask("list", limit=2)
    assert (texts(page), page["more"]) == (["4", "3"], True)
    page = await ask("list", limit=2, before=page["messages"][-1]["id"])
    assert (texts(page), page["more"]) == (["2", "1"], True)
    page = await ask("list", limit=2, before=page["messages"][-1]["id"])
    assert (texts(page), page["more"]) == (["0"], False)

    found = await ask("conversations", limit=3)
    assert [each["last"]["text"] for each in found["conversations"]] == ["4", "3", "2"]
    assert found["more"] is True
    before = found["conversations"][-1]["last"]["id"]
    found = await ask("conversations", limit=3, before=before)
    assert [each["last"]["text"] for each in found["conversations"]] == ["1", "0"]
    assert found["more"] is False


async def test_how_long_a_page_is(
    gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """It has 50 messages, unless another number is asked for."""
    await receive(gateway, loaded, *((1, PHONE, str(number)) for number in range(51)))

    page = await ask("list")
    assert (len(texts(page)), page["more"]) == (50, True)


async def test_search(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """In text, number and contact, whatever the case of the letters."""
    add_contact(hass, loaded, "Straße 7", PHONE)
    await receive(
        gateway,
        loaded,
        (1, PHONE, "The cellar is DRY"),
        (2, PHONE, "Hello"),
        (1, OTHER_PHONE, "Dry as a bone"),
        (1, BANK, "Your code"),
    )

    assert texts(await ask("list", search="dry")) == [
        "Dry as a bone",
        "The cellar is DRY",
    ]
    assert texts(await ask("list", search="STRASSE")) == ["Hello", "The cellar is DRY"]
    assert texts(await ask("list", search=" 8765432 ")) == ["Dry as a bone"]
    assert texts(await ask("list", search="mybank")) == ["Your code"]
    assert texts(await ask("list", search="dry", number=PHONE)) == ["The cellar is DRY"]
    assert texts(await ask("list", search=".*")) == []
    found = (await ask("conversations", search="dry"))["conversations"]
    assert [
        (each["number"], each["last"]["text"], each["count"]) for each in found
    ] == [
        (OTHER_PHONE, "Dry as a bone", 1),
        (PHONE, "The cellar is DRY", 1),
    ]


async def test_by_gateway_and_span(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    ask: Ask,
) -> None:
    """A conversation may go by several."""
    await receive(gateway, loaded, (1, PHONE, "1"), (2, PHONE, "2"))
    await receive(other, other_loaded, (1, PHONE, "3"))

    assert texts(await ask("list")) == ["3", "2", "1"]
    assert texts(await ask("list", entry_id=loaded.entry_id)) == ["2", "1"]
    assert texts(await ask("list", entry_id=loaded.entry_id, span=2)) == ["2"]
    assert texts(await ask("list", span=1, number=PHONE)) == ["3", "1"]
    [conversation] = (await ask("conversations"))["conversations"]
    assert (conversation["count"], conversation["last"]["text"]) == (3, "3")
    assert conversation["last"]["entry_id"] == other_loaded.entry_id
    [conversation] = (await ask("conversations", span=2))["conversations"]
    assert (conversation["count"], conversation["last"]["text"]) == (1, "2")
    assert (await ask("list", entry_id="nothing"))["code"] == "not_found"


async def test_a_contact_of_another_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    ask: Ask,
) -> None:
    """The gateway's own name comes first."""
    add_contact(hass, other_loaded, "Anna of the other", PHONE)
    await receive(gateway, loaded, (1, PHONE, "1"))
    assert (await ask("list"))["messages"][0]["contact"] == "Anna of the other"

    add_contact(hass, loaded, "Anna", PHONE)
    assert (await ask("list"))["messages"][0]["contact"] == "Anna"


@pytest.mark.parametrize(
    "wrong",
    [{"limit": 0}, {"limit": 201}, {"span": 0}, {"search": "x" * 201}, {"before": 1}],
)
async def test_questions_beyond_their_limits(
    loaded: MockConfigEntry, ask: Ask, wrong: dict[str, Any]
) -> None:
    """They're refused."""
    assert (await ask("list", **wrong))["code"] == "invalid_format"


@pytest.mark.parametrize(
    "right", [{"limit": 1, "span": 1}, {"limit": 200, "search": "x" * 200}]
)
async def test_questions_at_their_limits(
    loaded: MockConfigEntry, ask: Ask, right: dict[str, Any]
) -> None:
    """They're answered."""
    assert await ask("list", **right) == {"messages": [], "more": False}


# Live


async def test_what_changes_is_sent(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """New messages, changed ones, deleted ones, and gateways."""
    client = await hass_ws_client()
    assert await asker(client)("subscribe") is None

    async def next_event() -> dict[str, Any]:
        event: dict[str, Any] = (await client.receive_json())["event"]
        return event

    await receive(gateway, loaded, (1, PHONE, "Hello"))
    event = await next_event()
    [message] = kept(loaded)
    assert event == {
        "type": "changed",
        "message": message | {"entry_id": loaded.entry_id, "contact": None},
    }

    await send(hass, "Me", span=1)
    for status in ("sending", "sent"):
        event = await next_event()
        assert (event["type"], event["message"]["status"]) == ("changed", status)

    loaded.runtime_data.messages.delete([message["id"]])
    assert await next_event() == {"type": "deleted", "ids": [message["id"]]}

    add_contact(hass, loaded, "Anna", PHONE)
    assert await next_event() == {"type": "gateways"}

    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 0})
    everything = {"type": "deleted", "entry_id": loaded.entry_id, "all": True}
    assert [await next_event(), await next_event()] == [
        everything,
        {"type": "gateways"},
    ]


async def test_spans_that_come_and_go_are_sent(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A poll that finds the same is not; a new name is."""
    client = await hass_ws_client()
    await asker(client)("subscribe")
    coordinator = loaded.runtime_data.coordinator

    await coordinator.async_refresh()
    gateway.spans[2].power = False
    await coordinator.async_refresh()
    assert (await client.receive_json())["event"] == {"type": "gateways"}

    dr.async_get(hass).async_update_device(
        span_device(hass, loaded, 1).id, name_by_user="House"
    )
    assert (await client.receive_json())["event"] == {"type": "gateways"}
    loaded.runtime_data.messages.change("unknown", span=1)
    assert await asker(client)("count", text="x")  # and nothing came before it


async def test_what_changes_nothing_on_the_page_is_not_sent(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Another integration, another area, and a message that's as before."""
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    [message] = kept(loaded)
    client = await hass_ws_client()
    await asker(client)("subscribe")

    stranger = MockConfigEntry(domain="sun")
    stranger.add_to_hass(hass)
    hass.config_entries.async_update_entry(stranger, title="Sun")
    devices = dr.async_get(hass)
    device = devices.async_get_or_create(
        config_entry_id=stranger.entry_id, identifiers={("sun", "1")}
    )
    devices.async_update_device(device.id, name_by_user="Sun")
    devices.async_update_device(span_device(hass, loaded, 1).id, area_id="cellar")
    loaded.runtime_data.messages.change(message["id"], span=1)

    assert await asker(client)("count", text="x")  # and nothing came before it


async def test_a_gateway_that_is_removed_is_sent(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Its messages go from the page at once."""
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    client = await hass_ws_client()
    await asker(client)("subscribe")

    await hass.config_entries.async_remove(loaded.entry_id)
    events = [(await client.receive_json())["event"] for _ in range(2)]
    while events[-1] == {"type": "gateways"}:
        events.append((await client.receive_json())["event"])

    assert events[-1] == {"type": "deleted", "entry_id": loaded.entry_id, "all": True}


async def test_who_no_longer_listens(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    ask: Ask,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Nothing is sent after that."""
    client = await hass_ws_client()
    await asker(client)("subscribe")
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    assert (await client.receive_json())["success"]
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    assert texts(await asker(client)("list")) == ["Hello"]


# Deleting


async def test_a_conversation_or_all(
    gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """And says how many there were."""
    await receive(gateway, loaded, (1, PHONE, "1"), (1, BANK, "2"), (1, PHONE, "3"))

    assert await ask("delete", number=PHONE) == {"deleted": 2}
    assert texts(await ask("list")) == ["2"]
    assert (await ask("gateways"))["gateways"][0]["has_messages"] is True
    assert await ask("delete", number=None) == {"deleted": 0}
    assert await ask("delete", number=BANK.lower()) == {"deleted": 1}
    await receive(gateway, loaded, (1, PHONE, "4"), (1, BANK, "5"))
    assert await ask("delete") == {"deleted": 2}
    assert await ask("conversations") == {"conversations": [], "more": False}


async def test_of_one_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    ask: Ask,
) -> None:
    """The other one keeps its own; an empty ID doesn't stand for all."""
    await receive(gateway, loaded, (1, PHONE, "1"))
    await receive(other, other_loaded, (1, PHONE, "2"))

    assert (await ask("delete", entry_id=""))["code"] == "invalid_format"
    assert await ask("delete", entry_id=loaded.entry_id) == {"deleted": 1}
    assert texts(await ask("list")) == ["2"]


# Counting


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("Hello", ("gsm7", 5, 1, 155)),
        ("x" * 160, ("gsm7", 160, 1, 0)),
        ("x" * 161, ("gsm7", 161, 2, 2 * 152 - 161)),
        ("[x]", ("gsm7", 3, 1, 155)),
        ("Grüße", ("unicode", 5, 1, 65)),
        ("👋", ("unicode", 1, 1, 68)),
        ("ü" * 71, ("unicode", 71, 2, 2 * 67 - 71)),
        ("a\nb", ("gsm7", 3, 1, 157)),
    ],
)
async def test_how_many_sms_a_text_takes(
    loaded: MockConfigEntry, ask: Ask, text: str, counted: tuple[str, int, int, int]
) -> None:
    """By the rules by which it's sent."""
    encoding, characters, parts, left = counted
    assert await ask("count", text=text) == {
        "encoding": encoding,
        "characters": characters,
        "parts": parts,
        "left": left,
    }


async def test_line_breaks_of_a_gateway(
    hass: HomeAssistant, loaded: MockConfigEntry, ask: Ask
) -> None:
    r"""Its firmware gets them as \n, and a backslash counts twice."""
    await set_options(hass, loaded, **{CONF_LINE_BREAKS: True})
    result = await ask("count", text="a\nb", entry_id=loaded.entry_id)
    assert result["left"] == 155
    assert (await ask("count", text="a\nb", entry_id=""))["left"] == 157


@pytest.mark.parametrize("text", ["", "  ", "x" * 1600, "\x07"])
async def test_a_text_that_cannot_be_sent(
    loaded: MockConfigEntry, ask: Ask, text: str
) -> None:
    """With the reason in words."""
    error = await ask("count", text=text)
    assert error["code"] == "invalid_text"
    assert error["message"]


# Who may


COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("gateways", {}),
    ("conversations", {}),
    ("list", {}),
    ("subscribe", {}),
    ("count", {"text": "Hello"}),
    ("delete", {}),
]


@pytest.mark.parametrize(("command", "data"), COMMANDS)
async def test_only_administrators(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    caplog: pytest.LogCaptureFixture,
    command: str,
    data: dict[str, Any],
) -> None:
    """Unless an option says otherwise; a card on their dashboard fills no log."""
    client = await hass_ws_client(access_token=hass_read_only_access_token)
    assert (await asker(client)(command, **data))["code"] == "unauthorized"
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"  # nothing came after it
    if command != "delete":  # the card doesn't try that
        assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_user_who_may_read(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Sees the gateways that are for all; can't send; deletes nothing."""
    add_contact(hass, other_loaded, "Anna", PHONE)
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: True})
    await receive(gateway, loaded, (1, PHONE, "For all"))
    await receive(other, other_loaded, (1, PHONE, "For few"))
    ask = asker(await hass_ws_client(access_token=hass_read_only_access_token))

    result = await ask("gateways")
    assert [each["title"] for each in result["gateways"]] == ["OpenVox"]
    assert result["gateways"][0]["can_send"] is False
    assert not any(each["can_send"] for each in result["gateways"][0]["spans"])
    assert result["contacts"] == []
    [message] = (await ask("list"))["messages"]
    assert (message["text"], message["contact"]) == ("For all", None)
    [conversation] = (await ask("conversations"))["conversations"]
    assert conversation["count"] == 1
    entry_id = other_loaded.entry_id
    assert (await ask("list", entry_id=entry_id))["code"] == "unauthorized"
    assert (await ask("delete"))["code"] == "unauthorized"
    assert len(kept(loaded)) == 1


async def test_live_a_user_sees_no_more(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Nor anything once the option is off again."""
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: True})
    client = await hass_ws_client(access_token=hass_read_only_access_token)
    await asker(client)("subscribe")

    await receive(other, other_loaded, (1, PHONE, "For few"))
    other_loaded.runtime_data.messages.delete([kept(other_loaded)[0]["id"]])
    await receive(gateway, loaded, (1, PHONE, "For all"))
    event = (await client.receive_json())["event"]
    assert event["message"]["text"] == "For all"

    await set_options(hass, loaded)
    assert (await client.receive_json())["event"] == {"type": "gateways"}
    await receive(gateway, loaded, (1, PHONE, "Later"))
    loaded.runtime_data.messages.delete([kept(loaded)[0]["id"]])
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


@pytest.mark.parametrize("readable", [0, 1, None])
async def test_a_user_needs_all_of_a_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    readable: int | None,
) -> None:
    """A part of its entities isn't enough."""
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: True})
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    entities = list(entity_states(hass, loaded))[:readable]
    policy = {"entity_ids": {each: {"read": True} for each in entities}}
    ask = asker(await sign_in(hass, hass_ws_client, policy))

    result = await ask("list")
    if readable is None:
        assert texts(result) == ["Hello"]
    else:
        # Not that it's an option: that one is on.
        assert result["code"] == "not_all_entities"


async def test_rights_that_change(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """They're looked up once, and again at once after each change."""
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: True})
    history = loaded.runtime_data.messages
    registry = er.async_get(hass)
    user = MockUser().add_to_hass(hass)
    user.perm_lookup = PermissionLookup(registry, dr.async_get(hass))
    entities = {each: {"read": True} for each in entity_states(hass, loaded)}
    user.mock_policy({"entities": {"entity_ids": entities}})
    assert may_see(hass, user, history)
    with patch.object(er, "async_entries_for_device", side_effect=AssertionError):
        assert may_see(hass, user, history)

    # An entity that the user may not read is there, then hidden again.
    off = next(
        each
        for each in er.async_entries_for_config_entry(registry, loaded.entry_id)
        if each.disabled_by
    )
    registry.async_update_entity(off.entity_id, disabled_by=None)
    assert not may_see(hass, user, history)
    registry.async_update_entity(
        off.entity_id, disabled_by=er.RegistryEntryDisabler.USER
    )
    assert may_see(hass, user, history)

    # Other groups give other permissions.
    user.invalidate_cache()
    user.mock_policy({"entities": {"entity_ids": {}}})
    assert not may_see(hass, user, history)


async def test_a_user_who_may_control_a_span(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> None:
    """Can send by that one, if the page names it."""
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: True})
    registry = er.async_get(hass)
    device = span_device(hass, loaded, 2)
    policy: dict[str, Any] = {
        each: {"read": True} for each in entity_states(hass, loaded)
    }
    for entity in er.async_entries_for_device(registry, device.id):
        policy[entity.entity_id] = {"read": True, "control": True}
    ask = asker(await sign_in(hass, hass_ws_client, {"entity_ids": policy}))

    [shown] = (await ask("gateways"))["gateways"]

    assert shown["can_send"] is False
    assert [each["span"] for each in shown["spans"] if each["can_send"]] == [2]


@pytest.mark.parametrize(
    ("for_all", "reason"), [(False, "unauthorized"), (True, "not_all_entities")]
)
async def test_a_user_who_may_send_but_not_read(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    for_all: bool,
    reason: str,
) -> None:
    """Gets the spans, the contacts and the count, but no message, and hears why."""
    add_contact(hass, loaded, "Anna", PHONE)
    await set_options(hass, loaded, **{CONF_MESSAGES_FOR_ALL: for_all})
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    device = span_device(hass, loaded, 2)
    client = await sign_in(hass, hass_ws_client, {"device_ids": {device.id: True}})
    ask = asker(client)

    result = await ask("gateways")
    [shown] = result["gateways"]
    assert (shown["can_read"], shown["has_messages"]) == (False, False)
    assert [each["span"] for each in shown["spans"] if each["can_send"]] == [2]
    assert [each["name"] for each in result["contacts"]] == ["Anna"]
    assert (await ask("count", text="Hi"))["parts"] == 1
    entry_id = loaded.entry_id
    for question in ("list", "conversations"):
        assert (await ask(question))["code"] == reason
        assert (await ask(question, entry_id=entry_id))["code"] == reason
    assert (await ask("list", entry_id="gone"))["code"] == "not_found"

    # It hears that something changed, but no message.
    assert await ask("subscribe") is None
    await receive(gateway, loaded, (2, PHONE, "Later"))
    loaded.runtime_data.messages.delete([kept(loaded)[0]["id"]])
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


async def test_a_disabled_gateway(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """Its messages can't be seen until it's enabled again."""
    await receive(gateway, loaded, (1, PHONE, "Hello"))
    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    assert texts(await ask("list")) == []
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    await settle(hass)
    assert texts(await ask("list")) == ["Hello"]
