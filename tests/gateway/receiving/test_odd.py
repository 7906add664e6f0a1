"""What clients handle badly, and what the vendor's driver makes of it (recorded)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
import json
import logging
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.gateway.model import StatusReport
from custom_components.openvox_gsm.gateway.receiving.inbox import (
    MESSAGE_TIMEOUT,
    SETTLE_TIME,
    Inbox,
)
from custom_components.openvox_gsm.gateway.receiving.pdu import PduError
from custom_components.openvox_gsm.gateway.receiving.report import decode_report
from simulator.model.driver_sms import driver_reading

from .test_inbox import (
    ALL,
    ATTACKER,
    BOTH_DIALECTS,
    FOREIGN,
    ME,
    NEIGHBOURS,
    NEIGHBOURS_TOLD,
    ORDERS,
    VARSET,
    VICTIM,
    Bench,
    Dialect,
    Sms,
    as_long_as_fits,
    concatenation,
    deliver_pdu,
    forged_end,
    forged_varset,
    fragments,
    rendered,
)

DATA = Path(__file__).parents[2] / "data"
ODD: dict[str, dict[str, Any]] = {
    each["what"]: each
    for each in json.loads((DATA / "inbound-odd.json").read_text("utf-8"))
}


@dataclass
class ReportBench(Bench):
    """A bench that keeps status reports as well."""

    reports: list[StatusReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Connect the parts."""
        super().__post_init__()
        self.inbox = Inbox(
            self.assembler.add, self.clock.call_later, on_report=self.reports.append
        )


@pytest.fixture
def bench() -> ReportBench:
    """An inbox behind a reader, and what it delivers."""
    return ReportBench()


def as_driver_gives(value: str, number: int = 0, **traits: Any) -> Sms:
    """Make an SMS of what the module hands over, as the driver reads it."""
    reading = driver_reading(value.partition("\r")[0], "utf-8")
    return Sms(
        text=reading.text.encode("latin-1"),
        sender=reading.sender.encode("latin-1"),
        pdu=value,
        time=reading.time,
        zone=reading.zone,
        uniqueid=f"1795400805.{number}",
        **traits,
    )


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("what", ODD)
def test_what_it_results_in(
    bench: ReportBench,
    what: str,
    sources: tuple[str, ...],
    requires_pdu: bool,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A text, or none; nothing looks like an attack."""
    caplog.set_level(logging.DEBUG)
    bench.inbox.requires_pdu = requires_pdu
    for number, pdu in enumerate(ODD[what]["pdus"]):
        bench.feed(as_driver_gives(pdu, number).events(dialect, sources))
        bench.settle()
        bench.clock.let_pass(1)
    told = [(sms.sender, sms.text) for sms in bench.messages]
    delivered = [report.delivered for report in bench.reports]

    match ODD[what]["expect"]:
        case "no message for a person":
            assert (told, delivered) == ([], [])
            lines = [each.getMessage() for each in caplog.records]
            assert len(lines) == len(ODD[what]["pdus"])
            assert all("no text for a person" in line for line in lines)
            assert sum(bench.inbox.seen.values()) >= 2 * len(lines)
        case "delivered, not a message":
            assert (told, delivered) == ([], [True])
        case "not delivered, not a message":
            assert (told, delivered) == ([], [False])
        case {"sender": sender, "text": str(text)}:
            assert [each[0] for each in told] == [sender]
            assert told[0][1].startswith(text.removeprefix("begins with: "))
        case list(texts):
            assert [text for _, text in told] == texts
            assert all(sms.complete for sms in bench.messages)
        case "one event, however late the second comes":
            assert len(told) == 1
        case "two events":
            assert len(told) == 2
        case other:
            pytest.fail(f"Nothing is known of {other}")
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert not bench.clock.running


@BOTH_DIALECTS
def test_a_status_report(bench: ReportBench, dialect: Dialect) -> None:
    """It says of which message, when, and what."""
    pdu = ODD["status report: failed for good (0x41)"]["pdus"][0]
    bench.feed(as_driver_gives(pdu).events(dialect))
    bench.settle()

    [report] = bench.reports
    assert report == StatusReport(
        span=2,
        recipient="+4915112345678",
        reference=8,
        delivered=False,
        status=0x41,
        discharged_at=datetime(
            2026, 11, 27, 14, 58, 31, tzinfo=timezone(timedelta(hours=1))
        ),
        arrived_at=report.arrived_at,
    )
    assert "49151" not in repr(report)
    assert bench.inbox.seen["status report"] == 1


@BOTH_DIALECTS
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("octets for an application port (16-bit, 5499)", "application"),
        ("SIM data download (protocol id 0x7F, class 2)", "sim"),
        ("short message type 0 (protocol id 0x40)", "type 0"),
        ("waiting indication in the header, no text", "waiting"),
    ],
)
def test_what_is_not_a_text_is_counted_by_kind(
    bench: ReportBench, what: str, kind: str, dialect: Dialect
) -> None:
    """Diagnostics show whom it was for."""
    [pdu] = ODD[what]["pdus"]
    bench.feed(as_driver_gives(pdu, 0).events(dialect, ALL))
    bench.settle()
    assert bench.inbox.seen[f"no text: {kind}"] == 1


@pytest.mark.parametrize(
    ("status", "delivered"),
    [
        *((0x00, True), (0x01, None), (0x02, None), (0x1F, None)),
        *((0x20, None), (0x30, None), (0x40, False), (0x46, False)),
        *((0x60, False), (0x7F, False), (0x80, None), (0xFF, None)),
    ],
)
def test_the_status_of_a_report(status: int, delivered: bool | None) -> None:
    """While the network still tries, nothing is decided (23.040, 9.2.3.15)."""
    pdu = ODD["status report: delivered"]["pdus"][0][:-2] + f"{status:02X}"
    assert decode_report(pdu).delivered is delivered


@given(st.binary(max_size=60).map(bytes.hex) | st.text())
def test_any_report(hex_pdu: str) -> None:
    """It's one, or an error that says nothing of it."""
    try:
        report = decode_report(hex_pdu)
    except PduError as err:
        assert str(err) in ("Not hexadecimal", "Cut short", "Not an SMS-STATUS-REPORT")  # noqa: PT017
    else:
        assert 0 <= report.status <= 255


# Several SMS in one read


def at_once(*pdus: str) -> str:
    """Write what the driver puts into SMSPDU for PDUs that it reads at once."""
    first, *others = pdus
    return first + "".join(f"\r\n\r\n+CMT: ,28\r\n{pdu}" for pdu in others)


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_each_of_several(
    bench: ReportBench,
    sources: tuple[str, ...],
    requires_pdu: bool,
    count: int,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each counts, with its own sender, and the next message is as usual."""
    bench.inbox.requires_pdu = requires_pdu
    pdus = [deliver_pdu(f"+49{n}", f"text {n}") for n in range(count)]
    bench.feed(as_driver_gives(at_once(*pdus)).events(dialect, sources))
    bench.feed(NEIGHBOURS[0].events(dialect, sources))
    bench.settle()

    assert bench.told == [
        *((2, f"+49{n}", f"text {n}") for n in range(count)),
        NEIGHBOURS_TOLD[0],
    ]
    assert caplog.records == []
    assert bench.inbox.seen["several PDUs at once"] == 1


@BOTH_DIALECTS
def test_parts_in_one_read(bench: ReportBench, dialect: Dialect) -> None:
    """They are joined."""
    pdus = [
        deliver_pdu(
            "+491", f"<{n}>", header=concatenation(7, 3, n, wide=False), minute=n
        )
        for n in (1, 2, 3)
    ]
    bench.feed(as_driver_gives(at_once(*pdus[:2])).events(dialect))
    bench.feed(as_driver_gives(pdus[2], 1).events(dialect))
    bench.settle()

    assert bench.told == [(2, "+491", "<1><2><3>")]


@BOTH_DIALECTS
def test_a_report_behind_a_message(bench: ReportBench, dialect: Dialect) -> None:
    """Both are read; a module announces a report as +CDS, too."""
    report = ODD["status report: delivered"]["pdus"][0]
    value = f"{deliver_pdu('+491', 'hello')}\r\n\r\n+CDS: 25\r\n{report}"
    bench.feed(as_driver_gives(value).events(dialect))
    bench.settle()

    assert bench.told == [(2, "+491", "hello")]
    assert [each.delivered for each in bench.reports] == [True]


def test_the_second_waits_until_the_text_is_known(bench: ReportBench) -> None:
    """Only then is it certain that it isn't part of it."""
    value = at_once(deliver_pdu("+491", "one"), deliver_pdu("MyBank", "two"))
    bench.feed(list(as_driver_gives(value).events(Dialect.EARLY, (VARSET,)))[:3])
    assert bench.messages == []
    bench.clock.let_pass(SETTLE_TIME)

    assert len(bench.messages) == 2


@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("guess", [ME.uniqueid, FOREIGN], ids=["guessed", "not"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_text_that_forges_several(requires_pdu: bool, guess: str, order: str) -> None:
    """It's a text, even if it's longer than any network delivers."""
    first, second = (
        deliver_pdu(ATTACKER, "a", service_centre="00"),
        deliver_pdu("MyBank", "", service_centre="00"),
    )
    text = (
        forged_end(guess)
        + forged_varset(ME, "SMSPDU", "")
        + f"{first}\r\n\r\n+CMT: ,\r\n{second}"
    )[:255]
    assert second[:-2] in text
    bench = Bench()
    bench.inbox.requires_pdu = requires_pdu
    mine = replace(ME, text=rendered(text), pdu=deliver_pdu(ATTACKER, text))
    others = [list(sms.events(Dialect.EARLY)) for sms in NEIGHBOURS]
    bench.feed(ORDERS[order](list(mine.events(Dialect.EARLY)), others))
    bench.settle()

    others_told = [] if order == "alone" else NEIGHBOURS_TOLD
    assert sorted(bench.told) == sorted([(2, ATTACKER, text), *others_told])


@pytest.mark.parametrize("requires_pdu", [True, False])
def test_a_pdu_that_stands_in_the_text_of_another_one(
    bench: ReportBench, requires_pdu: bool
) -> None:
    """Where a text contains it, it may be that text's work."""
    bench.inbox.requires_pdu = requires_pdu
    second = deliver_pdu("MyBank", "", service_centre="00")
    text = f"\r\nUniqueid: 1.1\r\n+CMT: ,28\r\n{second}"
    value = at_once(deliver_pdu(ATTACKER, text), second)
    bench.feed(as_driver_gives(value).events(Dialect.EARLY))
    bench.settle()

    assert bench.told == [(2, ATTACKER, text)]


def test_a_pdu_that_the_driver_may_read_otherwise(bench: ReportBench) -> None:
    """It may have forged a message that it names in any way of reading it."""
    # The letters of UCS-2, as 8-bit data.
    pdu = deliver_pdu(ATTACKER, f"é {VICTIM.uniqueid}").replace("000862", "000462")
    mine = Sms(sender=ATTACKER.encode(), text=b"", pdu=pdu)
    bench.feed(mine.events(Dialect.LATE))
    bench.feed(VICTIM.events(Dialect.LATE))
    bench.settle()

    assert [sender for _, sender, _ in bench.told] == [ATTACKER]


@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("sender", [ATTACKER, "MyBank"])
def test_text_mode_with_a_sender_of_the_phone_book(
    bench: ReportBench, requires_pdu: bool, sender: str
) -> None:
    """The text stands in SMSPDU, then: it may be the hex of a PDU (recorded)."""
    bench.inbox.requires_pdu = requires_pdu
    for number, pdus in enumerate(
        (
            ["hello there"],
            [deliver_pdu(sender, "pay")],
            2 * [deliver_pdu(sender, "pay", service_centre="00")],
        )
    ):
        value = at_once(*pdus)
        sms = Sms(b"", b"", value, "20// ::", "GMT+0", uniqueid=f"1.{number}")
        bench.feed(sms.events(Dialect.EARLY, (VARSET,)))
        bench.settle()

    assert bench.told == ([] if requires_pdu else [(2, "", "hello there")])


# The driver itself


def recorded(name: str) -> Iterator[bytes]:
    """Yield what the gateway wrote."""
    path = DATA / "recorded-2.0.8" / f"{name}.json"
    for _, who, text in json.loads(path.read_text("utf-8"))["wire"]:
        if who == "gateway":
            yield text.encode("latin-1")


def test_what_a_module_may_say_around_an_sms(
    bench: ReportBench, caplog: pytest.LogCaptureFixture
) -> None:
    """Two SMS in one read, text mode, a status report, PDUs cut short."""
    for chunk in recorded("33-inbound-odd"):
        bench.feed([chunk])
        bench.clock.let_pass(2 * MESSAGE_TIMEOUT)

    heating = (2, "+4915112345678", "Heating is on, 21.5 C.")
    assert bench.told == [
        heating,
        (2, "10086", "Balance: 5.00"),
        (2, "+4915112345678", "hello text mode"),
        (2, "", "hello text mode"),
        (2, "MyBank", "code 1234"),
        (2, "+49151", "line 1\r\nline 2"),
        (2, "+4915112345678", "Hello"),
    ]
    assert [(each.recipient, each.delivered) for each in bench.reports] == [
        ("+13632919026", True)
    ]
    warnings = [each.getMessage() for each in caplog.records]
    assert [text for text in warnings if "imitates" in text] == []


# Anything at all


@settings(max_examples=200, deadline=None)
@given(
    text=fragments([ME.uniqueid, VICTIM.uniqueid, FOREIGN]).map(as_long_as_fits),
    order=st.sampled_from(list(ORDERS)),
    sources=st.sampled_from([(VARSET,), ALL]),
    dialect=st.sampled_from(Dialect),
    is_first=st.booleans(),
)
def test_any_text_beside_another_in_one_read(
    text: str, order: str, sources: tuple[str, ...], dialect: Dialect, is_first: bool
) -> None:
    """Both come through, each with its own sender, and so do all others."""
    bench = Bench()
    mine, other = deliver_pdu(ATTACKER, text), deliver_pdu("+497", "beside")
    pdus = [mine, other] if is_first else [other, mine]
    first_text, sender = (text, ATTACKER) if is_first else ("beside", "+497")
    sms = replace(
        ME, text=rendered(first_text), sender=sender.encode(), pdu=at_once(*pdus)
    )
    bench.feed(
        ORDERS[order](
            list(sms.events(dialect, sources)),
            [list(each.events(dialect, sources)) for each in NEIGHBOURS],
        )
    )
    bench.settle()

    others_told = [] if order == "alone" else NEIGHBOURS_TOLD
    assert sorted(bench.told) == sorted(
        [(2, ATTACKER, text), (2, "+497", "beside"), *others_told]
    )
