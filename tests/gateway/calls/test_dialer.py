"""A call that is only to ring, and what ends it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
    HeaderFault,
    InvalidHeaderError,
    Packet,
    PermissionDeniedError,
)
from custom_components.openvox_gsm.gateway import (
    NOT_CALLED,
    CallEvent,
    CallEventType,
    Gateway,
    RingOutcome,
    RingResult,
    SendFailure,
    SpanError,
)
from custom_components.openvox_gsm.gateway.calls import dialer as dialer_module
from custom_components.openvox_gsm.gateway.calls.dialer import Dialer
from simulator import CallOutcome, Simulator, User
from simulator.model.channels import CAUSE_NORMAL, Channel, ChannelState
from simulator.model.phone import Reason

from tests.common import PHONE
from tests.gateway.calls.conftest import RINGS_ON
from tests.gateway.conftest import kinds_of_gateway, until

pytestmark = pytest.mark.usefixtures("impatient")


# What became of it


@kinds_of_gateway()
@pytest.mark.parametrize(
    ("scripted", "outcome"),
    [
        (CallOutcome.ANSWERED, RingOutcome.ANSWERED),
        (CallOutcome.BUSY, RingOutcome.BUSY),
        (CallOutcome.FAILED, RingOutcome.FAILED),
        (CallOutcome.NO_CARRIER, RingOutcome.FAILED),
        (CallOutcome.NO_DIALTONE, RingOutcome.FAILED),
        ((CallOutcome.NO_ANSWER, 0.01), RingOutcome.NO_ANSWER),
    ],
)
async def test_the_outcome(
    gateway: Simulator, client: Gateway, scripted: CallOutcome, outcome: RingOutcome
) -> None:
    """The gateway reports it, and the call is over."""
    gateway.spans[2].call_outcomes.append(scripted)

    result = await client.calls.ring(PHONE, 20, span=2)

    assert result == RingResult(2, outcome, 0)
    await until(lambda: gateway.spans[2].call is None)
    [call] = gateway.originated
    assert (call.span, call.number, call.channel) == (2, PHONE, f"EXTRA/3/{PHONE}")
    assert (call.application, call.timeout_ms) == ("Hangup", 20_000)


async def test_it_ends_while_its_events_wait(
    gateway: Simulator, new_client: Callable[..., Gateway]
) -> None:
    """They wait behind an SMS that is coming in, and each belongs to its own call."""
    news: list[CallEvent] = []
    client = new_client(on_call=news.append)
    await client.start()
    await client.spans.read()
    gateway.emit(
        b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
        b"Variable: SMSSRC\r\nValue: +491\r\nUniqueid: 7.7\r\n\r\n"
    )

    for number, order_id in (("+491", "one"), ("+492", "two")):
        await client.calls.ring(number, 20, span=2, order_id=order_id)

    await until(lambda: len(news) == 4)
    assert [(each.type, each.number, each.order_id) for each in news] == [
        (CallEventType.ANSWERED, "+491", "one"),
        (CallEventType.ENDED, "+491", "one"),
        (CallEventType.ANSWERED, "+492", "two"),
        (CallEventType.ENDED, "+492", "two"),
    ]
    assert not client._call_tracker._expected  # noqa: SLF001


async def test_it_rings_no_longer_than_it_may(
    gateway: Simulator, client: Gateway
) -> None:
    """The gateway itself ends it, and the result contains the time."""
    gateway.spans[1].call_outcomes.append(RINGS_ON)

    result = await client.calls.ring(PHONE, 1, span=1)

    assert result == RingResult(1, RingOutcome.NO_ANSWER, 1)
    assert gateway.spans[1].call is None


async def test_the_outcome_of_another_call_is_not_taken(
    gateway: Simulator, client: Gateway, ringing: asyncio.Task[RingResult]
) -> None:
    """Nor is one that an SMS has forged: nobody can guess the ActionID."""
    for number in range(200):
        gateway.faults.garbage(
            b"Event: OriginateResponse\r\nPrivilege: call,all\r\n"
            b"ActionID: %d\r\nResponse: Success\r\nReason: 4\r\n\r\n" % number
        )
    early = client._dialer._early  # noqa: SLF001
    await until(lambda: "199" in early)
    assert not ringing.done()
    assert list(early) == [str(number) for number in range(150, 200)]

    assert gateway.spans[2].call
    gateway.spans[2].call.end(CAUSE_NORMAL)
    assert (await ringing).outcome is RingOutcome.FAILED


async def test_what_is_no_outcome_is_not_kept(
    gateway: Simulator, client: Gateway
) -> None:
    """Neither an event of another kind, nor one that's longer than any honest one."""
    outcome = b"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: "
    most = 8 * 1024
    assert Dialer.wants(outcome.ljust(most))
    for packet in (
        b"Event: Hangup\r\nPrivilege: call,all\r\nChannel: EXTRA/1-1\r\nActionID: 1",
        outcome + b"2".ljust(most),
        outcome + b"3",
    ):
        gateway.faults.garbage(packet + b"\r\n\r\n")

    early = client._dialer._early  # noqa: SLF001
    await until(lambda: "3" in early)
    assert list(early) == ["3"]


async def test_the_outcome_comes_before_the_answer_to_the_action(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come in by two sessions, so either may be the first."""
    connection = client._connection  # noqa: SLF001
    action = connection.action

    async def late(name: str, *args: object) -> object:
        answer = await action(name, *args)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        return answer

    monkeypatch.setattr(connection, "action", late)
    gateway.spans[1].call_outcomes.append(CallOutcome.BUSY)

    async with asyncio.timeout(1):
        result = await client.calls.ring(PHONE, 20, span=1)
    assert result.outcome is RingOutcome.BUSY
    expect_nothing_kept(client)


def expect_nothing_kept(client: Gateway) -> None:
    """Check that nothing of a call is left when it is over."""
    dialer, calls = client._dialer, client._call_tracker  # noqa: SLF001
    assert not (dialer._early or dialer._outcomes or dialer._under_way)  # noqa: SLF001
    assert not calls._expected  # noqa: SLF001


@kinds_of_gateway()
@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (17, RingOutcome.BUSY),
        (18, RingOutcome.NO_ANSWER),
        (19, RingOutcome.NO_ANSWER),
        (16, RingOutcome.FAILED),
        (21, RingOutcome.FAILED),
        (38, RingOutcome.FAILED),
        (0, RingOutcome.FAILED),
    ],
)
async def test_reason_1_needs_the_cause(
    gateway: Simulator,
    client: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    cause: int,
    outcome: RingOutcome,
) -> None:
    """The driver gives it for every call that ended; the cause may come after it."""
    hangup = gateway.events.hangup

    def later(channel: Channel, _cause: int) -> bytes:
        call_later = asyncio.get_running_loop().call_later
        call_later(0.1, lambda: gateway.emit(hangup(channel, cause)))
        return b""

    monkeypatch.setattr(gateway.events, "hangup", later)
    gateway.spans[2].call_outcomes.append(CallOutcome.FAILED)

    assert (await client.calls.ring(PHONE, 20, span=2)).outcome is outcome
    expect_nothing_kept(client)


async def test_another_reason_needs_no_cause(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no channel, so there is no end of one to wait for."""
    monkeypatch.setattr(dialer_module, "_CAUSE_TIMEOUT", 60.0)

    async def no_channel(*_args: object) -> tuple[None, Reason]:
        return None, Reason.NO_CHANNEL

    monkeypatch.setattr(gateway.spans[2].phone, "dial", no_channel)
    async with asyncio.timeout(1):
        result = await client.calls.ring(PHONE, 20, span=2)
    assert result.outcome is RingOutcome.FAILED
    expect_nothing_kept(client)


async def test_what_the_gateway_is_told(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To call without holding up the session, and to hang up as usual."""
    connection = client._connection  # noqa: SLF001
    action = connection.action
    actions: list[tuple[str, dict[str, str]]] = []

    async def keep(name: str, headers: Any = ()) -> object:
        actions.append((name, dict(headers)))
        return await action(name, headers)

    monkeypatch.setattr(connection, "action", keep)
    gateway.spans[2].call_outcomes.append(RINGS_ON)
    call = asyncio.create_task(client.calls.ring(PHONE, 60, span=2))
    await until(lambda: gateway.spans[2].call)
    call.cancel()
    await asyncio.wait([call])

    assert actions == [
        (
            "Originate",
            {
                "Channel": f"EXTRA/3/{PHONE}",
                "Application": "Hangup",
                "Timeout": "60000",
                "Async": "true",
            },
        ),
        ("Hangup", {"Channel": "EXTRA/3-1", "Cause": "16"}),
    ]


async def test_no_outcome_ever_comes(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is hung up, and counts as failed."""
    monkeypatch.setattr(dialer_module, "_RING_SLACK", -0.9)
    gateway.spans[1].call_outcomes.append(RINGS_ON)

    result = await client.calls.ring(PHONE, 1, span=1)

    assert result.outcome is RingOutcome.FAILED
    assert gateway.spans[1].call is None


# Whatever happens, the call ends


async def test_the_caller_is_cancelled(
    gateway: Simulator, client: Gateway, ringing: asyncio.Task[RingResult]
) -> None:
    """The phone stops ringing, and the span is free when the cancelling is over."""
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing

    assert gateway.spans[2].call is None
    assert (await client.calls.ring(PHONE, 20, span=2)).outcome is RingOutcome.ANSWERED


async def test_cancelled_twice(
    gateway: Simulator, ringing: asyncio.Task[RingResult]
) -> None:
    """The second time the caller is gone at once; the phone still stops."""
    ringing.cancel()
    await asyncio.sleep(0)
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing

    await until(lambda: gateway.spans[2].call is None)


async def test_cancelled_before_the_channel_is_known(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call may have just begun: its channel is waited for."""
    phone = gateway.spans[1].phone
    dial = phone.dial

    async def dial_late(*args: Any) -> object:
        await asyncio.sleep(0.05)
        return await dial(*args)

    monkeypatch.setattr(phone, "dial", dial_late)
    gateway.spans[1].call_outcomes.append(RINGS_ON)
    call = asyncio.create_task(client.calls.ring(PHONE, 60, span=1))
    await until(lambda: gateway.originated)
    assert gateway.spans[1].call is None
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert gateway.spans[1].last_send_at == "ATH\r\n"
    assert gateway.spans[1].call is None


async def test_a_strangers_call_goes_on(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began before ours, which the gateway's answer to is still on its way."""
    calls = client._call_tracker  # noqa: SLF001
    stranger = gateway.new_channel("EXTRA/3-9", "gsm-2", "", ChannelState.DIALING)
    gateway.emit(gateway.events.new_channel(stranger))
    await until(lambda: calls._calls)  # noqa: SLF001
    connection = client._connection  # noqa: SLF001
    action = connection.action
    hung_up: list[object] = []

    async def hold_back(name: str, *args: object) -> object:
        if name == "Originate":
            await asyncio.sleep(60)
        hung_up.append(args)
        return await action(name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "action", hold_back)
    call = asyncio.create_task(client._dialer.ring(2, PHONE, 60))  # noqa: SLF001
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert hung_up == []
    expect_nothing_kept(client)  # the next stranger's call isn't ours, either


async def test_the_gateway_fails_to_hang_up_at_first(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is repeated until the phone is silent."""
    connection = client._connection  # noqa: SLF001
    action = connection.action
    errors = iter([ActionFailedError("Busy"), ActionTimeoutError("No answer")])

    async def fail_first(name: str, *args: object) -> object:
        if error := next(errors, None):
            raise error
        return await action(name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "action", fail_first)
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing

    assert gateway.spans[2].call is None


@pytest.mark.parametrize("ends_by_itself", [True, False])
async def test_a_call_that_cannot_be_hung_up(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
    ends_by_itself: bool,
) -> None:
    """That is tried until it has ended, or for some time."""
    connection = client._connection  # noqa: SLF001
    monkeypatch.setattr(
        dialer_module, "_HANG_UP_TIMEOUT", 60.0 if ends_by_itself else 0.1
    )
    monkeypatch.setattr(
        dialer_module, "_CHANNEL_TIMEOUT", 60.0 if ends_by_itself else 0.0
    )
    tries: list[str] = []

    async def refuse(name: str, *_args: object) -> None:
        tries.append(name)
        if len(tries) == 3 and ends_by_itself:
            assert gateway.spans[2].call
            gateway.spans[2].call.end(CAUSE_NORMAL)
        raise ActionFailedError("No")

    monkeypatch.setattr(connection, "action", refuse)
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(1):
            await ringing

    assert set(tries) == {"Hangup"}
    assert len(tries) == 3 or not ends_by_itself


async def test_a_hangup_that_the_gateway_took(
    client: Gateway, ringing: asyncio.Task[RingResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't repeated: by then the channel may be that of somebody else's call."""
    taken: list[str] = []

    async def take(name: str, *_args: object) -> Packet:
        taken.append(name)
        return Packet(b"Response: Success")

    monkeypatch.setattr(client._connection, "action", take)  # noqa: SLF001
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(1):
            await ringing

    assert taken == ["Hangup"]


async def test_the_client_stops(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hangs up first, at once; the caller gets an error."""
    monkeypatch.setattr(dialer_module, "_STOP_TIMEOUT", 60.0)
    async with asyncio.timeout(1):
        await client.stop()

    assert gateway.spans[2].call is None
    with pytest.raises(ConnectionLostError):
        await ringing


def refuse_to_hang_up(
    client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> asyncio.Event:
    """Make the gateway refuse to hang up until the event that's returned is set."""
    connection = client._connection  # noqa: SLF001
    action = connection.action
    ready = asyncio.Event()

    async def refuse(name: str, *args: object) -> object:
        if name == "Hangup" and not ready.is_set():
            raise ActionFailedError("Not now")
        return await action(name, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "action", refuse)
    return ready


async def test_the_client_stops_while_a_cancelled_call_is_hung_up(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No phone goes on ringing, although the caller is long gone."""
    ready = refuse_to_hang_up(client, monkeypatch)
    ringing.cancel()
    await asyncio.sleep(0.02)
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing
    assert gateway.spans[2].call

    stopping = asyncio.create_task(client.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    ready.set()
    await stopping

    assert gateway.spans[2].call is None


async def test_the_client_stops_though_a_call_cannot_be_hung_up(
    gateway: Simulator,
    client: Gateway,
    ringing: asyncio.Task[RingResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It doesn't wait for that forever: the call's own time limit ends it."""
    monkeypatch.setattr(dialer_module, "_STOP_TIMEOUT", 0.1)
    refuse_to_hang_up(client, monkeypatch)
    async with asyncio.timeout(1):
        await client.stop()

    assert not client.is_connected
    assert gateway.spans[2].call


async def test_the_connection_is_lost(
    gateway: Simulator, ringing: asyncio.Task[RingResult]
) -> None:
    """Nobody waits for an outcome that cannot come; the gateway's time limit ends it."""
    gateway.faults.drop_sessions()

    with pytest.raises(ConnectionLostError):
        async with asyncio.timeout(1):
            await ringing


async def test_early_outcomes_are_forgotten_with_the_connection(
    gateway: Simulator, client: Gateway
) -> None:
    """They are about calls of that connection."""
    gateway.faults.garbage(
        b"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: 1\r\n"
        b"Response: Success\r\nReason: 4\r\n\r\n"
    )
    await until(lambda: client._dialer._early)  # noqa: SLF001
    gateway.faults.drop_sessions()

    await until(lambda: not client._dialer._early)  # noqa: SLF001


# What cannot be called


async def test_the_user_may_not_dial(
    gateway: Simulator, new_client: Callable[..., Gateway]
) -> None:
    """The features say so beforehand; the gateway says so, too."""
    gateway.users["admin"] = User("admin", "admin", write=["command", "system"])
    client = new_client()
    await client.start()
    assert client.features.may_dial is False

    with pytest.raises(PermissionDeniedError):
        async with asyncio.timeout(1):  # nothing is looked for to hang up
            await client.calls.ring(PHONE, 20, span=1)


@pytest.mark.parametrize(
    "error",
    [
        ActionFailedError("Invalid channel"),
        CannotConnectError("Not connected"),
        InvalidHeaderError(HeaderFault.VALUE, "Channel", "Not one line"),
        PermissionDeniedError("Permission denied"),
    ],
    ids=repr,
)
async def test_the_gateway_refuses(
    client: Gateway, monkeypatch: pytest.MonkeyPatch, error: AmiError
) -> None:
    """In its own words, and there's certainly no call."""

    async def nothing(*_args: object) -> None:
        raise error

    monkeypatch.setattr(client._connection, "action", nothing)  # noqa: SLF001
    monkeypatch.setattr(dialer_module, "_CHANNEL_TIMEOUT", 60.0)
    with pytest.raises(NOT_CALLED, match=str(error)):
        async with asyncio.timeout(1):  # nothing is looked for to hang up
            await client.calls.ring(PHONE, 20, span=1)


async def test_somebody_else_calls_through_the_span(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own call is not the other side's being busy; another span may call."""
    spans = client.spans

    async def looks_ready(*_args: object) -> None:
        return None

    monkeypatch.setattr(spans, "wait_until_ready", looks_ready)
    await gateway.incoming_call(2, PHONE)

    with pytest.raises(SpanError) as error:
        await client.calls.ring(PHONE, 20, span=2)
    assert error.value.failure is SendFailure.BUSY


async def test_the_cause_does_not_come(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing says more than that the call failed."""
    monkeypatch.setattr(dialer_module, "_CAUSE_TIMEOUT", 0.01)
    monkeypatch.setattr(gateway.events, "hangup", lambda *_: b"")
    gateway.spans[2].call_outcomes.append(CallOutcome.BUSY)

    assert (await client.calls.ring(PHONE, 20, span=2)).outcome is RingOutcome.FAILED


async def test_the_number_of_our_own_call(
    gateway: Simulator, new_client: Callable[..., Gateway]
) -> None:
    """The gateway doesn't show it, but we know it."""
    news: list[CallEvent] = []
    client = new_client(on_call=news.append)
    await client.start()
    await client.spans.read()

    await client.calls.ring(PHONE, 20, span=2)
    await until(lambda: len(news) == 2)
    assert [(each.type, each.number) for each in news] == [
        (CallEventType.ANSWERED, PHONE),
        (CallEventType.ENDED, PHONE),
    ]
    assert news[-1].talk_time == 0
