"""Calls in and out."""

import asyncio

import pytest

from simulator import Call, CallOutcome, Originated, Simulator
from simulator.model.channels import Channel

from .client import Client, connected

NUMBER = "+4915112345678"


def _originate(**fields: str) -> dict[str, str]:
    return {
        "Channel": "EXTRA/3/10086",
        "Application": "Playback",
        "Data": "hello",
        "Timeout": "1000",
        "Async": "true",
    } | fields


# ---- in ----------------------------------------------------------------------------------


async def test_incoming_call(sim: Simulator, watcher: Client) -> None:
    """A channel is reserved, rings some seconds later, is answered, and ends."""
    call = await sim.incoming_call(2, NUMBER, dial="SIP/9")
    span = sim.spans[2]
    assert (span.state, span.last_event) == (f"RING Called from {NUMBER}", "Ring")
    assert not span.ready
    events = await watcher.events(3)
    assert (span.state, span.last_event) == (f"RINGING Called from {NUMBER}", "Ringing")
    await call.answer()
    assert (span.state, span.last_event) == (
        f"CALL ACTIVE Called from {NUMBER}",
        "Answer",
    )
    await call.hangup(cause=17)
    events += await watcher.events(2)
    assert [event["Event"] for event in events] == [
        "Newchannel",
        "Newstate",
        "Newexten",
        "Newstate",
        "Hangup",
    ]
    states = [event.get("ChannelStateDesc") for event in events]
    assert states == ["Rsrvd", "Ring", None, "Up", None]
    assert (events[0]["CallerIDNum"], events[0]["Context"]) == (NUMBER, "gsm-2")
    assert events[0]["Exten"] == "s"
    assert events[2]["AppData"] == "SIP/9"
    assert (events[4]["Cause"], events[4]["Cause-txt"]) == ("17", "User busy")
    assert sim.spans[2].state == "READY"
    assert sim.spans[2].statistics["count"] == 0
    await call.hangup()
    assert await watcher.silent()


async def test_it_rings_after_three_seconds() -> None:
    """As recorded; tests shorten it."""
    assert Simulator(spans=1).ring_delay == 3.0


async def test_a_caller_who_gives_up_early(sim: Simulator, watcher: Client) -> None:
    """Shows no ringing at all."""
    sim.ring_delay = 60.0
    call = await sim.incoming_call(2, "")
    assert sim.spans[2].state == "RING"
    await call.hangup()
    first, last = await watcher.events(2)
    assert (first["Event"], first["ChannelStateDesc"]) == ("Newchannel", "Rsrvd")
    assert first["CallerIDNum"] == ""
    assert (last["Event"], last["CallerIDNum"]) == ("Hangup", "<unknown>")
    assert await watcher.silent()


async def test_a_call_that_is_answered_before_it_rings(
    sim: Simulator, watcher: Client
) -> None:
    """Rings at that moment."""
    sim.ring_delay = 60.0
    await (await sim.incoming_call(2, NUMBER)).answer()
    events = await watcher.events(4)
    assert [event.get("ChannelStateDesc") for event in events] == [
        "Rsrvd",
        "Ring",
        None,
        "Up",
    ]


async def test_a_dialplan_without_longer_extensions(
    sim: Simulator, watcher: Client
) -> None:
    """It rings at once."""
    sim.ring_delay = 0.0
    await sim.incoming_call(2, NUMBER)
    first, step = await watcher.events(2)
    assert (first["Event"], first["ChannelStateDesc"]) == ("Newchannel", "Ring")
    assert (step["Event"], step["Application"]) == ("Newexten", "Dial")


async def test_events_of_14(sim_14: Simulator) -> None:
    """The same with a snapshot of the channel in each."""
    async with connected(sim_14, events="on") as watcher:
        call = await sim_14.incoming_call(2, NUMBER)
        await call.answer()
        await call.hangup()
        events = await watcher.events(5)
    assert {event["Linkedid"] for event in events} == {call.channel.uniqueid}
    assert [event["ChannelState"] for event in events] == ["1", "4", "4", "6", "6"]


async def test_one_call_a_span(sim: Simulator) -> None:
    """A span in a call takes no other one."""
    await sim.incoming_call(2, NUMBER)
    with pytest.raises(ValueError, match="cannot take a call"):
        await sim.incoming_call(2, NUMBER)


async def test_call_shows_everywhere(sim: Simulator, client: Client) -> None:
    """In CoreStatus, CoreShowChannels, Status and on the command line."""
    await sim.incoming_call(2, NUMBER)
    assert (await client.action("CoreStatus"))["CoreCurrentCalls"] == "1"
    await client.action("CoreShowChannels", ActionID="1")
    shown = await client.packet()
    assert (shown["Event"], shown["ActionID"], shown["Channel"]) == (
        "CoreShowChannel",
        "1",
        "EXTRA/3-1",
    )
    assert (await client.packet())["ListItems"] == "1"
    await client.action("Status", Channel="EXTRA/3-1")
    assert (await client.packet())["Event"] == "Status"
    assert (await client.packet())["Event"] == "StatusComplete"
    assert "1 active call\n" in await client.command("core show channels") + "\n"


async def test_call_in_list_of_14(sim_14: Simulator) -> None:
    """Later Asterisk shows a snapshot."""
    await sim_14.incoming_call(2, NUMBER)
    async with connected(sim_14) as client:
        await client.action("CoreShowChannels")
        assert (await client.packet())["CallerIDNum"] == NUMBER


async def test_hangup_by_a_client(sim: Simulator, watcher: Client) -> None:
    """With a cause of its own, or none."""
    for cause in ("21", ""):
        await sim.incoming_call(2, NUMBER)
        await watcher.events(3)
        answer = await watcher.action("Hangup", Channel="EXTRA/3-1", Cause=cause)
        assert answer["Message"] == "Channel Hungup"
        assert (await watcher.packet())["Cause"] == (cause or "0")
        assert sim.spans[2].last_send_at == "ATH\r\n"


async def test_absolute_timeout(sim: Simulator, client: Client) -> None:
    """A call ends after some seconds."""
    call = await sim.incoming_call(2, NUMBER)
    where = {"Channel": "EXTRA/3-1"}
    assert (await client.action("AbsoluteTimeout"))["Message"] == "No channel specified"
    answer = await client.action("AbsoluteTimeout", Channel="x", Timeout="0")
    assert answer["Message"] == "No such channel"
    answer = await client.action("AbsoluteTimeout", **where)
    assert answer["Message"] == "No timeout specified"
    answer = await client.action("AbsoluteTimeout", **where, Timeout="0")
    assert answer["Message"] == "Timeout Set"
    async with asyncio.timeout(1):
        await call.ended.wait()


async def test_a_channel_without_a_call_cannot_be_hung_up(
    sim: Simulator, client: Client
) -> None:
    """Nothing happens."""
    channel = sim.new_channel("SIP/1-1", "x", "s")
    assert isinstance(channel, Channel)
    assert (await client.action("Hangup", Channel="SIP/1-1"))["Response"] == "Success"
    assert "SIP/1-1" in sim.channels


# ---- out ---------------------------------------------------------------------------------


async def test_originate(sim: Simulator, watcher: Client) -> None:
    """The call is placed, answered, and lasts until somebody ends it."""
    fields = _originate(CallerID="Home", Variable="A=1", ActionID="9")
    answer = await watcher.action("Originate", **fields)
    assert answer["Message"] == "Originate successfully queued"
    events = await watcher.events(7)
    assert [event["Event"] for event in events] == [
        "Newchannel",
        "NewAccountCode",
        "NewCallerid",
        "Newstate",
        "Newstate",
        "NewAccountCode",
        "OriginateResponse",
    ]
    states = [events[number]["ChannelStateDesc"] for number in (0, 3, 4)]
    assert states == ["Rsrvd", "Dialing", "Up"]
    assert (events[0]["Exten"], events[0]["CallerIDNum"]) == ("", "")
    response = events[6]
    assert (response["ActionID"], response["Response"], response["Reason"]) == (
        "9",
        "Success",
        "4",
    )
    assert response["Channel"] == "EXTRA/3-1"
    assert sim.spans[2].state == "CALL ACTIVE Called to 10086"
    assert sim.originated == [
        Originated(
            2,
            "10086",
            "EXTRA/3/10086",
            "Playback",
            "hello",
            "",
            "",
            "",
            1000,
            True,
            "Home",
            ("A=1",),
        )
    ]
    await watcher.action("Hangup", Channel="EXTRA/3-1")
    assert (await watcher.packet())["Event"] == "Hangup"
    assert sim.spans[2].statistics["answered"] == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "cause", "column"),
    [
        (CallOutcome.BUSY, "1", "17", "busy"),
        (CallOutcome.NO_CARRIER, "1", "16", "no_carrier"),
        (CallOutcome.NO_DIALTONE, "1", "38", "no_dialtone"),
        ((CallOutcome.NO_ANSWER, 0.01), "1", "19", "no_answer"),
        (CallOutcome.NO_ANSWER, "3", "0", "cancel"),
        ((CallOutcome.ANSWERED, 5.0), "3", "0", "cancel"),
    ],
)
async def test_calls_that_fail(
    sim: Simulator,
    watcher: Client,
    outcome: CallOutcome | tuple[CallOutcome, float],
    reason: str,
    cause: str,
    column: str,
) -> None:
    """The reason stands in the response, the cause in the hangup, the count in the table."""
    sim.spans[2].call_outcomes.append(outcome)
    await watcher.action("Originate", **_originate(Timeout="30"))
    events = {}
    while "OriginateResponse" not in events:
        event = await watcher.packet()
        events[event["Event"]] = event
    response, hangup = events["OriginateResponse"], events["Hangup"]
    assert (response["Response"], response["Reason"]) == ("Failure", reason)
    assert hangup["Cause"] == cause
    assert sim.spans[2].statistics[column] == 1
    assert sim.spans[2].state == "READY"


async def test_a_rejected_call(sim: Simulator, watcher: Client) -> None:
    """It ends before anything was heard, and counts for the ASR only."""
    sim.spans[2].call_outcomes.append(CallOutcome.FAILED)
    await watcher.action("Originate", **_originate())
    events = await watcher.events(6)
    assert [event["Event"] for event in events[-3:]] == [
        "Newstate",
        "Hangup",
        "OriginateResponse",
    ]
    assert (events[4]["Cause"], events[5]["Reason"]) == ("21", "1")
    assert sim.spans[2].last_send_at == "ATD10086;\r\n"
    assert sim.spans[2].statistics["count"] == 0
    assert sim.spans[2].asr == 0


async def test_a_span_that_is_in_a_call(sim: Simulator, watcher: Client) -> None:
    """Is busy; nothing is dialled."""
    await sim.incoming_call(2, NUMBER)
    await watcher.events(3)
    await watcher.action("Originate", **_originate())
    response = await watcher.packet()
    assert (response["Event"], response["Reason"]) == ("OriginateResponse", "5")
    assert (response["Channel"], response["Uniqueid"]) == ("EXTRA/3/10086", "<null>")


async def test_statistics(sim: Simulator, client: Client) -> None:
    """The table counts outgoing calls."""
    sim.spans[2].call_outcomes.append(CallOutcome.BUSY)
    await client.action("Originate", **_originate(Async="false"))
    assert sim.spans[2].call is None
    lines = (await client.command("gsm show statistics outbound")).split("\n")
    assert [cell.strip() for cell in lines[2].split("|")] == list("210001000")


async def test_synchronous_originate(sim: Simulator, client: Client) -> None:
    """The answer waits for the call."""
    sim.spans[2].call_outcomes.extend([(CallOutcome.ANSWERED, 0.02), CallOutcome.BUSY])
    fields = _originate(Application="Hangup", Async="")
    assert (await client.action("Originate", **fields))["Response"] == "Success"
    await asyncio.sleep(0.01)
    assert sim.spans[2].call is None
    assert (await client.action("Originate", **fields))["Message"] == "Originate failed"


async def test_wait_ends_by_itself(sim: Simulator, client: Client) -> None:
    """The application Wait lasts its seconds."""
    fields = _originate(Application="Wait", Data="0", Async="")
    await client.action("Originate", **fields)
    await asyncio.sleep(0.02)
    assert sim.spans[2].call is None
    await client.action(
        "Originate", **_originate(Application="Wait", Data="60", Async="")
    )
    await client.action("Hangup", Channel="EXTRA/3-1")
    assert sim.spans[2].call is None


async def test_originate_to_an_extension(sim: Simulator, watcher: Client) -> None:
    """The dialplan runs on."""
    fields = _originate(Application="", Context="home", Exten="100", Priority="2")
    await watcher.action("Originate", **fields)
    response = (await watcher.events(8))[6]
    assert response["Event"] == "OriginateResponse"
    call = sim.spans[2].call
    assert isinstance(call, Call)
    assert (call.channel.context, call.channel.exten, call.channel.priority) == (
        "home",
        "100",
        2,
    )


async def test_hangup_while_it_rings(sim: Simulator, watcher: Client) -> None:
    """The call was cancelled."""
    sim.spans[2].call_outcomes.append((CallOutcome.ANSWERED, 5.0))
    await watcher.action("Originate", **_originate())
    await watcher.events(4)
    assert sim.spans[2].state == "CALL PROGRESS Called to 10086"
    await watcher.action("Hangup", Channel="EXTRA/3-1")
    events = await watcher.events(2)
    assert [event["Event"] for event in events] == ["Hangup", "OriginateResponse"]
    assert (events[0]["Cause"], events[1]["Reason"]) == ("0", "1")
    assert sim.spans[2].statistics["cancel"] == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Channel": ""}, "Channel not specified"),
        ({"Channel": "EXTRA"}, "Invalid channel"),
        ({"Application": ""}, "Originate with no application or extension"),
        ({"Channel": "SIP/3/10086", "Async": ""}, "Originate failed"),
        ({"Channel": "EXTRA/2/10086", "Async": ""}, "Originate failed"),
        ({"Channel": "EXTRA/99/10086", "Async": ""}, "Originate failed"),
    ],
)
async def test_bad_originate(
    client: Client, fields: dict[str, str], message: str
) -> None:
    """Each with its own words."""
    assert (await client.action("Originate", **_originate(**fields)))[
        "Message"
    ] == message


async def test_a_span_that_is_not_ready_cannot_call(
    sim: Simulator, client: Client
) -> None:
    """The call fails at once, but is noted."""
    sim.spans[2].status = "No Signal"
    answer = await client.action("Originate", **_originate(Async=""))
    assert answer["Message"] == "Originate failed"
    assert len(sim.originated) == 1
