"""One action at a time, and events in order to all who may see them."""

import asyncio

import pytest

from simulator import Dialect, Simulator, SmsOutcome, User

from .client import Client, connected

SEND = 'gsm send sync sms 1 10086 "hello" 20'


def _event(number: int, privilege: str = "call,all") -> bytes:
    return f"Event: Test\r\nPrivilege: {privilege}\r\nNumber: {number}\r\n\r\n".encode()


async def test_a_session_does_one_action_at_a_time(sim: Simulator) -> None:
    """While a command runs, the session answers nothing and delivers no events."""
    sim.spans[1].send_duration = 0.15
    async with (
        connected(sim, events="on") as busy,
        connected(sim, events="on") as other,
    ):
        busy.start_command(SEND)
        assert (await busy.raw_packet_head()).startswith("Response: Follows")
        busy.start("Ping")
        sim.emit(_event(1))
        assert await busy.silent(0.05)
        assert (await other.packet())["Number"] == "1"
        assert (await other.action("Ping"))["Response"] == "Success"
        assert "SUCCESSFULLY" in await busy.output()
        assert (await busy.packet())["Number"] == "1"
        assert (await busy.packet())["Ping"] == "Pong"


async def test_1_8_sends_the_head_at_once(sim: Simulator, client: Client) -> None:
    """The output comes when the command ends."""
    sim.spans[1].send_duration = 0.1
    client.start_command(SEND)
    assert (
        await client.raw_packet_head() == "Response: Follows\r\nPrivilege: Command\r\n"
    )
    assert await client.silent(0.05)
    assert "SUCCESSFULLY" in await client.output()


async def test_14_sends_all_at_the_end(sim_14: Simulator) -> None:
    """Later Asterisk answers in one piece."""
    sim_14.spans[1].send_duration = 0.1
    async with connected(sim_14) as client:
        client.start_command(SEND)
        assert await client.silent(0.05)
        assert "SUCCESSFULLY" in await client.output()


async def test_events_are_delivered_in_one_order(sim: Simulator) -> None:
    """Everybody sees the same."""
    async with connected(sim, events="on") as one, connected(sim, events="on") as two:
        for number in range(100):
            sim.emit(_event(number))
        for session in (one, two):
            events = await session.events(100)
            assert [event["Number"] for event in events] == [str(n) for n in range(100)]


@pytest.mark.parametrize(
    ("mask", "seen"),
    [
        ("on", ["call", "dialplan", "system"]),
        ("call", ["call"]),
        ("system,dialplan", ["dialplan", "system"]),
        ("off", []),
    ],
)
async def test_event_mask(
    sim: Simulator, client: Client, mask: str, seen: list[str]
) -> None:
    """The mask selects classes."""
    assert (await client.action("Events", EventMask=mask))["Response"] == "Success"
    for privilege in ("call", "dialplan", "system"):
        sim.emit(_event(0, f"{privilege},all"))
    sim.emit(b"Event: End\r\n\r\n")
    if seen:
        events = await client.events(len(seen) + 1)
        assert [event.get("Privilege") for event in events] == [
            *(f"{privilege},all" for privilege in seen),
            None,
        ]
    else:
        assert await client.silent()


async def test_an_empty_mask_is_an_error(client: Client) -> None:
    """Asterisk wants one."""
    assert (await client.action("Events"))["Message"] == "Invalid event mask"


async def test_rights_select_events() -> None:
    """Without the right to read "dialplan" there is no VarSet and no Newexten."""
    users = [User("blind", "blind", read=["system", "call"])]
    async with (
        Simulator(spans=1, users=users) as sim,
        connected(sim, "blind", "on") as client,
    ):
        await sim.receive_sms(1, "10086", "hello")
        event = await client.packet()
        assert (event["Event"], event["Channel"]) == ("Hangup", "EXTRA-SMS/1-1")
        assert await client.silent()


async def test_the_mask_of_the_moment_of_delivery_counts(
    sim: Simulator, watcher: Client
) -> None:
    """Events that waited for an action that closes the mask are gone."""
    sim.spans[1].send_duration = 0.05
    watcher.start_command(SEND)
    await watcher.raw_packet_head()
    watcher.start("Events", EventMask="off")
    sim.emit(_event(1))
    await watcher.output()
    assert (await watcher.packet())["Number"] == "1"
    assert (await watcher.packet())["Events"] == "Off"


async def test_a_command_runs_on_when_its_client_goes(sim: Simulator) -> None:
    """Asterisk notices only afterwards."""
    sim.spans[1].send_duration = 0.05
    async with connected(sim) as client:
        client.start_command(SEND)
        await client.raw_packet_head()
    (sms,) = await sim.wait_sent(1)
    assert sms.text == "hello"
    assert sim.sessions == 0


async def test_a_client_may_send_its_last_byte_early(sim: Simulator) -> None:
    """As ``printf … | nc`` does: what it asked for is answered all the same."""
    client = await Client.connect(sim)
    client.start("Login", Username="admin", Secret="admin", Events="off")
    client.start("Ping")
    client.writer.write_eof()
    await client.greeting()
    assert (await client.packet())["Response"] == "Success"
    assert (await client.packet())["Ping"] == "Pong"
    assert await client.ended()
    client.close()


async def test_a_session_that_hangs_keeps_nobody_else(sim: Simulator) -> None:
    """A command without end blocks its session only."""
    sim.spans[1].sms_outcomes.append(SmsOutcome.HANG)
    async with connected(sim) as hanging, connected(sim) as other:
        hanging.start_command(SEND)
        await asyncio.sleep(0.02)
        assert "WAS USING" in await other.command(SEND)
        assert "SUCCESSFULLY" in await other.command(SEND.replace("sms 1", "sms 2"))


async def test_there_is_no_replay_of_events(sim: Simulator) -> None:
    """What happens while nobody is logged in is lost."""
    await sim.receive_sms(1, "10086", "lost")
    async with connected(sim, events="on") as client:
        assert await client.silent()


async def test_dialect_of_lists(sim_14: Simulator) -> None:
    """The order of keys in an event that ends a list differs."""
    assert sim_14.dialect is Dialect.ASTERISK_14
    async with connected(sim_14) as client:
        await client.action("CoreShowChannels", ActionID="1")
        assert list(await client.packet()) == [
            "Event",
            "ActionID",
            "EventList",
            "ListItems",
        ]
