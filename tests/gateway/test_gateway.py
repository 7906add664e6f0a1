"""A gateway as its user sees it: connecting, what comes in, stopping."""

import asyncio
import random

import pytest

from custom_components.openvox_gsm.ami import (
    ActionTimeoutError,
    AuthenticationError,
    ConnectionLostError,
    PermissionDeniedError,
    ProtocolError,
    Session,
)
from custom_components.openvox_gsm.gateway import (
    Gateway,
    SendFailure,
    SendStatus,
    UssdError,
    connection as connection_module,
    spans as spans_module,
    ussd as ussd_module,
)
from custom_components.openvox_gsm.gateway.receiving import inbox as inbox_module
from custom_components.openvox_gsm.gateway.sending import part as part_module
from simulator import Simulator, SmsOutcome, User, UssdOutcome

from .conftest import Heard, gateway_with, kinds_of_gateway, until
from .outcomes import (
    LONG,
    LONG_UCS2,
    NUMBER,
    MakeClient,
    ends_soon,
    failed,
    outcome,
    sends,
    sent_on,
    texts,
    unknown,
    ussd_failure,
)

# Connecting


@gateway_with(users=[User("admin", "admin", write=["system"])])
async def test_a_user_without_commands_is_of_no_use(new_client: MakeClient) -> None:
    """Everything but receiving needs the right."""
    with pytest.raises(PermissionDeniedError):
        await new_client().start()


@kinds_of_gateway()
async def test_events_that_nobody_wants_are_not_even_looked_at(
    gateway: Simulator, client: Gateway
) -> None:
    """A gateway may raise thousands of them; only a marker is looked for in them."""
    session = client._connection._events  # noqa: SLF001
    assert session
    pattern = session._wanted()  # noqa: SLF001
    assert pattern
    assert not pattern.search(
        b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: SIP/1"
    )
    assert pattern.search(
        b"Event: VarSet\r\nChannel: EXTRA-SMS/1-1\r\nVariable: SMSSRC"
    )


async def test_a_wrong_password_is_told(new_client: MakeClient) -> None:
    """And not repeated in the error."""
    with pytest.raises(AuthenticationError) as caught:
        await new_client(secret="wr0ng").start()
    assert "wr0ng" not in str(caught.value)


async def test_a_wrong_password_after_a_restart_is_told(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """It was changed meanwhile."""
    gateway.users["admin"] = User("admin", "changed")
    await gateway.restart()
    await until(lambda: len(heard.changes) == 2)
    assert isinstance(heard.changes[-1], AuthenticationError)
    assert not client.is_connected


async def test_something_else_on_the_port_is_told(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It does not greet as a manager does."""
    gateway.faults.greeting = b"HTTP/1.1 400 Bad Request\r\n"
    with pytest.raises(ProtocolError):
        await new_client().start()


async def test_what_comes_in_during_a_failing_start_is_told(
    gateway: Simulator, new_client: MakeClient, heard: Heard
) -> None:
    """The network has delivered it and will not do so again."""
    gateway.faults.silent_commands.add("core show help gsm")
    starting = asyncio.create_task(new_client().start())
    await until(lambda: gateway.commands)
    await gateway.receive_sms(1, "10086", LONG, order=[1])
    with pytest.raises(ActionTimeoutError):
        await starting
    heard.assembler.flush()
    (sms,) = heard.sms
    assert not sms.complete


async def test_it_comes_back_after_a_restart(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """Both changes are reported, and all works as before."""
    await gateway.restart()
    await until(lambda: None in heard.changes)
    assert isinstance(heard.changes[0], ConnectionLostError)
    assert heard.changes[1:] == [None]
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(1)


# What comes in


@kinds_of_gateway()
@pytest.mark.parametrize("text", ["Hi", "Größe 😀\r\n\r\nEvent: Fake", LONG, LONG_UCS2])
async def test_an_sms_comes_in(
    gateway: Simulator, client: Gateway, heard: Heard, text: str
) -> None:
    """Once, as its sender wrote it."""
    await gateway.receive_sms(3, "+8613800138000", text)
    await until(lambda: heard.sms)
    (sms,) = heard.sms
    assert (sms.span, sms.sender, sms.text) == (3, "+8613800138000", text)
    assert sms.complete


@kinds_of_gateway()
async def test_an_sms_comes_in_while_others_go_out(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """A send takes its time; what comes in is not held back by it."""
    gateway.faults.silent_commands.add("gsm send")
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1))
    await until(lambda: sends(gateway))
    await gateway.receive_sms(1, "10086", "Hi")
    await until(lambda: heard.sms)
    assert not sending.done()
    sending.cancel()


async def test_everything_that_came_in_is_read(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """However much there is before it; one can wait for that."""
    await gateway.noise(5000)
    await gateway.receive_sms(1, "10086", "Hi")
    assert heard.sms == []
    await client.read_events()
    assert [sms.text for sms in heard.sms] == ["Hi"]


async def test_an_sms_comes_in_after_a_restart(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """Every new session is listened to."""
    await gateway.restart()
    await until(lambda: client.is_connected and None in heard.changes)
    await gateway.receive_sms(1, "10086", "Hi")
    await until(lambda: heard.sms)
    assert len(heard.sms) == 1


async def test_many_messages_at_once(
    gateway: Simulator, client: Gateway, opened: list[Session]
) -> None:
    """Each goes out once; there are never more sessions than spans at work."""
    for span in gateway.spans.values():
        span.send_duration = 0.002
        span.sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])
        span.sms_outcomes.extend([SmsOutcome.BUSY, SmsOutcome.SUCCESS])
    written = [f"Number {n}" for n in range(40)]
    results = await asyncio.gather(*(client.sms.send(NUMBER, text) for text in written))
    assert {result.status for result in results} == {SendStatus.SENT}
    assert sorted(texts(gateway)) == sorted(written)
    assert len(opened) <= 4


async def test_references_go_round(
    gateway: Simulator, new_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They begin anywhere, and stay below 256."""
    monkeypatch.setattr(random, "randrange", lambda end: end - 3)
    client = new_client()
    await client.start()
    for _ in range(4):
        await client.sms.send(NUMBER, "a" * 161, span=1)
    assert [part.flag for part in gateway.sent_parts[::2]] == [254, 255, 0, 1]
    assert len(gateway.sent) == 4


async def test_idle_sessions_are_closed(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway has better use for them."""
    monkeypatch.setattr(connection_module, "IDLE_TIME", 0.01)
    await client.sms.send(NUMBER, "Hi")
    await until(lambda: gateway.sessions == 2)


# Stop


async def test_stop_while_a_message_is_sent(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fate is unknown, and no verdict waited for."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 9)
    gateway.spans[1].send_duration = 0.2
    sending = asyncio.create_task(client.sms.send(NUMBER, LONG))
    await until(lambda: sends(gateway))
    await client.stop()
    result = await ends_soon(sending)
    assert outcome(result) == unknown(SendFailure.CONNECTION_LOST, 1)
    assert len(sends(gateway)) == 1


async def test_stop_while_a_verdict_is_waited_for(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot come any more."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 9)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1))
    behind = asyncio.create_task(client.sms.send(NUMBER, "Ho", span=1))
    await until(lambda: "SEND SMS TO PHONE" in str(client.observer.trace.wire()))
    await client.stop()
    assert outcome(await ends_soon(sending)) == unknown(SendFailure.TIMED_OUT, 1)
    assert outcome(await ends_soon(behind)) == failed(SendFailure.NOT_CONNECTED, 1)


@pytest.mark.parametrize("why", ["at work", "resting"])
async def test_stop_while_a_span_is_waited_for(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """The message was certainly not sent."""
    if why == "at work":
        monkeypatch.setattr(spans_module, "BUSY_INTERVAL", 9)
        gateway.spans[1].state = "SMS SENDING"
    else:
        monkeypatch.setattr(ussd_module, "LATE_ANSWER_TIME", 9)
        gateway.spans[1].ussd_outcomes.append(UssdOutcome.TIMEOUT)
        await ussd_failure(client, 1)
    looks = gateway.commands.count("gsm show span 1")
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1))
    if why == "at work":
        await until(lambda: gateway.commands.count("gsm show span 1") > looks)
    await asyncio.sleep(0.01)
    await client.stop()
    result = await ends_soon(sending)
    assert outcome(result) == failed(SendFailure.NOT_CONNECTED, 1)


async def test_stop_while_a_ussd_code_is_sent(
    gateway: Simulator, client: Gateway
) -> None:
    """No answer comes any more."""
    gateway.spans[1].ussd_duration = 0.2
    asking = asyncio.create_task(client.ussd.send(1, "*100#"))
    await until(lambda: sends(gateway))
    await client.stop()
    with pytest.raises(UssdError, match="connection_lost"):
        await ends_soon(asking)


async def test_parts_that_came_before_the_stop_are_not_lost(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """The network will not deliver them again."""
    await gateway.receive_sms(1, "10086", LONG, order=[2, 1])
    await until(lambda: client.is_connected)
    await client.spans.read()
    assert heard.sms == []
    await client.stop()
    heard.assembler.flush()
    (sms,) = heard.sms
    assert not sms.complete
    assert LONG.startswith(sms.text)


async def test_an_sms_that_is_being_read_when_the_gateway_goes(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It's told at once, however long the gateway stays away: no more of it will come."""
    monkeypatch.setattr(inbox_module, "MESSAGE_TIMEOUT", 60)
    await gateway.receive_sms(1, NUMBER, "Hi", pdu=False)
    await until(lambda: client._inbox.is_mid_message)  # noqa: SLF001
    assert heard.sms == []

    await gateway.stop()
    await until(lambda: heard.sms)
    assert [sms.text for sms in heard.sms] == ["Hi"]
    assert not client.is_connected
