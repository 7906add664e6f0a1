"""The simulator beside recordings of the vendor's driver 2.0.8: the same, byte for byte.

Left out is only what the recordings have from elsewhere: the dialplan that the recorder
wrote for itself, numbers by chance, and dates.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
import json
from pathlib import Path
import re
from typing import Any

import pytest

from simulator import CallOutcome, Simulator, SmsOutcome, User, UssdMenu, UssdOutcome

from .client import Client

DATA = Path(__file__).parent.parent / "data" / "recorded-2.0.8"

_BY_CHANCE = [
    (r"\b[0-9]{10}\.[0-9]+", "ID"),  # Uniqueid and Timestamp
    (r"(Core\w+(?:Date|Time)): [0-9:-]+", r"\1: T"),
]
_OF_THE_RECORDER = re.compile(
    r"Event: (?:Newexten|VarSet)\r\n(?:[^\r]+\r\n)*?"
    r"(?:Extension: s(?:ms)?|Variable: (?:SPAN|SYSTEMSTATUS))\r\n(?:[^\r]*\r\n)*?\r\n"
)
"""The steps that the recorder's dialplan had for calls and SMS, and what they set."""

type Hook = Callable[[Simulator], Awaitable[None] | None]


def _recording(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def _fixed(wire: str) -> str:
    """Put the same in the place of all that varies."""
    for pattern, replacement in _BY_CHANCE:
        wire = re.sub(pattern, replacement, wire)
    # A connection that was cut off at a NUL ends there in both.
    return _OF_THE_RECORDER.sub("", wire)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Give a gateway like the recorded one, in a hurry."""
    users = [
        User("admin", "admin", acl=True),
        User("limited", "limited", write=["system", "call"]),
    ]
    async with Simulator(spans=4, users=users) as gateway:
        gateway.login_penalty = 0.0
        gateway.power_speed = 0.001
        gateway.retry_interval = 0.01
        gateway.timeout_scale = 0.05
        for span in gateway.spans.values():
            span.imsi = f"46002118059048{span.number}"
            span.pdd = span.asr = span.acd = 0
            span.last_send_at = "AT+CSQ\r\n"
            span.send_events = True
        gateway.spans[2].signal = 18
        yield gateway


async def _replay(
    sim: Simulator,
    name: str,
    hooks: Mapping[int, Hook] | None = None,
    *,
    steps: int | None = None,
    fixed: Callable[[str], str] = _fixed,
) -> None:
    """Say what the recording's client said, and compare all that comes back.

    ``hooks`` run before a step of the client; the login is step 0. ``steps`` is the number
    of steps if not all are taken. ``fixed`` takes away what is not compared.
    """
    said = [""]
    heard = [""]
    for _, who, text in _recording(name)["wire"]:
        if who == "client":
            said.append(text)
            heard.append("")
        else:
            heard[-1] += text
    client = await Client.connect(sim)
    expected = received = ""
    for number, (step, answer) in enumerate(
        list(zip(said, heard, strict=True))[:steps], -1
    ):
        result = hooks[number](sim) if hooks and number in hooks else None
        if result is not None:
            await result
        client.write(step.encode("latin-1"))
        expected += answer
        wanted = fixed(expected)
        async with asyncio.timeout(3):
            while len(fixed(received)) < len(wanted):
                data = await client.reader.read(65536)
                assert data, step
                received += data.decode("latin-1")
        # What the recorded client read later may come now.
        assert fixed(received)[: len(wanted)].splitlines() == wanted.splitlines(), step
    client.close()


def _answers(wire: str) -> str:
    """Leave out what became of an SMS, for the recorded modules took their time."""
    return re.sub(
        r"Event: \w+\r\n[^\r]+\r\nChannel: EXTRA-SMSSEND/.*?\r\n\r\n",
        "",
        _fixed(wire),
        flags=re.DOTALL,
    )


# ---- commands ----------------------------------------------------------------------------


async def test_commands(sim: Simulator) -> None:
    """Each of 104 commands has the same answer."""
    one = sim.spans[1]
    one.pdd, one.asr, one.acd = 1, 14, 0
    one.last_event, one.last_send_at = "Hangup", 'AT+CUSD=1,"2"\r\n'
    one.ussd["*100#"] = UssdMenu("Your balance is 12.50", response=0)
    for column in ("answered", "cancel", "busy", "no_answer", "no_dialtone"):
        one.statistics[column] = 1
    one.statistics |= {"count": 6, "no_carrier": 1}
    client = await Client.connect(sim)
    await client.greeting()
    await client.login()
    for exchange in _recording("commands"):
        command = exchange["command"]
        if command == "core show channels":
            sim.processed_calls = 11
        client.start_command(command.encode("latin-1"))
        async with asyncio.timeout(3):
            answer = await client.reader.readuntil(b"--END COMMAND--\r\n\r\n")
        assert answer.decode("latin-1") == exchange["answer"], command
        while one.starting:
            await asyncio.sleep(0.001)
    client.close()


async def test_what_the_spans_show(sim: Simulator) -> None:
    """Right after the start."""
    await _replay(sim, "02-show")


@pytest.mark.parametrize(
    "name", ["01-login", "60-bad-login", "62-limited", "63-actions", "81-too-long"]
)
async def test_sessions(sim: Simulator, name: str) -> None:
    """Logins, rights, actions, lines and texts that are too long."""
    # The recorded network took texts of more than 160 letters, which no network takes.
    await _replay(sim, name, steps=3 if name == "81-too-long" else None)


# ---- SMS out -----------------------------------------------------------------------------


async def test_sends_with_each_outcome(sim: Simulator) -> None:
    """Sent, refused, refused before the prompt, no prompt; the span is stuck then."""
    outcomes = [SmsOutcome.SUCCESS] * 4
    outcomes += [SmsOutcome.FAILED, SmsOutcome.TIMEOUT, SmsOutcome.NO_PROMPT]
    sim.spans[1].sms_outcomes.extend(outcomes)
    await _replay(sim, "10-sync-sms-a")


async def test_sends_seen_by_a_listener(sim: Simulator) -> None:
    """The same events as the recorded session got."""
    await _replay(sim, "10-sync-sms-b")


async def test_sends_with_odd_arguments(sim: Simulator) -> None:
    """Quotes, time limits that are none, IDs in odd forms, text mode."""
    await _replay(sim, "13-sync-sms-args", fixed=_answers)


async def test_numbers(sim: Simulator) -> None:
    """With and without plus, with hardly any digits."""
    await _replay(sim, "14-plus-number")


# ---- USSD --------------------------------------------------------------------------------

_NETWORK: list[UssdMenu | UssdOutcome] = [
    UssdMenu("Your balance is 12.50"),
    UssdMenu("Menu:\r\n1 balance\r\n2 data", response=1),
    UssdMenu("Menu:\n1 balance\n2 data", response=1),
    UssdMenu("Bye", response=2),
    UssdMenu("t3", response=3),
    UssdMenu("t4", response=4),
    UssdMenu("t5", response=5),
    UssdMenu(""),
    *[UssdOutcome.FAILED] * 3,
    UssdMenu("00480065006C006C006F0020D83DDE00", code=72),
    UssdMenu("4F60597D000D000A0031", code=72),
    UssdMenu("12345678"),
    UssdMenu("123456"),
    UssdMenu("1234"),
    UssdMenu("DEADBEEF"),
    UssdMenu('say "hi" now'),
    UssdMenu("caf\N{LATIN SMALL LETTER E WITH ACUTE}", code=15),
    UssdMenu("a\r\n\r\nEvent: Fake\r\nX: y"),
    UssdMenu("x" * 182),
    UssdMenu("--END COMMAND--"),
    UssdMenu("no blanks"),
    UssdMenu("no dcs", code=0),
    UssdMenu("a, b, c"),
    UssdOutcome.FAILED,
    UssdOutcome.SUCCESS,  # too many arguments
    *[UssdOutcome.TIMEOUT] * 4,
]
"""What the network said in the recording, request by request."""


async def test_ussd(sim: Simulator) -> None:
    """Answers, menus, failures, hex that is none."""

    def says(answer: UssdMenu | UssdOutcome) -> Hook:
        def prepare(sim: Simulator) -> None:
            span = sim.spans[1]
            if isinstance(answer, UssdMenu):
                span.ussd["*100#"] = answer
            elif answer is not UssdOutcome.SUCCESS:
                span.ussd_outcomes.append(answer)

        return prepare

    hooks = {2 * number + 1: says(answer) for number, answer in enumerate(_NETWORK)}

    def fixed(wire: str) -> str:
        # The recorded module wrote Latin-1 here.
        return _fixed(wire).replace("caf\xc3\xa9", "caf\xe9")

    await _replay(sim, "20-ussd", hooks, fixed=fixed)


# ---- SMS in ------------------------------------------------------------------------------


async def _received(sim: Simulator, *pdus: str) -> str:
    """Let an SMS come in and give all that a session sees of it."""
    client = await Client.connect(sim)
    await client.greeting()
    await client.login(events="on")
    await sim.receive_pdus(2, *pdus)
    await sim.receive_variables(3, {}, newexten=False)
    seen = ""
    async with asyncio.timeout(3):
        while "Channel: EXTRA-SMS/5-1" not in seen:
            seen += (await client.reader.read(65536)).decode("latin-1")
    client.close()
    return seen.partition("Channel: EXTRA-SMS/5-1")[0]


def _variables(wire: str) -> dict[str, str]:
    """Read the variables of one SMS as they stand on the wire, in order."""
    return dict(
        re.findall(
            r"Variable: (SMS\w+|DIALSTATUS)\r\nValue: (.*?)\r\nUniqueid: ",
            wire,
            re.DOTALL,
        )
    )


async def test_random_pdus(sim: Simulator) -> None:
    """The variables of 400 PDUs of every kind."""
    client = await Client.connect(sim)
    await client.greeting()
    await client.login(events="on")
    for message in _recording("inbound-random"):
        await sim.receive_pdus(2, message["SMSPDU"])
        async with asyncio.timeout(3):
            seen = await client.reader.readuntil(b"Event: Hangup\r\n")
            await client.reader.readuntil(b"\r\n\r\n")
        found = _variables(seen.decode("latin-1"))
        assert found == {
            "SMSSRC": message["SMSSRC"],
            "SMSTXT": message["SMSTXT"],
            "SMSPDU": message["SMSPDU"],
            "SMSTIME": message["SMSTIME"],
            "SMSTZ": message["SMSTZ"],
            "DIALSTATUS": "SMS_END",
        }
    client.close()


def _recorded_sms(name: str) -> list[str]:
    """Give all that was seen of each SMS of a recording that had a PDU."""
    wire = "".join(
        text for _, who, text in _recording(name)["wire"] if who == "gateway"
    )
    wire = wire[wire.index("Event: VarSet") :]
    messages = re.findall(r".*?Cause-txt: [^\r]+\r\n\r\n", wire, re.DOTALL)
    return [
        message
        for message in messages
        if re.match(r"[0-9A-Fa-f]{4}", _variables(message)["SMSPDU"])
    ]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("30-inbound-steering-samples", 27),
        ("31-inbound-raw-events", 3),
        ("33-inbound-odd", 12),
    ],
)
async def test_inbound(sim: Simulator, name: str, count: int) -> None:
    """Every event of each SMS, in order: two in one read, status reports, cut PDUs."""
    messages = _recorded_sms(name)
    assert len(messages) == count
    for message in messages:
        pdus = re.split(r"\r\n\r\n\+CMT: ,\d+\r\n", _variables(message)["SMSPDU"])
        seen = await _received(sim, *pdus)
        end = seen.index("Cause-txt")
        expected = _fixed(message)
        assert _fixed(seen[:end]) == expected[: expected.index("Cause-txt")]


# ---- calls -------------------------------------------------------------------------------


async def _next_events(client: Client, count: int) -> str:
    """Give events as they stand on the wire, without steps of the dialplan."""
    seen = ""
    while count:
        packet = await client.raw_packet()
        if "Event: Newexten" not in packet:
            seen += packet
            count -= 1
    return _fixed(seen)


def _recorded_calls(name: str) -> list[str]:
    """Give the events of calls of a recording, one after the other."""
    wire = "".join(
        text for _, who, text in _recording(name)["wire"] if who == "gateway"
    )
    events = re.findall(r"Event: .*?\r\n\r\n", _fixed(wire), re.DOTALL)
    return [event for event in events if "EXTRA/" in event]


async def test_incoming_calls(sim: Simulator) -> None:
    """Answered, withheld and given up early, hung up by a client."""
    sim.ring_delay = 0.01
    events = _recorded_calls("40-calls-in-b-events")
    client = await Client.connect(sim)
    await client.greeting()
    await client.login(events="on")

    call = await sim.incoming_call(1, "+4915112345678")
    assert sim.spans[1].state == "RING Called from +4915112345678"
    seen = await _next_events(client, 2)
    assert sim.spans[1].state == "RINGING Called from +4915112345678"
    await call.answer()
    assert sim.spans[1].state == "CALL ACTIVE Called from +4915112345678"
    assert sim.spans[1].last_send_at == "ATA\r\n"
    await call.hangup()
    seen += await _next_events(client, 2)

    await (await sim.incoming_call(2, "")).hangup()
    seen += await _next_events(client, 2)

    await sim.incoming_call(2, "10086")
    seen += await _next_events(client, 1)
    client.start("Hangup", Channel="EXTRA/3-1", Cause="16")
    assert "Channel Hungup" in await client.raw_packet()
    seen += await _next_events(client, 1)
    assert sim.spans[2].last_send_at == "ATH\r\n"
    client.close()
    assert seen == "".join(events)


_CALLS: list[tuple[CallOutcome | tuple[CallOutcome, float], str]] = [
    (CallOutcome.ANSWERED, "13632919026"),
    (CallOutcome.BUSY, "13632919026"),
    ((CallOutcome.NO_ANSWER, 0.01), "13632919026"),
    (CallOutcome.NO_CARRIER, "13632919026"),
    (CallOutcome.NO_DIALTONE, "13632919026"),
    (CallOutcome.FAILED, "13632919026"),
    (CallOutcome.NO_ANSWER, "13632919026"),
    (CallOutcome.BUSY, "+491701234567"),
]


async def test_outgoing_calls(sim: Simulator) -> None:
    """Each end of a call, a span that is not there, and one that is in a call."""
    client = await Client.connect(sim)
    await client.greeting()
    await client.login(events="on")

    async def originate(channel: str) -> None:
        client.start(
            "Originate", ActionID="o1", Channel=channel, Application="Wait", Data="30",
            Timeout="40", Async="true",
        )  # fmt: skip
        assert "successfully queued" in await client.raw_packet()

    seen = ""
    for outcome, number in _CALLS:
        sim.spans[1].call_outcomes.append(outcome)
        await originate(f"EXTRA/1/{number}")
        while "OriginateResponse" not in (event := await client.raw_packet()):
            seen += event
        seen += event
        if sim.spans[1].call:
            await sim.spans[1].call.hangup()
            seen += await client.raw_packet()
    await originate("EXTRA/99/123")
    seen += await client.raw_packet()
    await originate("EXTRA/1/111")
    for _ in range(7):
        seen += await client.raw_packet()
    await originate("EXTRA/1/222")
    seen += await client.raw_packet()
    client.start("Hangup", Channel="EXTRA/1-1")
    assert "Channel Hungup" in await client.raw_packet()
    seen += await client.raw_packet()
    client.close()
    assert _fixed(seen) == "".join(_recorded_calls("41-calls-out-b-events"))
    one = sim.spans[1]
    assert (one.asr, one.statistics["count"], one.statistics["answered"]) == (22, 8, 2)
    assert (one.last_event, one.last_send_at) == ("Hangup", "ATH\r\n")


# ---- the module --------------------------------------------------------------------------


async def test_status_while_sim_and_network_change(sim: Simulator) -> None:
    """A wrong PIN and a missing SIM are never forgotten."""
    one = 4

    def started(change: str) -> Hook:
        def prepare(sim: Simulator) -> None:
            getattr(sim.spans[one], change)()

        return prepare

    async def settled(sim: Simulator) -> None:
        await asyncio.sleep(0.02)

    hooks: dict[int, Hook] = {
        1: started("refuse_pin"),
        2: settled,
        4: started("insert_sim"),
        5: settled,
        6: started("lose_network"),
        7: started("find_network"),
        8: started("remove_sim"),
        9: settled,
        10: started("insert_sim"),
        11: settled,
        12: lambda sim: sim.spans[one].lose_network("Searching"),
        13: started("find_network"),
    }
    await _replay(sim, "70-status-flags", hooks)


async def test_power_stat(sim: Simulator) -> None:
    """It answers, and locks the span."""
    await _replay(sim, "82-power-stat-hang")
