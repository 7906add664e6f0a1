"""What the tests of messages share."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.core import HomeAssistant
from simulator import Simulator

from tests.common import PHONE, until

WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

type Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def ask(hass_ws_client: WebSocketGenerator) -> Ask:
    """Ask a command as an administrator, and return its result or error."""
    return asker(await hass_ws_client())


def asker(client: Any) -> Ask:
    """Return a function that asks a command, and returns its result or error."""

    async def ask(command: str, **data: Any) -> dict[str, Any]:
        await client.send_json_auto_id(
            {"type": f"openvox_gsm/messages/{command}", **data}
        )
        answer: dict[str, Any] = await client.receive_json()
        assert answer["type"] == "result"
        return answer["result"] if answer["success"] else answer["error"]

    return ask


def kept(entry: MockConfigEntry) -> list[dict[str, Any]]:
    """Return the messages of a gateway, the oldest first."""
    messages = entry.runtime_data.messages
    return [each.as_dict() for each in messages.newest_first()][::-1]


def only(entry: MockConfigEntry, *keys: str) -> list[tuple[Any, ...]]:
    """Return some of what is kept of each message, the oldest first."""
    return [tuple(each[key] for key in keys) for each in kept(entry)]


async def receive(gateway: Simulator, entry: MockConfigEntry, *sms: Any) -> None:
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
