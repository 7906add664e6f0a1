"""Start, stop and restart: nothing is left behind."""

import asyncio
import gc
from pathlib import Path
import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest

from simulator import Simulator, SmsOutcome, User

from .client import SECONDS, Client, connected

from tests.certificates import certificate


async def test_stop_leaves_nothing() -> None:
    """No task and no socket, whatever was going on."""
    before = asyncio.all_tasks()
    sim = Simulator(spans=2)
    await sim.start()
    clients = [await Client.connect(sim) for _ in range(4)]
    for client in clients[:3]:
        await client.greeting()
        await client.login(events="on")
    sim.spans[1].sms_outcomes.append(SmsOutcome.HANG)
    sim.spans[2].status = "Down"
    clients[0].start_command('gsm send sync sms 1 10086 "x" 20')
    clients[1].start_command('gsm send sync sms 2 10086 "x" 20')
    clients[2].start_command("gsm power stat 1")
    await asyncio.sleep(0.02)
    await sim.stop()
    for client in clients:
        assert await client.ended()
        client.close()
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() <= before
    with pytest.raises(ConnectionRefusedError):
        await Client.connect(sim)


@pytest.mark.parametrize("tls", [None, certificate().server], ids=["plain", "tls"])
@pytest.mark.parametrize("rounds", range(5))
async def test_a_connection_that_comes_as_it_stops(
    rounds: int, tls: ssl.SSLContext | None
) -> None:
    """It's closed, whenever it comes, and nothing of it is left."""
    for _ in range(20):
        async with Simulator(spans=1, tls=tls) as sim:
            with socket.socket() as client:
                client.setblocking(False)
                client.connect_ex((sim.host, sim.port))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                await sim.stop()
    gc.collect()  # a connection that was left behind complains now


async def test_a_connection_that_comes_as_it_begins_to_refuse(sim: Simulator) -> None:
    """It's closed or served, and asyncio doesn't complain about it."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(context)
    )
    for rounds in range(5):
        with socket.socket() as client:
            client.setblocking(False)
            client.connect_ex((sim.host, sim.port))
            for _ in range(rounds):
                await asyncio.sleep(0)
            sim.faults.refuse = True
            for _ in range(5):
                await asyncio.sleep(0)
            sim.faults.refuse = False
    await sim.stop()
    gc.collect()
    assert complaints == []


async def test_a_connection_that_is_lost_while_it_is_encrypted() -> None:
    """Nothing of it is left."""
    async with Simulator(spans=1, tls=certificate().server) as sim:
        for _ in range(5):
            _, writer = await asyncio.open_connection(sim.host, sim.port)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.01)
    gc.collect()  # a writer that was left behind complains now


async def test_stop_while_a_client_has_not_read_the_end_of_its_session(
    sim: Simulator,
) -> None:
    """Its socket is closed all the same."""
    files = _open_files()
    client = await Client.connect(sim)
    await client.greeting()
    client.writer.transport.pause_reading()
    (session,) = sim.clients
    while not session.has_unsent:
        sim.send_raw(bytes(32768))
        for _ in range(5):
            await asyncio.sleep(0)
    client.start("Logoff")
    while session.connected:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(SECONDS):
        await sim.stop()
    assert _open_files() == files  # the client's instead of the one that listened
    client.writer.transport.abort()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_stop_twice() -> None:
    """The second time there is nothing to do."""
    sim = Simulator(spans=1)
    await sim.start()
    await sim.stop()
    await sim.stop()


async def test_start_again_on_the_same_port() -> None:
    """As a gateway does after a restart."""
    sim = Simulator(spans=1)
    async with sim:
        port = sim.port
    async with sim, connected(sim):
        assert sim.port == port


async def test_restart(sim: Simulator, watcher: Client) -> None:
    """Sessions, calls and messages under way are forgotten; the rest stays."""
    sim.database["f", "k"] = "v"
    sim.spans[1].operator = "Net"
    sim.spans[1].hung = True
    await watcher.command("gsm power off 2")
    await sim.incoming_call(1, "10086")
    sim.spans[3].status = "Down"
    await watcher.command('gsm send sms 3 10086 "lost"')
    await sim.restart(downtime=0.01)
    sim.spans[3].status = "Up"
    assert await watcher.ended()
    assert sim.sessions == 0
    async with connected(sim) as client:
        assert "Net" in await client.command("gsm show span 1")
        assert (await client.action("CoreStatus"))["CoreCurrentCalls"] == "0"
    assert sim.sent == []
    assert sim.spans[2].ready
    assert sim.database == {("f", "k"): "v"}


async def test_users_and_address(sim: Simulator) -> None:
    """The default is the stock user on loopback."""
    assert sim.users == {"admin": User("admin", "admin")}
    assert sim.host == "127.0.0.1"
    assert sim.uptime == 0


async def test_news(sim: Simulator, client: Client) -> None:
    """A listener gets a sentence about each thing that happens."""
    news: list[str] = []
    sim.on_news = news.append
    sim.spans[1].ussd["*100#"] = "x"
    await client.command('gsm send sync sms 1 10086 "hello" 20')
    await client.command("gsm send ussd 1 *100#")
    call = await sim.incoming_call(2, "10010")
    await call.hangup()
    assert news == [
        "span 1: SMS to 10086: hello",
        "span 1: USSD *100#",
        "span 2: call from 10010",
        "span 2: call with 10010 has ended",
    ]


def test_it_stands_alone() -> None:
    """The simulator imports nothing but the standard library."""
    root = Path(__file__).parents[2]
    code = (
        "import sys, simulator, simulator.__main__\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - sys.stdlib_module_names - {'simulator', '__main__'}))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
