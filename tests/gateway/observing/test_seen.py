"""What was seen since the login, by kind."""

import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway import Gateway
from custom_components.openvox_gsm.gateway.observing.seen import Seen
from simulator import Box, Simulator

from tests.gateway.conftest import gateway_with, until

PHONE = "+4915112345678"


def counted(packet: str, *, may_be_text: bool) -> dict[str, int]:
    """Return how an event is counted."""
    seen = Seen()
    seen.event(Packet(packet.encode()), may_be_text=may_be_text)
    return seen.counts


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


@pytest.mark.parametrize(
    ("name", "may_be_text"),
    [
        *((name, False) for name in ("Sim4711", "Sim of Bob", "S", "S" * 41)),
        ("SimMoved", True),
    ],
)
def test_an_event_whose_name_may_be_private_is_counted_without_it(
    name: str, may_be_text: bool
) -> None:
    """The name of an event is one word of letters, and no text has written it."""
    counts = counted(f"Event: {name}", may_be_text=may_be_text)
    assert counts == {"unknown event": 1}


@pytest.mark.parametrize(
    "name",
    [
        *("SMSRecevied", "SimInserted", "ExtraReady", "ExtraDown", "ExtraLock"),
        *("ExtraUnlock", "ExtraDial", "ExtraOutDial", "ExtraRingBack"),
        *("ExtraConnect", "ExtraHangup", "GSMEvent"),
    ],
)
@pytest.mark.parametrize("may_be_text", [True, False])
def test_the_events_of_the_driver_are_counted(name: str, may_be_text: bool) -> None:
    """Their names are known, so that they say nothing of whoever wrote them."""
    assert counted(f"Event: {name}", may_be_text=may_be_text) == {name: 1}


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        *(
            (f"Variable: {name}\r\nValue: Hi", f"VarSet {name}")
            for name in (
                *("SMSSRC", "SMSTXT", "SMSTIME", "SMSTZ", "SMSORITXT", "SMSC"),
                *("SIMIMSI", "DIALSTATUS"),
            )
        ),
        ("Variable: MYBANK\r\nValue: Hi", "VarSet of another variable"),
        ("Variable: SMSPDU\r\nValue: ", "SMS without PDU"),
        ("Variable: SMSPDU\r\nValue: 0004", "SMS with PDU"),
        ("Variable: SMSPDU\r\nValue: 0006", "status report as PDU"),
        ("Variable: SMSPDU\r\nValue: 07918", "SMS with PDU"),
        ("Variable: SMSPDU\r\nValue: 0791", "SMS with PDU"),
    ],
)
def test_the_variables_of_an_sms_are_counted(packet: str, kind: str) -> None:
    """By their names, a PDU by what it is."""
    sms = f"Event: VarSet\r\nChannel: EXTRA-SMS/1-1\r\n{packet}"
    assert counted(sms, may_be_text=True) == {kind: 1}


@pytest.mark.parametrize(
    ("application", "data", "kind"),
    [
        ("System", 'process_sms "1" "+49151" "Hi"', "step process_sms"),
        ("System", '/my_tools/process_sms "1"', "step process_sms"),
        ("System", '/my_tools/process_slavesms "1"', "step process_slavesms"),
        ("System", 'cd /x/ && lua sms_receive.lua "1"', "step sms_receive.lua"),
        ("System", 'cd /x/ && lua dialplan2redis.lua "1"', "step dialplan2redis.lua"),
        ("System", 'wget -q "http://gw/"', "step wget"),
        ("System", "curl gw", "step curl"),
        ("NoOp", "SMS In", "step NoOp(SMS In)"),
        ("NoOp", "SMS CURL", "step NoOp(SMS CURL)"),
        ("NoOp", "Hi", "step NoOp"),
        ("Set", "message=Hi", "step Set"),
        ("System", 'echo "wget"', "step System"),
        ("Hangup", "", "step Hangup"),
        ("Playback", "Hi", "step of another application"),
    ],
)
def test_the_steps_of_an_sms_are_counted(
    application: str, data: str, kind: str
) -> None:
    """By the program that they run, as long as it isn't in the text."""
    step = f"Application: {application}\r\nAppData: {data}"
    sms = f"Event: Newexten\r\nChannel: EXTRA-SMS/1-1\r\n{step}"
    assert counted(sms, may_be_text=True) == {kind: 1}


@pytest.mark.parametrize(
    "packet",
    [
        "Event: VarSet\r\nChannel: EXTRA/1-1\r\nVariable: SMSTXT\r\nValue: Hi",
        "Event: Newexten\r\nChannel: EXTRA/1-1\r\nApplication: NoOp\r\nAppData: Hi",
        *("Event: Newchannel", "Event: Newstate", "Event: Hangup"),
    ],
)
def test_events_of_calls_are_not_counted(packet: str) -> None:
    """There is a sensor for calls."""
    assert counted(packet, may_be_text=False) == {}


@pytest.mark.parametrize("name", ["SMSSendStatus", "SMSStatusReport"])
@pytest.mark.parametrize(
    ("status", "word"), [("SUCCESS", "SUCCESS"), ("4711", "otherwise")]
)
def test_outcomes_are_counted(name: str, status: str, word: str) -> None:
    """By whether it's a success, as a text may have written any other word."""
    packet = f"Event: {name}\r\nStatus: {status}"
    assert counted(packet, may_be_text=True) == {f"{name} {word}": 1}


@pytest.mark.parametrize(
    ("state", "counts"),
    [("CALL PROCEEDING", ["with the state CALL PROCEEDING"]), ("", [])],
)
async def test_a_status_that_nobody_knows_is_counted(
    gateway: Simulator, client: Gateway, state: str, counts: list[str]
) -> None:
    """By its words, with those of the state, and once for each change."""
    gateway.spans[1].status = "Hibernating (since 4711)"
    gateway.spans[1].state = state
    await client.spans.read()
    await client.spans.read()
    assert client.observer.seen.counts == dict.fromkeys(
        ["unknown status Power on, Provisioned, Hibernating", *counts], 1
    )


async def test_a_status_that_is_too_long(gateway: Simulator, client: Gateway) -> None:
    """Its beginning is enough to know it by."""
    gateway.spans[1].status = "x" * 500
    await client.spans.read()
    kinds = list(client.observer.seen.counts)
    assert len(kinds) == 2
    assert max(map(len, kinds)) == len("unknown status ") + 60


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
        *(
            ('gsm send sms 1 1 "Hi" 20', f"SPAN:1 SEND SMS TO PHONE:1 {words}\n")
            for words in ("SUCCESSFULLY", "WAS FAILED", "WAS USING", "ENCODE PDU FAIL")
        ),
        *(
            ('gsm send ussd 1 "*1#" 30', output)
            for output in (
                "0:Send USSD timeout on span 1(110)\n",
                "0:Send USSD failed on span 1(3)\n",
                "1:Recive USSD on span 1,responses:2,code:15\nText:5.00\n",
            )
        ),
        ("gsm show span 1", "anything"),
    ],
)
def test_replies_that_are_known_are_not_counted(command: str, output: str) -> None:
    """A time-out is an answer like any other."""
    seen = Seen()
    seen.answer(command, output)
    assert seen.counts == {}


def test_the_kinds_are_limited() -> None:
    """A gateway that makes up names doesn't fill the memory."""
    seen = Seen()
    for number in range(300):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        event = Packet(f"Event: Sim{word}\r\nChannel: 1".encode())
        seen.event(event, may_be_text=False)
    seen.event(Packet(b"Event: Sima\r\nChannel: 1"), may_be_text=False)
    assert len(seen.counts) == 101
    assert seen.counts["other kinds"] == 200
    assert seen.counts["unknown event Sima"] == 2
