"""What the tests of sending and asking have in common: what is sent, what comes of it."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.openvox_gsm.gateway import (
    Gateway,
    SendFailure,
    SendResult,
    SendStatus,
    UssdError,
    UssdFailure,
)
from simulator import Box, Simulator

from .conftest import gateway_with

NUMBER = "+4915112345678"
LONG = "All work and no play makes Jack a dull boy. " * 10
LONG_UCS2 = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. " * 3

type MakeClient = Callable[..., Gateway]

earlier_firmware = gateway_with(box=Box.OF_2013)
later_firmware = gateway_with(box=Box.TODAY)


def outcome(result: SendResult) -> tuple[SendStatus, SendFailure | None, int | None]:
    """Return what became of a message, and on which span."""
    return result.status, result.failure, result.span


def sent_on(span: int) -> tuple[SendStatus, None, int]:
    """Expect a message to be sent on a span."""
    return SendStatus.SENT, None, span


def failed(
    failure: SendFailure, span: int | None = None
) -> tuple[SendStatus, SendFailure, int | None]:
    """Expect a message to fail."""
    return SendStatus.FAILED, failure, span


def unknown(
    failure: SendFailure, span: int
) -> tuple[SendStatus, SendFailure, int | None]:
    """Expect the fate of a message to be unknown."""
    return SendStatus.UNKNOWN, failure, span


def sends(gateway: Simulator) -> list[str]:
    """Return every command that hands an SMS or a USSD code to a span."""
    return [command for command in gateway.commands if command.startswith("gsm send")]


def texts(gateway: Simulator) -> list[str]:
    """Return the texts that went out, in order."""
    return [sms.text for sms in gateway.sent]


async def ussd_failure(
    client: Gateway, span: int, *, timeout: int = 30
) -> UssdFailure | SendFailure:
    """Send a USSD code in vain and return why."""
    with pytest.raises(UssdError) as caught:
        await client.ussd.send(span, "*100#", timeout=timeout)
    assert caught.value.span == span
    assert "*100#" not in str(caught.value)
    return caught.value.failure


async def ends_soon[T](running: asyncio.Task[T]) -> T:
    """Return the result of what must not go on after a stop."""
    async with asyncio.timeout(0.1):
        return await running
