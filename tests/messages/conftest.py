"""What the tests of messages share."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

type Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def ask(hass_ws_client: WebSocketGenerator) -> Ask:
    """Ask a command as an administrator, and return its result or error."""
    client = await hass_ws_client()

    async def ask(command: str, **data: Any) -> dict[str, Any]:
        await client.send_json_auto_id({"type": command, **data})
        answer: dict[str, Any] = await client.receive_json()
        return answer

    return ask
