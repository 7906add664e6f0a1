"""The simulator answers every sample of the wire byte for byte."""

import asyncio
from datetime import datetime
import json
from pathlib import Path
import re
from typing import Any

import pytest

from simulator import Dialect, Simulator, User, UssdMenu, UssdOutcome
from simulator.model.deliver import deliver
from simulator.model.driver_sms import driver_reading

from .client import QUIET, Client

DATA = Path(__file__).parent.parent / "data"
WHEN = datetime(2026, 3, 14, 15, 9, 26)

_VARIES = [
    (r"\b[0-9]{10}\.[0-9]+", "ID"),  # Uniqueid and Timestamp
    (r"Date: [0-9-]{10}\r", "Date: D\r"),
    (r"Time: [0-9:]{8}\r", "Time: T\r"),
]


_CORRECTED = [
    # A plain USSD text loses its CRs.
    ("12.50\r\n\r\nReply", "12.50 \n \nReply"),
    ("12.50\r\r\nOutput: \r\r\n", "12.50 \r\nOutput:  \r\n"),
    # The dialplan of an SMS ends with Hangup.
    ("Cause: 0\r\nCause-txt: Unknown", "Cause: 16\r\nCause-txt: Normal Clearing"),
    # A caller's name is the number.
    *(
        (
            f"{number}\r\nCallerIDName: {name}\r\n",
            f"{number}\r\nCallerIDName: {number}\r\n",
        )
        for number in ("+4915112345678",)
        for name in ("", "<unknown>")
    ),
]
"""Where recordings of the driver itself say otherwise than the samples."""


def _sample(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _fixed(data: str) -> str:
    """Put the same in the place of all that varies."""
    for pattern, replacement in _VARIES:
        data = re.sub(pattern, replacement, data)
    return data


def _corrected(expected: str) -> str:
    """Give what the recordings make of a sample."""
    for sample, recorded in _CORRECTED:
        expected = expected.replace(sample, recorded)
    return expected


async def _read(client: Client, expected: str) -> str:
    """Read as many bytes as are expected, and then none."""
    data = b""
    async with asyncio.timeout(2):
        while len(data) < len(expected):
            piece = await client.reader.read(len(expected) - len(data))
            if not piece:
                break
            data += piece
    return data.decode("latin-1")


async def _happen(sim: Simulator, expected: str) -> None:
    """Let happen what the sample shows without a client having asked for it."""
    if "EXTRA-SMS/" in expected:
        await sim.receive_sms(3, "+4915112345678", 'say "hi"', WHEN, zone_hours=8)
    elif "EXTRA/" in expected:
        call = await sim.incoming_call(3, "+4915112345678")
        await call.hangup()


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("wire-asterisk-1.8.json", Dialect.ASTERISK_1_8),
        ("wire-asterisk-14-and-later.json", Dialect.ASTERISK_14),
    ],
)
async def test_conversation(name: str, dialect: Dialect) -> None:
    """A conversation of every kind of action, command and event."""
    sim = Simulator(spans=3, dialect=dialect)
    sim.ring_delay = 0.0
    sim.spans[2].status = "Undetected SIM Card"
    text = "Your balance is 12.50\r\n\r\nReply: 1 for more"
    sim.spans[1].ussd["*100#"] = UssdMenu(text, {"1": "Nothing more"})
    sim.spans[1].ussd_outcomes.extend(
        [UssdOutcome.SUCCESS, UssdOutcome.FAILED, UssdOutcome.TIMEOUT, UssdOutcome.BUSY]
    )
    async with sim:
        client = await Client.connect(sim)
        for step in _sample(name):
            client.write(step["sent"].encode())
            expected = _corrected(step["received_latin1"])
            if not step["sent"]:
                await _happen(sim, expected)
            received = await _read(client, expected)
            assert _fixed(received) == _fixed(expected), step["sent"]
        assert await client.ended()
        client.close()


@pytest.mark.parametrize("name", ["wrong password", "no right for commands"])
async def test_refusal(name: str) -> None:
    """A wrong password and a missing right."""
    users = [User("admin", "admin"), User("low", "low", write=["system", "call"])]
    sim = Simulator(spans=1, users=users)
    sim.login_penalty = 0.0
    async with sim:
        client = await Client.connect(sim)
        for step in _sample("wire-refused.json")[name]:
            client.write(step["sent"].encode())
            assert (
                await _read(client, step["received_latin1"]) == step["received_latin1"]
            )
        if name == "wrong password":
            assert await client.ended()
        else:
            assert await client.silent(QUIET)
        client.close()


_INBOUND = _sample("inbound-sms.json")


@pytest.mark.parametrize(
    "case",
    [case for case in _INBOUND if case["parts"][0]["SMSPDU"]],
    ids=lambda case: case["name"],
)
def test_inbound_sms(case: dict[str, Any]) -> None:
    """The PDUs that the network delivers, and what the driver makes of them."""
    parts = deliver(
        case["sender"],
        case["text"],
        datetime.fromisoformat(case["local_time"]),
        case["zone_hours"],
        "+8613800755500",
        reference=0x4D,
        wide_reference="wide reference" in case["name"],
    )
    assert [part.pdu for part in parts] == [part["SMSPDU"] for part in case["parts"]]
    for part, expected in zip(parts, case["parts"], strict=True):
        assert (part.sequence, part.count) == (expected["sequence"], expected["count"])
        reading = driver_reading(part.pdu, "utf-8")
        assert reading.sender == expected["SMSSRC_bytes_latin1"]
        assert reading.text == expected["SMSTXT_bytes_latin1"]
        assert (reading.time, reading.zone) == (expected["SMSTIME"], expected["SMSTZ"])


@pytest.mark.parametrize("mode", ["no pdu", "text mode"])
async def test_inbound_sms_without_pdu(mode: str) -> None:
    """Without a PDU, and in text mode, the variables are those of the sample."""
    case = next(case for case in _INBOUND if case["name"] == mode)
    expected = case["parts"][0]
    async with Simulator(spans=2) as sim:
        client = await Client.connect(sim)
        await client.greeting()
        await client.login(events="dialplan")
        sim.spans[2].sms_mode = "text" if mode == "text mode" else "pdu"
        when = datetime.fromisoformat(case["local_time"])
        await sim.receive_sms(
            2, case["sender"], case["text"], when, case["zone_hours"], pdu=False
        )
        values = {event["Variable"]: event["Value"] for event in await client.events(5)}
        client.close()
    assert values == {
        "SMSSRC": expected["SMSSRC_bytes_latin1"],
        "SMSTXT": expected["SMSTXT_bytes_latin1"],
        "SMSPDU": "",
        "SMSTIME": expected["SMSTIME"],
        "SMSTZ": expected["SMSTZ"],
    }


@pytest.mark.parametrize("case", _INBOUND, ids=lambda case: case["name"])
@pytest.mark.parametrize("dialect", Dialect)
async def test_inbound_sms_as_given(case: dict[str, Any], dialect: Dialect) -> None:
    """To the byte in 1.8; later ones escape them, and replace what is not UTF-8."""
    part = case["parts"][0]
    variables = {
        "SMSSRC": part["SMSSRC_bytes_latin1"],
        "SMSTXT": part["SMSTXT_bytes_latin1"],
        "SMSPDU": part["SMSPDU"],
        "SMSTIME": part["SMSTIME"],
        "SMSTZ": part["SMSTZ"],
    }
    async with Simulator(spans=2, dialect=dialect) as sim:
        client = await Client.connect(sim)
        await client.greeting()
        await client.login(events="dialplan")
        await sim.receive_variables(2, variables, newexten=False)
        async with asyncio.timeout(2):
            data = (await client.reader.readuntil(b"SMSPDU")).decode("latin-1")
        client.close()
    text = part["SMSTXT_bytes_latin1"]
    if dialect is Dialect.ASTERISK_14:
        for char, name in (
            ("\\", "\\"),
            ('"', '"'),
            ("?", "?"),
            ("\r", "r"),
            ("\n", "n"),
        ):
            text = text.replace(char, f"\\{name}")
        utf_8 = text.encode("latin-1").decode("utf-8", "replace")
        text = utf_8.encode().decode("latin-1")
    assert f"Variable: SMSTXT\r\nValue: {text}\r\n" in data
