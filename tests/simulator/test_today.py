"""The boxes sold today: their dialplan, their events, their stacks."""

import asyncio
from collections.abc import AsyncIterator
import re

import pytest

from simulator import Box, Simulator, SmsOutcome, Stack

from .client import QUIET, Client, Packet, connected

NUMBER = "+4915112345678"
SEND = f'gsm send sync sms 2 {NUMBER} "hello" 20 0 my-id'


@pytest.fixture
async def watcher(today: Simulator) -> AsyncIterator[Client]:
    """Give a client that sees all events of a box of today."""
    async with connected(today, events="on") as session:
        yield session


async def _steps(client: Client) -> list[str]:
    """Read events up to a hangup and give the steps of the dialplan."""
    steps = []
    while (event := await client.packet())["Event"] != "Hangup":
        if event["Event"] == "Newexten":
            steps.append(f"{event['Application']}({event['AppData']})")
    return steps


# ---- SMS in ------------------------------------------------------------------------------


async def test_sms_received_is_off_as_shipped() -> None:
    """Then nothing of an SMS reaches a client."""
    async with (
        Simulator(spans=1, box="today") as sim,
        connected(sim, events="on") as watcher,
    ):
        await sim.receive_sms(1, NUMBER, "hello")
        assert await watcher.silent(QUIET)
        assert sim.spans[1].last_event == "SMS received"
        assert sim.channels == {}


async def test_steps_of_an_sms(today: Simulator, watcher: Client) -> None:
    """Two programs take it; the first words are the same for every SMS."""
    await today.receive_sms(2, NUMBER, 'say "hi"')
    start, receive, route, end = await _steps(watcher)
    assert start == "NoOp(SMS In)"
    assert "lua sms_receive.lua" in receive
    assert re.search(
        r'"2" "\+4915112345678" "[0-9/: ]+" "say "hi"" "\+8613800755500"', receive
    )
    assert 'lua dialplan2redis.lua "2" "say "hi""' in route
    assert end == "Hangup()"
    assert await watcher.packet() == {
        "Event": "SMSRecevied",
        "Privilege": "system,all",
        "Channel": "2",
    }


async def test_sms_to_http(today: Simulator, watcher: Client) -> None:
    """Further steps, with variables of their own; it works without the other switch."""
    today.dialplan.sms_to_http = True
    today.dialplan.sms_received = False
    await today.receive_sms(2, NUMBER, "hello")
    values = {}
    steps = []
    while (event := await watcher.packet())["Event"] != "Hangup":
        if event["Event"] == "VarSet":
            values[event["Variable"]] = event["Value"]
        else:
            steps.append(event["AppData"])
    assert steps[:2] == ["SMS In", "SMS CURL"]
    assert (values["phonenumber"], values["message"]) == (NUMBER, "hello")
    assert not any("sms_receive" in step for step in steps)


async def test_variables_in_another_order(today: Simulator, watcher: Client) -> None:
    """There are more of them, and they may come before the sender."""
    orders = []
    for order in (today.variable_order, ("SMSTXT", "SMSC")):
        today.variable_order = order
        await today.receive_sms(2, NUMBER, "hello")
        orders.append([(await watcher.packet())["Variable"] for _ in range(9)])
        while (await watcher.packet())["Event"] != "SMSRecevied":
            pass
    assert orders == [
        [
            *("SIMIMSI", "SMSC", "SMSORITXT", "SMSSRC", "SMSTXT", "SMSPDU"),
            *("SMSTIME", "SMSTZ", "DIALSTATUS"),
        ],
        [
            *("SMSTXT", "SMSC", "SMSSRC", "SMSPDU", "SMSTIME", "SMSTZ"),
            *("SMSORITXT", "SIMIMSI", "DIALSTATUS"),
        ],
    ]


async def test_dialplan_show(today: Simulator, sim: Simulator) -> None:
    """The steps can be read without an SMS; so a client sees whether the switch is on."""
    async with connected(today) as client:
        shown = await client.command("dialplan show sms@gsm-2")
        assert shown.startswith(
            "[ Context 'gsm-2' created by 'pbx_config' ]\n"
            "  'sms' =>          1. NoOp(SMS In)                               [pbx_config]\n"
        )
        assert "2. System(cd /my_tools/lua/sms_receive/ && lua sms_receive.lua" in shown
        assert '"${SMSTXT}"' in shown
        assert shown.endswith("-= 1 extension (4 priorities) in 1 context. =-")
        today.dialplan.sms_received = False
        shown = await client.command("dialplan show sms@gsm-2")
        assert "sms_receive" not in shown
        assert "(2 priorities)" in shown
        shown = await client.command("dialplan show gsm-2")
        assert "'s' =>            1. Dial(SIP/1001,60,r)" in shown
        for command, reason in (
            ("dialplan show sms@gsm-9", "'gsm-9' context"),
            ("dialplan show x@gsm-2", "x@gsm-2 extension"),
        ):
            answer = await client.command(command)
            assert answer.startswith(f"There is no existence of {reason}\n")
        assert "Usage:" in await client.command("dialplan show")
    sim.spans[1].send_events = True
    async with connected(sim) as client:
        shown = await client.command("dialplan show gsm-1")
        assert "/my_tools/process_sms" in shown
        assert "'sms_send_ok' =>" in shown


# ---- SMS out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "answer", "status"),
    [
        (SmsOutcome.SUCCESS, "SUCCESSFULLY", "SUCCESS"),
        (SmsOutcome.FAILED, "WAS FAILED", "FAILED"),
        (SmsOutcome.TIMEOUT, "TIMEOUT", "FAILED"),
        (SmsOutcome.LATE_SUCCESS, "TIMEOUT", "SUCCESS"),
    ],
)
async def test_outcome_of_a_send(
    today: Simulator, watcher: Client, outcome: SmsOutcome, answer: str, status: str
) -> None:
    """An event of the driver's own has it, with the ID that the command gave."""
    today.spans[2].sms_outcomes.append(outcome)
    today.spans[2].send_events = True  # which no box of today has
    async with connected(today) as client:
        assert answer in await client.command(SEND)
    assert await watcher.packet() == {
        "Event": "SMSSendStatus",
        "Privilege": "system,all",
        "Channel": "2",
        "Destination": NUMBER,
        "ID": "my-id",
        "IMSI": "460021180590502",
        "Status": status,
    }


@pytest.mark.parametrize(
    ("delivered", "status"), [(True, "SUCCESS"), (False, "FAILED")]
)
async def test_delivery(
    today: Simulator, watcher: Client, delivered: bool, status: str
) -> None:
    """An event says so where status reports are on, but without the ID."""
    today.status_reports = True
    today.spans[2].deliveries.append(delivered)
    async with connected(today) as client:
        await client.command(SEND)
    events = await watcher.events(2)
    report = events[1]
    assert report["Event"] == "SMSStatusReport"
    assert (report["Channel"], report["Board"], report["Sender"]) == ("2", "1", NUMBER)
    assert report["Status"] == status
    assert "ID" not in report


async def test_delivery_in_2013(sim: Simulator) -> None:
    """It comes as an SMS with a senseless text; only its PDU tells what it is."""
    sim.status_reports = True
    async with connected(sim, events="on") as watcher, connected(sim) as client:
        await client.command(f'gsm send sync sms 2 {NUMBER} "hello" 20')
        values = {}
        while (event := await watcher.packet())["Event"] == "VarSet":
            values[event["Variable"]] = event["Value"]
    assert re.fullmatch(
        r"0891683108705505F006010D91945111325476F8[0-9]{12}[0-9A-F]{2}[0-9]{12}[0-9A-F]{2}00",
        values["SMSPDU"],
    )
    assert NUMBER not in values["SMSSRC"]


# ---- the driver's own events -------------------------------------------------------------


async def _named(watcher: Client, count: int) -> list[Packet]:
    """Read events and give those of the driver."""
    events = [await watcher.packet() for _ in range(count)]
    return [event for event in events if event["Event"].startswith(("Extra", "Sim"))]


async def test_sim_and_module(today: Simulator, watcher: Client) -> None:
    """An event says at once what happens to them."""
    span = today.spans[3]
    span.remove_sim()
    span.insert_sim()
    span.lose_network()
    span.find_network()
    span.lock()
    assert span.limits == ["Locked"]
    span.unlock()
    async with connected(today) as client:
        await client.command("gsm power off 3")
        await client.command("gsm power on 3")
        await client.command("gsm reload span 3")
        events = await watcher.events(11)
    assert {event["Channel"] for event in events} == {"3"}
    assert [(event["Event"], event.get("Result")) for event in events] == [
        ("ExtraDown", "SIM Not inserted"),
        ("SimInserted", None),
        ("ExtraReady", None),
        ("ExtraDown", "Not registered"),
        ("ExtraReady", None),
        ("ExtraLock", None),
        ("ExtraUnlock", None),
        ("ExtraDown", "Power off"),
        ("ExtraReady", None),
        ("ExtraDown", "Reload"),
        ("ExtraReady", None),
    ]


async def test_calls(today: Simulator, watcher: Client) -> None:
    """Each step of a call has an event of the driver's own as well."""
    call = await today.incoming_call(2, NUMBER)
    await call.answer()
    await call.hangup()
    assert [event["Event"] for event in await _named(watcher, 8)] == [
        "ExtraDial",
        "ExtraConnect",
        "ExtraHangup",
    ]
    await watcher.action(
        "Originate", Channel="EXTRA/3/10086", Application="Hangup", Async="1"
    )
    events = await _named(watcher, 12)
    assert [event["Event"] for event in events] == [
        "ExtraOutDial",
        "ExtraRingBack",
        "ExtraConnect",
        "ExtraHangup",
    ]
    assert events[-1]["Result"] == "16"


async def test_limits(today: Simulator) -> None:
    """A port at its limit neither sends nor calls."""
    today.spans[1].limits = ["Sms"]
    today.spans[2].limits = ["Call"]
    today.spans[3].limits = ["Locked"]
    call = {"Application": "Hangup", "Timeout": "1000"}
    async with connected(today) as client:
        for span, sends, calls in (
            (1, False, True),
            (2, True, False),
            (3, False, False),
        ):
            answer = await client.command(f'gsm send sync sms {span} {NUMBER} "x" 20 0')
            assert ("SUCCESSFULLY" in answer) is sends
            channel = f"EXTRA/{2 * span - 1}/10086"
            answered = await client.action("Originate", Channel=channel, **call)
            assert (answered["Response"] == "Success") is calls


async def test_the_driver_of_2013_has_none_of_them(sim: Simulator) -> None:
    """Only Asterisk's events."""
    async with connected(sim, events="system") as watcher, connected(sim) as client:
        sim.spans[2].remove_sim()
        sim.spans[2].insert_sim()
        await client.command(f'gsm send sync sms 2 {NUMBER} "hello" 20')
        assert await watcher.silent(QUIET)


async def test_an_update(sim: Simulator, client: Client) -> None:
    """A box becomes another one, with other commands."""
    sim.become(Box.TODAY)
    assert "[flash sms]" in await client.command("core show help gsm send sync sms")
    assert "sms_receive" not in await client.command("dialplan show sms@gsm-1")


# ---- stacks ------------------------------------------------------------------------------


async def test_stack() -> None:
    """Each board is a gateway of its own, on the next port, with other modules."""
    async with Stack(3, spans=2, sms_received=True) as boards:
        ports = [board.port for board in boards]
        assert ports == [ports[0], ports[0] + 1, ports[0] + 2]
        imeis = {span.imei for board in boards for span in board.spans.values()}
        imsis = {span.imsi for board in boards for span in board.spans.values()}
        assert (len(imeis), len(imsis)) == (6, 6)
        assert all(len(number) == 15 for number in imeis | imsis)
        async with connected(boards[1], events="on") as watcher:
            await boards[1].receive_sms(2, NUMBER, "hello")
            _, step, _ = await _steps(watcher)
            assert step.startswith(
                f'System(/my_tools/process_slavesms "1" "2" "2" "{NUMBER}" "'
            )


async def test_a_stack_whose_ports_are_taken() -> None:
    """Free ones are looked for, unless they are given."""
    async with Stack(1) as boards:
        taken = boards[0].port
        with pytest.raises(OSError, match="in use"):
            await Stack(2, port=taken - 1).start()
        stack = Stack(2)
        listen = stack.boards[1].start

        async def refuse_once() -> None:
            stack.boards[1].start = listen  # type: ignore[method-assign]
            raise OSError

        stack.boards[1].start = refuse_once  # type: ignore[method-assign]
        async with stack as others:
            assert others[1].port == others[0].port + 1
    await asyncio.sleep(0)
