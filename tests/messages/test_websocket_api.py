"""The WebSocket commands of the page."""

from datetime import UTC, datetime
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from simulator import Simulator

from .conftest import Ask

from tests.common import OTHER_PHONE, PHONE, add_contact, until

WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def receive(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry, *sms: Any
) -> None:
    """Let SMS come in: span, sender and text of each."""
    messages = entry.runtime_data.messages
    for span, sender, text in sms:
        known = len(messages)
        await gateway.receive_sms(span, sender, text, WHEN)
        await until(lambda known=known: len(messages) > known)


async def send(hass: HomeAssistant, text: str, **data: Any) -> None:
    """Send an SMS as the page does."""
    await hass.services.async_call(
        "notify",
        "send_sms",
        {"message": text, "target": PHONE, **data},
        blocking=True,
        return_response=True,
    )


async def test_the_gateways(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """With their spans, whether one can send, and the contacts."""
    add_contact(hass, loaded, "Anna", "0151 12345678")
    hass.config.country = "DE"
    gateway.spans[2].power = False
    await loaded.runtime_data.coordinator.async_refresh()

    result = (await ask("openvox_gsm/messages/gateways"))["result"]

    [shown] = result["gateways"]
    assert shown["entry_id"] == loaded.entry_id
    assert (shown["title"], shown["kept"], shown["can_send"]) == ("OpenVox", 500, True)
    assert shown["spans"][:2] == [
        {"span": 1, "name": "GSM 1", "can_send": True, "ready": True},
        {"span": 2, "name": "GSM 2", "can_send": True, "ready": False},
    ]
    assert result["contacts"] == [
        {"name": "Anna", "number": PHONE, "entry_ids": [loaded.entry_id]}
    ]


async def test_messages_and_conversations(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, ask: Ask
) -> None:
    """The newest first, with the contact as it's called now."""
    await receive(
        hass, gateway, loaded, (1, PHONE, "Hello"), (2, OTHER_PHONE, "Who is there?")
    )
    await send(hass, "Me", span=3)
    add_contact(hass, loaded, "Anna", PHONE)

    messages = (await ask("openvox_gsm/messages/list"))["result"]
    conversations = (await ask("openvox_gsm/messages/conversations"))["result"]

    assert [each["text"] for each in messages["messages"]] == [
        "Me",
        "Who is there?",
        "Hello",
    ]
    newest = messages["messages"][0]
    assert newest == {
        "id": newest["id"],
        "entry_id": loaded.entry_id,
        "kind": "sms",
        "direction": "out",
        "number": PHONE,
        "contact": "Anna",
        "text": "Me",
        "time": newest["time"],
        "span": 3,
        "parts": 1,
        "status": "sent",
        "reason": None,
        "duration": None,
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
