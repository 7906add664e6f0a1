"""What was seen since the login, by kind."""

import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway import Gateway
from custom_components.openvox_gsm.gateway.observing.seen import Seen
from simulator import Box, Simulator

from tests.gateway.conftest import gateway_with, until

PHONE = "+4915112345678"


async def test_the_events_of_an_sms_are_counted(
    gateway: Simulator, client: Gateway
) -> None:
    """They show by which events this gateway announces an SMS."""
    await gateway.receive_sms(1, PHONE, "Hi")
    await until(lambda: "step Hangup" in client.observer.seen.counts)
    counts = client.observer.seen.counts
    assert counts["SMS with PDU"] == 1
    assert counts["VarSet SMSSRC"] == 1
    assert counts["step process_sms"] == 1
    assert "SMS without PDU" not in counts


@gateway_with(box=Box.TODAY, sms_received=True)
async def test_the_events_of_a_box_of_today_are_counted(
    gateway: Simulator, client: Gateway
) -> None:
    """Its programs have other names, and it has events of its own."""
    await gateway.receive_sms(1, PHONE, "Hi")
    await client.sms.send(PHONE, "Hi", timeout=5)
    await until(lambda: "SMSSendStatus SUCCESS" in client.observer.seen.counts)
    counts = client.observer.seen.counts
    assert counts["step NoOp(SMS In)"] == 1
    assert counts["step sms_receive.lua"] == 1
    assert counts["SMSRecevied"] == 1


async def test_events_that_nobody_knows_are_counted_by_name(
    gateway: Simulator, client: Gateway
) -> None:
    """They are the first sign of a firmware that says more."""
    gateway.emit(b"Event: SimMoved\r\nPrivilege: system,all\r\nChannel: 1\r\n\r\n")
    await until(lambda: client.observer.seen.counts)
    assert client.observer.seen.counts == {"unknown event SimMoved": 1}


async def test_a_status_that_nobody_knows_is_counted(
    gateway: Simulator, client: Gateway
) -> None:
    """By its words, and once for each change."""
    gateway.spans[1].status = "Hibernating (since 4711)"
    await client.spans.read()
    await client.spans.read()
    (kind, count) = next(iter(client.observer.seen.counts.items()))
    assert kind.startswith("unknown status ")
    assert "Hibernating" in kind
    assert "4711" not in kind
    assert count == 1


async def test_counts_begin_with_each_login(
    gateway: Simulator, client: Gateway
) -> None:
    """A new firmware shows by itself what it says."""
    await gateway.receive_sms(1, PHONE, "Hi")
    await until(lambda: client.observer.seen.counts)
    await gateway.restart()
    await until(lambda: not client.is_connected)
    await until(lambda: client.is_connected)
    assert client.observer.seen.counts == {}


@pytest.mark.parametrize(
    ("command", "output", "kind"),
    [
        (
            'gsm send sync sms 1 +49151 "Hi" 20',
            "SPAN:1 SEND SMS TO PHONE:+49151 PERHAPS\n",
            "reply to an SMS that wasn't understood",
        ),
        ('gsm send ussd 1 "*100#" 30', "2:Later\n", "reply to a USSD code that wasn't understood"),
    ],
)  # fmt: skip
def test_replies_that_nobody_knows_are_counted(
    command: str, output: str, kind: str
) -> None:
    """The outcome of such a send is unknown."""
    seen = Seen()
    seen.answer(command, output)
    assert seen.counts == {kind: 1}


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ('gsm send sync sms 1 1 "Hi" 20', "SPAN:1 SEND SMS TO PHONE:1 TIMEOUT\n"),
        ('gsm send sync sms 1 1 "Hi" 20', "SPAN:1 SEND SMS TO PHONE:1 SUCCESSFULLY\n"),
        ('gsm send ussd 1 "*1#" 30', "0:Send USSD timeout on span 1(110)\n"),
        ("gsm show span 1", "anything"),
    ],
)
def test_replies_that_are_known_are_not_counted(command: str, output: str) -> None:
    """A time-out is an answer like any other."""
    seen = Seen()
    seen.answer(command, output)
    assert seen.counts == {}


def test_the_kinds_are_limited() -> None:
    """A gateway that makes up names costs no memory."""
    seen = Seen()
    for number in range(300):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        event = Packet(f"Event: Sim{word}\r\nChannel: 1".encode())
        seen.event(event, may_be_text=False)
    assert len(seen.counts) == 101
    assert seen.counts["other kinds"] == 200
