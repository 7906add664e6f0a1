"""What may go wrong between a gateway and its clients."""

import asyncio
import socket

import pytest

from simulator import Dialect, Simulator

from .client import Client, connected


async def test_refuse(sim: Simulator, client: Client) -> None:
    """Nobody new gets through; those who are there stay."""
    sim.faults.refuse = True
    assert sim.faults.refuse
    with pytest.raises(ConnectionRefusedError):
        await Client.connect(sim)
    assert (await client.action("Ping"))["Response"] == "Success"
    sim.faults.refuse = False
    async with connected(sim):
        assert sim.sessions == 2


async def test_unreachable(sim: Simulator, client: Client) -> None:
    """An attempt to connect is neither taken nor refused; those who are there stay."""
    sim.faults.unreachable = True
    sim.faults.unreachable = True
    assert sim.faults.unreachable
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await Client.connect(sim)
    assert (await client.action("Ping"))["Response"] == "Success"
    sim.faults.unreachable = False
    async with connected(sim):
        assert sim.sessions == 2


async def test_stop_while_unreachable() -> None:
    """The port is free again."""
    async with Simulator(spans=1) as sim:
        sim.faults.unreachable = True
    with socket.create_server(("127.0.0.1", sim.port)):
        pass


async def test_refuse_from_the_start() -> None:
    """A gateway that is switched on but does not listen; refusing twice changes nothing."""
    sim = Simulator(spans=1)
    sim.faults.refuse = True
    async with sim:
        assert sim.port == 0
        sim.faults.refuse = True
        sim.faults.refuse = False
        async with connected(sim):
            assert sim.port != 0


async def test_stop_right_after_refuse_ends() -> None:
    """The port is free again even if nobody listened on it yet."""
    sim = Simulator(spans=1)
    async with sim:
        sim.faults.refuse = True
        sim.faults.refuse = False
        port = sim.port
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH\r\n", b"Asterisk Call Manager/2.10.4\r\n"]
)
async def test_greeting(sim: Simulator, greeting: bytes) -> None:
    """Something else stands first."""
    sim.faults.greeting = greeting
    client = await Client.connect(sim)
    assert await client.greeting() == greeting.decode()
    client.close()


async def test_no_greeting(sim: Simulator) -> None:
    """Or nothing ever."""
    sim.faults.greeting = None
    client = await Client.connect(sim)
    assert await client.silent()
    client.close()


async def test_delays(sim: Simulator) -> None:
    """Greeting and login take their time."""
    sim.faults.greeting_delay = sim.faults.login_delay = 0.1
    client = await Client.connect(sim)
    assert await client.silent(0.03)
    await client.greeting()
    client.start("Login", Username="admin", Secret="admin", Events="off")
    assert await client.silent(0.03)
    assert (await client.packet())["Response"] == "Success"
    client.close()


async def test_reject_login(sim: Simulator) -> None:
    """As if the password were wrong."""
    sim.faults.reject_login = True
    client = await Client.connect(sim)
    await client.greeting()
    assert (await client.login())["Message"] == "Authentication failed"
    assert await client.ended()
    client.close()


async def test_freeze_and_thaw(sim: Simulator, client: Client) -> None:
    """The connection stays, but nothing moves on it; new ones are not even greeted."""
    sim.faults.freeze()
    assert sim.faults.frozen
    client.start("Ping")
    assert await client.silent()
    stranger = await Client.connect(sim)
    assert await stranger.silent()
    sim.faults.thaw()
    assert (await client.packet())["Ping"] == "Pong"
    assert (await stranger.greeting()).startswith("Asterisk")
    stranger.close()


async def test_frozen_gateway_can_be_stopped() -> None:
    """Nothing is left of it."""
    sim = Simulator(spans=1)
    await sim.start()
    client = await Client.connect(sim)
    await client.greeting()
    sim.faults.freeze()
    client.start("Logoff")
    await asyncio.sleep(0.01)
    await sim.stop()
    assert await client.ended()
    client.close()


@pytest.mark.parametrize("abort", [True, False])
async def test_drop_sessions(sim: Simulator, client: Client, abort: bool) -> None:
    """With a reset or in order; the next one gets through."""
    sim.faults.drop_sessions(abort=abort)
    assert sim.sessions == 0
    assert await client.ended()
    async with connected(sim):
        assert sim.connections == 1


@pytest.mark.parametrize("dialect", Dialect)
async def test_silent_commands(dialect: Dialect) -> None:
    """Commands that match are never answered; in 1.8 their head still comes."""
    async with Simulator(spans=1, dialect=dialect) as sim, connected(sim) as client:
        sim.faults.silent_commands = {r"^gsm show span \d"}
        assert "GSM span 1" in await client.command("gsm show spans")
        client.start_command("gsm show span 1")
        if dialect is Dialect.ASTERISK_1_8:
            await client.raw_packet_head()
        assert await client.silent()


async def test_slow_bytes(sim: Simulator) -> None:
    """One byte at a time arrives as the same bytes."""
    sim.faults.slow_bytes = True
    client = await Client.connect(sim)
    first = await client.reader.read(1000)
    assert len(first) < len(b"Asterisk Call Manager/1.1\r\n")
    await client.greeting()
    assert (await client.login())["Response"] == "Success"
    client.close()


async def test_garbage(sim: Simulator, client: Client) -> None:
    """Raw bytes in the middle of whatever comes."""
    sim.faults.garbage(b"\x00\xff garbage\r\n\r\n")
    assert await client.raw_packet() == "\x00\xff garbage\r\n\r\n"


@pytest.mark.parametrize("sms_like", [False, True])
@pytest.mark.parametrize("dialect", Dialect)
async def test_noise(dialect: Dialect, sms_like: bool) -> None:
    """Other people's calls: hundreds of packets that are no SMS, even if some look like it."""
    async with (
        Simulator(spans=1, dialect=dialect) as sim,
        connected(sim, events="on") as client,
    ):
        await sim.noise(500, sms_like=sms_like)
        events = await client.events(500)
        channels = {event["Channel"] for event in events if "Channel" in event}
        assert all(channel.startswith("SIP/") for channel in channels)
        extensions = {event.get("Extension") for event in events}
        assert ("sms" in extensions) is sms_like
        assert {"VarSet", "Newexten", "RTCPReceived"} <= {
            event["Event"] for event in events
        }


async def test_noise_at_a_rate(sim: Simulator) -> None:
    """The packets come at that rate, and not faster."""
    now = asyncio.get_running_loop().time
    start = now()
    await sim.noise(201, rate=2000)
    assert now() - start >= 0.1
