"""Receiving from a gateway: over a socket, from each box and in each framing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from custom_components.openvox_gsm.gateway import Gateway, StatusReport
from custom_components.openvox_gsm.gateway.receiving import inbox as inbox_module
from simulator import Box, Dialect, Simulator
from simulator.model.deliver import deliver, status_report
from simulator.model.driver_sms import driver_reading

from tests.common import said
from tests.gateway.conftest import Heard, gateway_with, kinds_of_gateway, until

ODD: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "inbound-odd.json").read_text("utf-8")
)
ALICE, BANK = "+4915112345678", "MyBank"
SENT_AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone(timedelta(hours=8)))
COMPRESSED = "0891683108705505F0040D91945111325476F800206230415190622305E8329BFD06"
LONG = "The quick brown fox jumps over the lazy dog. " * 7


def pdus(sender: str, text: str) -> list[str]:
    """Write the PDUs of a message as the network delivers them."""
    parts = deliver(sender, text, SENT_AT, 8, "+8613800755500", reference=7)
    return [part.pdu for part in parts]


def told(heard: Heard) -> list[tuple[int, str, str]]:
    """Return span, sender and text of what was delivered."""
    return [(sms.span, sms.sender, sms.text) for sms in heard.sms]


@kinds_of_gateway()
@pytest.mark.parametrize(
    "text", ["hello", 'say "hi"', "a\r\n\r\nb", "é €", LONG, "🚪 x"]
)
async def test_an_sms(
    gateway: Simulator, client: Gateway, heard: Heard, text: str
) -> None:
    """It comes as it was sent, and once."""
    await gateway.receive_sms(2, ALICE, text)
    await until(lambda: heard.sms)
    await gateway.receive_sms(3, BANK, "last")
    await until(lambda: len(heard.sms) > 1)

    assert told(heard) == [(2, ALICE, text), (3, BANK, "last")]


@kinds_of_gateway()
async def test_four_messages_at_once(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """None is lost, and none looks like a forgery."""
    texts = [f"text {number}" for number in range(4)]
    for text in texts:
        await gateway.receive_sms(2, ALICE, text)
    await until(lambda: len(heard.sms) == 4)

    assert [sms.text for sms in heard.sms] == texts
    assert said(caplog, logging.WARNING) == []


@kinds_of_gateway()
async def test_without_pdu(gateway: Simulator, client: Gateway, heard: Heard) -> None:
    """Variables and steps tell it all the same."""
    await gateway.receive_sms(2, ALICE, "hello", pdu=False)
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, "hello")]


@kinds_of_gateway()
async def test_no_number_is_that_long(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The driver reads a status report as an SMS; without its PDU, this is what shows."""
    report = status_report("+491610035945", SENT_AT, 8, "+8613800755500", reference=30)
    made_up = driver_reading(report, "Default").sender
    for sender in (made_up, made_up[:21], made_up[:20]):
        await gateway.receive_variables(
            2, {"SMSSRC": sender, "SMSTXT": "hello", "SMSTIME": "", "SMSTZ": ""}
        )
    await until(lambda: heard.sms)

    assert told(heard) == [(2, made_up[:20], "hello")]
    assert client.sms_seen["status report without PDU"] == 2
    assert any("delivery report" in line for line in said(caplog, logging.WARNING))


@kinds_of_gateway()
async def test_by_the_steps_alone(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """Of the whole message the program's line is enough."""
    await gateway.receive_sms(2, ALICE, "hello", varset=False)
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, "hello")]


@pytest.mark.parametrize(
    "gateway",
    [
        {"box": Box.TODAY, "sms_received": True, "board": board, "dialect": dialect}
        for board in (1, 2)
        for dialect in Dialect
    ],
    indirect=True,
    ids=lambda traits: f"board {traits['board']}, {traits['dialect'].value}",
)
@pytest.mark.parametrize(
    ("varset", "newexten"), [(True, True), (True, False), (False, True)]
)
async def test_with_sms_to_http(
    gateway: Simulator, client: Gateway, heard: Heard, varset: bool, newexten: bool
) -> None:
    """Its steps stand among those that receive, on each board of a stack."""
    gateway.dialplan.sms_to_http = True
    await gateway.receive_sms(2, ALICE, "hello", varset=varset, newexten=newexten)
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, "hello")]


@gateway_with(box=Box.TODAY, sms_received=False)
async def test_a_box_that_hands_over_no_sms(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The gateway's dialplan shows it, and when it has changed."""
    assert client.features.receives_sms is False
    gateway.dialplan.sms_received = True
    await client.read_sms_steps()
    assert client.features.receives_sms
    await gateway.receive_sms(2, ALICE, "hello", varset=False)
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, "hello")]


@pytest.mark.parametrize("stall", [b"Variable: SMSTXT", b"Variable: SMSPDU"], ids=str)
async def test_a_connection_that_stalls_within_an_sms(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    stall: bytes,
) -> None:
    """However late its PDU comes, the message is taken from it."""
    monkeypatch.setattr(inbox_module, "MESSAGE_TIMEOUT", 0.04)
    client.requires_pdu = True
    gateway.faults.freeze_before = stall
    await gateway.receive_sms(2, ALICE, LONG)
    await until(lambda: gateway.faults.frozen)
    await asyncio.sleep(0.15)  # longer than any time limit
    gateway.faults.thaw()
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, LONG)]
    assert heard.sms[0].complete


# Several in one read


@kinds_of_gateway()
@pytest.mark.parametrize("requires_pdu", [True, False])
async def test_two_sms_in_one_read(
    gateway: Simulator, client: Gateway, heard: Heard, requires_pdu: bool
) -> None:
    """Both arrive, each with its own sender."""
    client.requires_pdu = requires_pdu
    await gateway.receive_pdus(2, *pdus(ALICE, "one"), *pdus(BANK, "two"))
    await until(lambda: len(heard.sms) == 2)
    assert told(heard) == [(2, ALICE, "one"), (2, BANK, "two")]
    assert client.sms_seen["several PDUs at once"] == 1


@kinds_of_gateway()
@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("place", [0, 1])
async def test_one_of_two_sms_in_one_read_is_unreadable(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
    requires_pdu: bool,
    place: int,
) -> None:
    """A stranger may send one that's compressed; it doesn't take the other along."""
    client.requires_pdu = requires_pdu
    several = pdus(BANK, "two")
    several.insert(place, COMPRESSED)
    await gateway.receive_pdus(2, *several)
    await until(lambda: (2, BANK, "two") in told(heard))
    await until(lambda: not client._inbox.is_mid_message)  # noqa: SLF001

    is_rendered = place == 0 and not requires_pdu
    assert len(heard.sms) == (2 if is_rendered else 1)
    assert len(said(caplog, logging.WARNING)) == (0 if is_rendered else 1)


@kinds_of_gateway()
async def test_the_parts_of_a_long_sms_in_one_read(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """They are joined."""
    await gateway.receive_pdus(2, *pdus(ALICE, LONG))
    await until(lambda: heard.sms)
    assert told(heard) == [(2, ALICE, LONG)]
    assert heard.sms[0].complete


# What is no text for a person


@pytest.fixture
async def reports() -> list[StatusReport]:
    """The status reports that came in."""
    return []


@pytest.fixture
async def client_with_reports(
    gateway: Simulator, hurry: None, heard: Heard, reports: list[StatusReport]
) -> AsyncIterator[Gateway]:
    """A client that wants status reports, too."""
    client = Gateway(
        gateway.host,
        gateway.port,
        "admin",
        "admin",
        on_part=heard.assembler.add,
        on_connection=lambda _error: None,
        on_report=reports.append,
    )
    await client.start()
    yield client
    await client.stop()


@kinds_of_gateway()
@pytest.mark.parametrize("delivered", [True, False])
# The driver takes the reference for the number of digits of a sender. From 17 on, they go
# beyond the recipient's.
@pytest.mark.parametrize("reference", [5, 17, 30])
async def test_a_status_report(
    gateway: Simulator,
    client_with_reports: Gateway,
    heard: Heard,
    reports: list[StatusReport],
    delivered: bool,
    reference: int,
) -> None:
    """It's no message."""
    pdu = status_report(
        ALICE, SENT_AT, 8, "+8613800755500", reference=reference, delivered=delivered
    )
    await gateway.receive_pdus(2, pdu)
    await until(lambda: reports or heard.sms)
    assert heard.sms == []
    [report] = reports
    assert (report.span, report.recipient, report.reference) == (2, ALICE, reference)
    assert report.delivered is delivered
    assert report.discharged_at == SENT_AT


@kinds_of_gateway()
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(each["pdus"], id=each["what"])
        for each in ODD
        if each["expect"] == "no message for a person"
    ],
)
async def test_no_text_for_a_person(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
    odd: list[str],
) -> None:
    """The debug log gets one line, and the next message comes as usual."""
    caplog.set_level(logging.DEBUG)
    for pdu in odd:
        await gateway.receive_pdus(2, pdu)
    await gateway.receive_sms(3, BANK, "last")
    await until(lambda: heard.sms)
    await until(lambda: not client._inbox.is_mid_message)  # noqa: SLF001

    assert told(heard) == [(3, BANK, "last")]
    lines = [each for each in caplog.records if "no text for a person" in each.message]
    assert len(lines) == len(odd)
    assert {each.levelno for each in lines} == {logging.DEBUG}
