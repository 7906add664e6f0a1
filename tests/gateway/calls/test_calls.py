"""Which span rings a phone, and what ends the calls on a span."""

import asyncio

import pytest

from custom_components.openvox_gsm.ami import CannotConnectError, ConnectionLostError
from custom_components.openvox_gsm.gateway import (
    Gateway,
    InvalidNumberError,
    RingOutcome,
    RingResult,
    SendFailure,
    SpanError,
)
from simulator import Simulator
from simulator.model.channels import CAUSE_NORMAL

from tests.common import PHONE
from tests.gateway.conftest import kinds_of_gateway, until

pytestmark = pytest.mark.usefixtures("impatient")


# What cannot be called


@pytest.mark.parametrize("number", ["", "home", "1\r\nAsync: false", "1/2"])
async def test_what_is_not_a_number(
    gateway: Simulator, client: Gateway, number: str
) -> None:
    """It never gets to the gateway."""
    with pytest.raises(InvalidNumberError):
        await client.calls.ring(number, 20, span=1)
    assert gateway.originated == []


async def test_a_span_that_cannot_call(gateway: Simulator, client: Gateway) -> None:
    """One without signal, and one that there is not."""
    gateway.spans[1].status = "No Signal"

    for span, failure in (
        (1, SendFailure.NO_NETWORK),
        (9, SendFailure.NO_SUCH_SPAN),
    ):
        with pytest.raises(SpanError) as error:
            await client.calls.ring(PHONE, 20, span=span)
        assert (error.value.failure, error.value.span) == (failure, span)
    assert gateway.originated == []


async def test_a_span_that_is_asked_in_vain(
    gateway: Simulator, client: Gateway
) -> None:
    """Nothing was dialled, so another one may ring."""
    gateway.spans[1].hung = True

    assert (await client.calls.ring(PHONE, 20)).span == 2
    with pytest.raises(SpanError) as error:
        await client.calls.ring(PHONE, 20, span=1)
    assert (error.value.failure, error.value.span) == (SendFailure.SPAN_SILENT, 1)
    assert str(error.value) == "Span 1: span_silent"
    assert [call.span for call in gateway.originated] == [2]


async def test_a_gateway_that_is_asked_for_its_spans_in_vain(
    gateway: Simulator, client: Gateway
) -> None:
    """Nothing was dialled, and the error says so."""
    for span in gateway.spans.values():
        span.status = "No Signal"
    await client.spans.read()
    gateway.faults.silent_commands.add("^gsm show span")

    with pytest.raises(SpanError) as error:
        await client.calls.ring(PHONE, 20)
    assert (error.value.failure, error.value.span) == (SendFailure.NOT_RESPONDING, None)


async def test_the_connection_is_lost_before_anything_is_dialled(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error doesn't say that it may have rung."""
    gateway.faults.silent_commands.add("^gsm show span 1")
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.connection.QUICK_TIMEOUT", 5.0
    )
    gateway.commands.clear()
    call = asyncio.create_task(client.calls.ring(PHONE, 20, span=1))
    await until(lambda: gateway.commands)
    gateway.faults.drop_sessions()

    with pytest.raises(SpanError) as error:
        await call
    assert error.value.failure is SendFailure.NOT_CONNECTED
    assert gateway.originated == []


async def test_a_span_in_a_call(
    client: Gateway, ringing: asyncio.Task[RingResult], gateway: Simulator
) -> None:
    """One call at a time: the second waits for the first."""
    second = asyncio.create_task(client.calls.ring(PHONE, 20, span=2))
    await asyncio.sleep(0.02)
    assert len(gateway.originated) == 1

    ringing.cancel()

    assert (await second).outcome is RingOutcome.ANSWERED


# Which span


async def test_a_ready_span_is_chosen(gateway: Simulator, client: Gateway) -> None:
    """One that is ready now, whatever the last poll said."""
    gateway.spans[1].status = "No Signal"
    first, second = [(await client.calls.ring(PHONE, 20)).span for _ in range(2)]

    assert 1 not in (first, second)
    assert first != second


async def test_a_span_that_has_become_ready(
    gateway: Simulator, client: Gateway
) -> None:
    """It is found although no poll has seen it yet."""
    for span in gateway.spans.values():
        span.status = "No Signal"
    await client.spans.read()
    gateway.spans[3].status = "Up"

    assert (await client.calls.ring(PHONE, 20)).span == 3


async def test_no_span_is_ready(gateway: Simulator, client: Gateway) -> None:
    """Then nothing rings."""
    for span in gateway.spans.values():
        span.status = "No Signal"

    with pytest.raises(SpanError) as error:
        await client.calls.ring(PHONE, 20)

    assert error.value.failure is SendFailure.NO_SPAN_READY


# Hanging up


@kinds_of_gateway()
async def test_hang_up(
    gateway: Simulator, client: Gateway, ringing: asyncio.Task[RingResult]
) -> None:
    """All calls on the span end, in both directions; others go on."""
    await gateway.incoming_call(3, PHONE)
    await gateway.incoming_call(1, PHONE)

    assert await client.calls.hang_up(3) == 1
    assert gateway.spans[3].call is None
    assert gateway.spans[1].call
    assert gateway.spans[2].call
    assert await client.calls.hang_up(2) == 1
    assert gateway.spans[2].call is None
    await ringing
    assert gateway.spans[1].call
    assert await client.calls.hang_up(1) == 1
    assert await client.calls.hang_up(1) == 0


async def test_a_call_that_ends_just_now(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is none of those that were ended, and no error."""
    connection = client._connection  # noqa: SLF001
    action = connection.action

    async def end_first(name: str, *args: object) -> object:
        assert gateway.spans[2].call
        gateway.spans[2].call.end(CAUSE_NORMAL)
        return await action(name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "action", end_first)
    assert await client.calls.hang_up(2) == 0


async def test_connection_that_goes_between_two_calls(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One has ended, so there's no error that says that nothing was done."""
    gateway.new_channel("EXTRA/3-9", "gsm-2", "s")
    connection = client._connection  # noqa: SLF001
    action = connection.action
    ended = 0

    async def once(name: str, *args: object) -> object:
        nonlocal ended
        ended += 1
        if ended > 1:
            raise CannotConnectError("gone")
        return await action(name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "action", once)
    with pytest.raises(ConnectionLostError, match="gone"):
        await client.calls.hang_up(2)
    assert gateway.spans[2].call is None
    with pytest.raises(CannotConnectError):
        await client.calls.hang_up(2)


async def test_hang_up_where_there_is_no_span(client: Gateway) -> None:
    """That is said, not taken for a span without calls."""
    with pytest.raises(SpanError) as error:
        await client.calls.hang_up(9)
    assert error.value.failure is SendFailure.NO_SUCH_SPAN


async def test_without_a_connection(gateway: Simulator, client: Gateway) -> None:
    """Nothing can be done."""
    gateway.faults.refuse = True
    gateway.faults.drop_sessions()
    await until(lambda: not client.is_connected)

    with pytest.raises(CannotConnectError):
        await client.calls.ring(PHONE, 20, span=1)
    with pytest.raises(CannotConnectError):
        await client.calls.hang_up(1)
