"""The simulator as a process, and how it is steered."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

import pytest
import pytest_socket

from simulator import Simulator, UssdMenu
from simulator.__main__ import main, parser, serve, steer
from simulator.control import ControlServer, ask
from simulator.demo import furnish

from .client import Client, connected

from tests.certificates import certificate


@pytest.fixture
async def control(sim: Simulator) -> AsyncIterator[ControlServer]:
    """Give a control server on a free port."""
    server = ControlServer(sim, 0)
    await server.start()
    yield server
    await server.stop()


def _options(*arguments: object) -> argparse.Namespace:
    return parser().parse_args([str(argument) for argument in arguments])


# ---- the control protocol ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        (b"not JSON\n", "not JSON"),
        (b"[1]\n", "not a JSON object"),
        (b"{}\n", "does not say what to do"),
        (
            b'{"do": "signal", "span": 9, "value": 1}\n',
            "There is no span 9; there are 1, 2, 3.",
        ),
        (b'{"do": "remove-span", "span": 9}\n', "There is no span 9;"),
        (b'{"do": "add-span", "span": 2}\n', "There can be no new span 2"),
        (b'{"do": "add-span", "span": 45}\n', "number from 1 to 44 for 'span'"),
        (
            b'{"do": "signal", "span": 1, "value": 100}\n',
            "number from -1 to 99 for 'value'",
        ),
        (b'{"do": "signal", "span": 1, "value": true}\n', "number from -1 to 99"),
        (b'{"do": "operator", "span": 1}\n', "needs a text for 'name'"),
        (
            b'{"do": "outcome", "span": 1, "outcome": "x"}\n',
            "An outcome is one of success, ",
        ),
        (
            b'{"do": "sms", "span": 1, "from": "", "text": "x"}\n',
            "A sender is a number",
        ),
        (b'{"do": "hangup", "span": 1}\n', "There is no call on span 1."),
        (
            b'{"do": "sent", "wait": 1, "timeout": 0.01}\n',
            "Only 0 of 1 messages went out",
        ),
        (b'{"do": "' + b"x" * 70000 + b'"}\n', "too long"),
    ],
)
async def test_bad_requests(
    control: ControlServer, request_line: bytes, error: str
) -> None:
    """Each is answered by a sentence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", control.port)
    writer.write(request_line)
    answer = json.loads(await reader.readline())
    assert error in answer["error"]
    writer.close()


async def test_many_requests_on_one_connection(control: ControlServer) -> None:
    """One answer for each, in order; a client that stays does not keep the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", control.port)
    for number in (1, 2):
        writer.write(b'{"do": "state"}\n')
        assert json.loads(await reader.readline())["ok"], number
    await control.stop()
    assert await reader.read() == b""
    writer.close()


async def test_stop_without_start(sim: Simulator) -> None:
    """There is nothing to stop."""
    await ControlServer(sim, 0).stop()


@pytest.mark.parametrize("answer", [b"", b"Asterisk Call Manager/1.1\r\n"])
async def test_what_answers_is_no_simulator(
    answer: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """It closes without a word, or says something else: nobody is there to steer."""

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ConnectionError):
        await ask(port, {"do": "state"})
    assert await steer(_options("state", "--control-port", port)) == 1
    assert capsys.readouterr().err.startswith(f"No simulator answers on port {port}. ")
    server.close()


# ---- steering ----------------------------------------------------------------------------


async def _steer(control: ControlServer, *arguments: object) -> int:
    return await steer(_options(*arguments, "--control-port", control.port))


async def test_commands_that_steer(sim: Simulator, control: ControlServer) -> None:
    """Each does what it says."""
    span = sim.spans[2]
    steps = [
        (("signal", 2, 9), lambda: span.signal == 9),
        (("operator", 2, "My Net"), lambda: span.operator == "My Net"),
        (
            ("sim-out", 2),
            lambda: span.status == "Undetected SIM Card" and span.imsi == "",
        ),
        (("sim-in", 2), lambda: span.ready),
        (("remove-span", 2), lambda: list(sim.spans) == [1, 3]),
        (("add-span", 2), lambda: sim.spans[2] is span),
        (("add-span", 7), lambda: sim.spans[7].ready),
        (("power", 2, "off"), lambda: not span.power),
        (("power", 2, "on"), lambda: span.power),
        (("outcome", 2, "failed"), lambda: len(span.sms_outcomes) == 1),
        (("ussd", 2, "*100#", "3.20 EUR"), lambda: span.ussd == {"*100#": "3.20 EUR"}),
        (
            ("ussd", 2, "*1#", "1 or 2", "--reply", "1=a = b", "--reply", "2=c"),
            lambda: span.ussd["*1#"] == UssdMenu("1 or 2", {"1": "a = b", "2": "c"}),
        ),
        (("freeze",), lambda: sim.faults.frozen),
        (("thaw",), lambda: not sim.faults.frozen),
    ]
    for arguments, is_so in steps:
        assert await _steer(control, *arguments) == 0
        assert is_so(), arguments


async def test_sms_comes_in(
    control: ControlServer, watcher: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """A long one as its parts."""
    assert (
        await _steer(control, "sms", "--span", 2, "--from", "+4915112345678", "x" * 200)
        == 0
    )
    assert (await watcher.packet())["Value"] == "+4915112345678"
    assert capsys.readouterr().out == "Came in as 2 SMS.\n"


async def test_sms_comes_in_without_its_pdu(
    control: ControlServer, watcher: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """All the rest of it is there."""
    sms = ("sms", "--span", 2, "--from", "+4915112345678", "hi")
    variables = []
    for arguments in (sms, (*sms, "--without-pdu")):
        assert await _steer(control, *arguments) == 0
        events = await watcher.events(8)
        variables.append(
            {each["Variable"]: each["Value"] for each in events if "Variable" in each}
        )
    with_pdu, without = variables
    assert with_pdu["SMSPDU"]
    assert without["SMSPDU"] == ""
    assert without["SMSTXT"] == with_pdu["SMSTXT"] == "hi"


async def test_state_without_spans(
    control: ControlServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """All may vanish; they are shown in order when they are back."""
    for number in (1, 2, 3):
        assert await _steer(control, "remove-span", number) == 0
    assert await _steer(control, "sim-in", 1) == 1
    assert capsys.readouterr().err == "There is no span 1; there are none.\n"
    for number in (3, 1):
        assert await _steer(control, "add-span", number) == 0
    capsys.readouterr()
    assert await _steer(control, "state") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["span 1", "span 3"]


async def test_call_comes_in(sim: Simulator, control: ControlServer) -> None:
    """It is answered, or ends by itself or on demand."""
    assert (
        await _steer(control, "call", 2, "10086", "--answer", "--hangup-after", 0.01)
        == 0
    )
    call = sim.spans[2].call
    assert call is None or "ACTIVE" in call.state
    await asyncio.sleep(0.05)
    assert sim.spans[2].call is None
    await _steer(control, "call", 2, "10086")
    assert sim.spans[2].state == "RING Called from 10086"
    assert await _steer(control, "hangup", 2) == 0
    assert sim.spans[2].call is None


async def test_sent(
    control: ControlServer, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """As lines or as JSON."""
    await client.command('gsm send sync sms 1 10086 "Grüße" 20')
    assert await _steer(control, "sent", "--wait", 1) == 0
    assert capsys.readouterr().out == "span 1 to 10086: Grüße\n"
    assert await _steer(control, "sent", "--json") == 0
    (sms,) = json.loads(capsys.readouterr().out)
    assert (sms["text"], sms["alphabet"]) == ("Grüße", "ucs2")
    assert await _steer(control, "sent", "--wait", 2, "--timeout", 0.01) == 1
    assert capsys.readouterr().err == "Only 1 of 2 messages went out within 0.01 s.\n"


async def test_state(
    control: ControlServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a span."""
    assert await _steer(control, "state") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("0 sessions")
    assert len(lines) == 4
    assert lines[1].startswith("span 1: Power on, Provisioned, Up")


async def test_drop_and_restart(sim: Simulator, control: ControlServer) -> None:
    """Connections end, the gateway is there again."""
    for arguments in (("drop",), ("restart", "--downtime", 0)):
        async with connected(sim) as client:
            assert await _steer(control, *arguments) == 0
            assert await client.ended()


def test_nobody_to_steer(
    capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    """What to do, and a status; no word of the system's."""
    assert main(["state", "--control-port", str(unused_tcp_port)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"No simulator answers on port {unused_tcp_port}. ")
    assert "Start script/demo or python -m simulator" in said
    assert "Errno" not in said


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["sms", "--help"], ["call", "--help"], ["ussd", "--help"]],
)
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """All can be found out."""
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args(arguments)
    assert "usage: python -m simulator" in capsys.readouterr().out


def test_bad_number_of_spans(capsys: pytest.CaptureFixture[str]) -> None:
    """The options are checked."""
    with pytest.raises(SystemExit):
        parser().parse_args(["--spans", "45"])
    assert "1 to 44 spans" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "99999"],
        ["--port", "-1"],
        ["--control-port", "x"],
        ["state", "--control-port", "65536"],
        ["--prot", "5038"],
        ["fly"],
        ["ussd", "2", "*100#", "1 or 2", "--reply", "1"],
        ["ussd", "2", "*100#", "1 or 2", "--reply", "=x"],
        ["add-span", "two"],
    ],
)
def test_what_it_does_not_know(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so in a line."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = capsys.readouterr().err
    assert said.startswith("python -m simulator")
    assert said.count("\n") == 1


# ---- running -----------------------------------------------------------------------------


@asynccontextmanager
async def _serving(*arguments: str) -> AsyncIterator[None]:
    """Run a simulator in this loop until a signal ends it."""
    running = asyncio.create_task(serve(_options(*arguments)))
    await asyncio.sleep(0.05)
    yield
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await running
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_serve(capsys: pytest.CaptureFixture[str], unused_tcp_port: int) -> None:
    """It says where it listens, what goes out, and that it ended."""
    port = str(unused_tcp_port)
    async with _serving(
        "--port", port, "--control-port", "0", "--demo", "--noise", "100"
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"Action: Login\r\nUsername: admin\r\nSecret: admin\r\n\r\n")
        async with asyncio.timeout(5):
            await reader.readuntil(b"RTCPReceived")
            writer.write(
                b'Action: Command\r\nCommand: gsm send sms 1 10086 "hi"\r\n\r\n'
            )
            await reader.readuntil(b"sms_send_ok")
        writer.close()
    lines = capsys.readouterr().out.splitlines()
    assert f"on 127.0.0.1 port {port}, user admin" in lines[0]
    assert lines[1].endswith("span 1: SMS to 10086: hi")
    assert lines[-1] == "Ended."


async def test_serve_a_stack(
    capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    """Boards of today on ports in a row, each of which can be steered."""
    control_port = str(unused_tcp_port)
    async with _serving(
        *("--port", "0", "--control-port", control_port, "--box", "today"),
        *("--boards", "2", "--spans", "2", "--sms-received", "--status-reports"),
        *("--ussd-milliseconds", "--old-ussd-form"),
    ):
        steered = ("--control-port", control_port, "--board", "2")
        assert await steer(_options("signal", 2, 9, *steered)) == 0
        assert await steer(_options("state", *steered)) == 0
        assert await steer(_options("state", "--control-port", control_port)) == 0
        wrong = ("--control-port", control_port, "--board", "3")
        assert await steer(_options("state", *wrong)) == 1
    said = capsys.readouterr()
    assert "number from 1 to 2 for 'board'" in said.err
    assert said.out.count("signal 9") == 1
    assert said.out.startswith("Stack of 2 boards with 2 spans on 127.0.0.1 ports ")


@pytest.mark.parametrize("count", ["0", "9"])
def test_number_of_boards(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A stack has 1 to 8."""
    with pytest.raises(SystemExit):
        _options("--boards", count)
    assert "a stack has 1 to 8 boards" in capsys.readouterr().err


async def test_each_gateway_has_its_own_modules(unused_tcp_port: int) -> None:
    """Clients know a gateway by them: the same at each start, others on another host."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2"])

    async def imei(host: str) -> bytes:
        port = str(unused_tcp_port)
        async with _serving("--host", host, "--port", port, "--control-port", "0"):
            reader, writer = await asyncio.open_connection(host, unused_tcp_port)
            writer.write(
                b"Action: Login\r\nUsername: admin\r\nSecret: admin\r\n\r\n"
                b"Action: Command\r\nCommand: gsm show span 1\r\n\r\n"
            )
            async with asyncio.timeout(5):
                await reader.readuntil(b"IMEI: ")
                found = (await reader.readuntil(b"\n")).strip()
            writer.close()
            return found

    first, again, other = [
        await imei(host) for host in ("127.0.0.1", "127.0.0.1", "127.0.0.2")
    ]
    assert len(first) == 15
    assert first == again != other


def test_port_in_use(capsys: pytest.CaptureFixture[str], unused_tcp_port: int) -> None:
    """A sentence and a status: here the control port has taken the other one."""
    port = str(unused_tcp_port)
    assert main(["--port", port, "--control-port", port]) == 1
    assert capsys.readouterr().err.startswith("simulator: ")


async def test_as_a_process() -> None:
    """Started as people start it, and ended by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--control-port", "0"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        assert (await process.stdout.readline()).startswith(
            b"Gateway with 8 spans on 127.0.0.1"
        )
        process.send_signal(signal.SIGINT)
        assert await process.stdout.readline() == b"Ended.\n"
        assert await process.wait() == 0


async def test_demo_content() -> None:
    """Spans that differ and reach each other: one has no SIM, one a weak signal."""
    sim = Simulator(spans=5)
    furnish(sim)
    assert len({span.operator for span in sim.spans.values()}) == 5
    assert sim.spans[3].status == "Undetected SIM Card"
    assert 0 < sim.spans[4].signal < 8
    menu = sim.spans[1].ussd["*100#"]
    assert isinstance(menu, UssdMenu)
    assert menu.replies
    assert sim.carries_sms
    small = Simulator(spans=1)
    furnish(small)
    assert small.spans[1].ready


# ---- for a soak --------------------------------------------------------------------------


async def is_heard(control: ControlServer, request: dict[str, Any]) -> bool:
    """Let something come in; say whether a client was sent all of it and stays."""
    answer = await ask(control.port, request | {"watch": True})
    stay = {"do": "stay", "clients": answer["clients"]}
    return bool((await ask(control.port, stay))["stays"])


SMS = {"do": "sms", "span": 1, "from": "+491", "text": "Hi"}


async def test_an_sms_that_reaches_a_client(
    sim: Simulator, watcher: Client, control: ControlServer
) -> None:
    """It is heard where a connection for events stays."""
    assert await is_heard(control, SMS)
    answer = await ask(control.port, SMS | {"watch": True})
    assert len(answer["clients"]) == 1
    sim.faults.drop_sessions()
    stay = {"do": "stay", "clients": answer["clients"]}
    assert await ask(control.port, stay) == {"ok": True, "stays": False}
    assert not await is_heard(control, SMS)


async def test_an_sms_that_nobody_listens_for(
    sim: Simulator, client: Client, control: ControlServer
) -> None:
    """A session without events does not count, and a frozen one only afterwards."""
    assert not await is_heard(control, SMS)
    async with connected(sim, events="on"):
        sim.faults.freeze()
        asking = asyncio.create_task(is_heard(control, SMS))
        await asyncio.sleep(0.05)
        assert not asking.done()
        sim.faults.thaw()
        assert await asking


async def test_several_sms_in_one_read(watcher: Client, control: ControlServer) -> None:
    """They come as one SMS, whose PDU holds those of all; a long one has several."""
    sms = [{"from": "+491", "text": "Hi"}, {"from": "+492", "text": "x" * 200}]
    assert await is_heard(control, {"do": "sms-in-one-read", "span": 1, "sms": sms})
    assert (await watcher.packet())["Value"] == "+491"
    assert (await watcher.packet())["Value"] == "Hi"
    # The line breaks of the value end the packet too early, as recorded.
    assert (await watcher.packet())["Variable"] == "SMSPDU"
    assert "+CMT" in await watcher.packet()


async def test_a_report_of_the_network(
    sim: Simulator, watcher: Client, control: ControlServer
) -> None:
    """It needs a SIM, and reaches every client that listens."""
    sim.become("today")
    report = {"do": "report", "span": 1, "to": "10086", "delivered": True}
    assert await is_heard(control, report)
    event = await watcher.packet()
    assert (event["Event"], event["Sender"]) == ("SMSStatusReport", "10086")
    sim.spans[1].remove_sim()
    answer = await ask(control.port, report)
    assert answer == {"error": "There is no SIM in span 1."}


async def test_a_call_that_is_watched(
    sim: Simulator, watcher: Client, control: ControlServer
) -> None:
    """The answer comes when it is over, and only who was there all the time counts."""
    call = {"do": "call", "span": 1, "from": "+491", "hangup_after": 0.05}
    assert await is_heard(control, call)
    assert sim.spans[1].call is None
    asking = asyncio.create_task(is_heard(control, call))
    await asyncio.sleep(0.02)
    sim.faults.drop_sessions()
    async with connected(sim, events="on"):
        assert not await asking


async def test_the_ledger(
    sim: Simulator, client: Client, control: ControlServer
) -> None:
    """What went out: whole messages, and each single SMS."""
    await client.command('gsm send sync sms 1 10086 "one" 5')
    await client.command('gsm send sync csms 1 10010 "two" 7 2 1 5')
    ledger = await ask(control.port, {"do": "ledger"})
    assert ledger["messages"] == [["10086", "one"]]
    assert ledger["parts"] == [["10086", 1], ["10010", 1]]
    assert ledger["ussd_requests"] == ledger["ussd_answers"] == []
    assert ledger["events"] == 0


async def test_the_ledger_of_ussd(
    client: Client, control: ControlServer, sim: Simulator
) -> None:
    """Each request, a reply in a menu as well, and each answer that the network gave."""
    menu = {"code": "*1#", "text": "1 more", "replies": {"1": "more"}, "duration": 0.01}
    answer = await ask(control.port, {"do": "ussd", "span": 1, **menu})
    assert answer == {"ok": True}
    assert sim.spans[1].ussd_duration == 0.01
    for code in ("*1#", "1"):
        await client.command(f"gsm send ussd 1 {code}")
    refusal = {"do": "ussd-outcome", "span": 1, "outcome": "failed"}
    assert await ask(control.port, refusal) == {"ok": True}
    assert "failed" in await client.command("gsm send ussd 1 *2#")
    ledger = await ask(control.port, {"do": "ledger"})
    assert ledger["ussd_requests"] == ["*1#", "1", "*2#"]
    assert ledger["ussd_overlaps"] == []
    assert ledger["ussd_answers"] == [["*1#", "1 more"], ["1", "more"]]
    assert "error" in await ask(control.port, refusal | {"outcome": "lost"})


async def test_faults_from_outside(
    sim: Simulator, watcher: Client, control: ControlServer
) -> None:
    """Noise, garbage, one byte at a time, and an end in order."""
    await ask(control.port, {"do": "noise", "packets": 3})
    assert [event["Event"] for event in await watcher.events(3)] == [
        *("Newchannel", "Newexten", "VarSet")
    ]
    assert (await ask(control.port, {"do": "ledger"}))["events"] == 3
    await ask(control.port, {"do": "garbage", "hex": "780d0a0d0a", "repeat": 2})
    assert [await watcher.raw_packet() for _ in range(2)] == ["x\r\n\r\n"] * 2
    assert "error" in await ask(
        control.port, {"do": "garbage", "hex": "z", "repeat": 1}
    )
    for on in (True, False):
        await ask(control.port, {"do": "slow", "on": on})
        assert sim.faults.slow_bytes is on
    await ask(control.port, {"do": "drop", "in_order": True})
    assert await watcher.ended()


async def test_tls(tmp_path: Path) -> None:
    """Encrypted with the certificate of a file."""
    made = certificate()
    pem = tmp_path / "gateway.pem"
    pem.write_text(made.key + made.pem, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--control-port", "0"),
        *("--tls", str(pem)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(10):
        line = (await process.stdout.readline()).decode()
        port = int(line.partition("port ")[2].partition(",")[0])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=made.trusting()
        )
        assert await reader.readline() == b"Asterisk Call Manager/1.1\r\n"
        writer.close()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
