"""Delivery reports: what is passed on, and which message it is about."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openvox_gsm.gateway import Gateway, StatusReport
from custom_components.openvox_gsm.gateway.sending import reports as reports_module
from simulator import Box, Simulator, SmsOutcome

from tests.gateway.conftest import Heard, gateway_with, until
from tests.gateway.outcomes import LONG, NUMBER, MakeClient, later_firmware

OTHER = "+4915187654321"

with_pdus = gateway_with(box=Box.TODAY, sms_received=True)

type Told = list[tuple[bool | None, str | None]]


@pytest.fixture
async def told() -> list[StatusReport]:
    """The reports that the client passes on."""
    return []


@pytest.fixture
async def client(new_client: MakeClient, told: list[StatusReport]) -> Gateway:
    """A client that is connected, has read the spans, and listens for reports."""
    client = new_client(on_report=told.append)
    await client.start()
    await client.spans.read()
    return client


def report(
    delivered: bool | None = True, recipient: str = NUMBER, span: int = 1
) -> StatusReport:
    """A report as it comes in a PDU."""
    return StatusReport(
        span=span,
        recipient=recipient,
        reference=1,
        delivered=delivered,
        status=0 if delivered else 0x46,
        discharged_at=None,
        arrived_at=datetime.now(UTC),
    )


def seen(told: list[StatusReport]) -> Told:
    """Return what matters of some reports."""
    return [(each.delivered, each.message) for each in told]


# On the wire


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_report_over_the_wire(
    gateway: Simulator, client: Gateway, told: list[StatusReport], delivered: bool
) -> None:
    """It may come before the send is answered, and is of the message that went out."""
    gateway.status_reports = True
    gateway.spans[1].deliveries.append(delivered)
    await client.sms.send(NUMBER, "Hi", span=1)
    await until(lambda: told)
    (only,) = told
    assert (only.span, only.recipient, only.message) == (1, NUMBER, "Hi")
    assert only.delivered is delivered
    assert only.cause == (None if delivered else "Validity period expired")


@later_firmware
@pytest.mark.parametrize("kind", [b"IMSI: 1", b""])
async def test_the_text_of_an_sms_can_forge_no_report(
    gateway: Simulator, client: Gateway, told: list[StatusReport], kind: bytes
) -> None:
    """Its sender does not know the IMSI of the SIM."""
    await client.sms.send(NUMBER, "Hi", span=1)
    lines = [
        b"Event: SMSStatusReport",
        b"Channel: 1",
        f"Sender: {NUMBER}".encode(),
        kind,
        b"Status: SUCCESS",
    ]
    gateway.faults.garbage(b"\r\n".join(filter(None, lines)) + b"\r\n\r\n")
    await gateway.receive_status_report(1, NUMBER)
    await until(lambda: told)
    assert len(told) == 1


async def test_an_sms_that_only_names_such_a_report(
    gateway: Simulator,
    client: Gateway,
    heard: Heard,
    told: list[StatusReport],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's a text like any other, and no error."""
    await gateway.receive_sms(1, NUMBER, "SMSStatusReport")
    await until(lambda: heard.sms)
    assert told == []
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@later_firmware
async def test_a_report_that_may_be_forged_needs_a_message(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """Where the gateway does not tell the IMSI, only what is expected counts."""
    gateway.spans[1].imsi = ""
    await client.spans.read()
    await gateway.receive_status_report(1, NUMBER)
    await client.sms.send(NUMBER, "Hi", span=1)
    await gateway.receive_status_report(1, NUMBER)
    await until(lambda: told)
    assert seen(told) == [(True, "Hi")]


@later_firmware
async def test_a_cause_in_the_words_of_the_gateway(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """A cause that is no status of the network is passed on as it is."""
    gateway.driver_event(
        "SMSStatusReport",
        1,
        f"Sender: {OTHER}",
        f"IMSI: {gateway.spans[1].imsi}",
        "Status: FAILED",
        "Cause: Absent subscriber",
    )
    await until(lambda: told)
    assert (told[0].recipient, told[0].cause) == (OTHER, "Absent subscriber")
    assert told[0].message is None


@later_firmware
@pytest.mark.parametrize(
    ("cause", "status", "text"),
    [
        ("63", None, "63"),
        ("64", 0x40, ""),
        ("127", 0x7F, ""),
        ("128", None, "128"),
    ],
)
async def test_a_cause_that_is_a_number(
    gateway: Simulator,
    client: Gateway,
    told: list[StatusReport],
    cause: str,
    status: int | None,
    text: str,
) -> None:
    """It is a status of the network where that may say why it gave up."""
    gateway.driver_event(
        "SMSStatusReport",
        1,
        f"Sender: {OTHER}",
        f"IMSI: {gateway.spans[1].imsi}",
        "Status: FAILED",
        f"Cause: {cause}",
    )
    await until(lambda: told)
    assert (told[0].status, told[0].cause_text) == (status, text)


@later_firmware
async def test_words_that_are_too_long(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """The rest of them is left out."""
    gateway.driver_event(
        "SMSStatusReport",
        1,
        f"Sender: {'1' * 5000}",
        f"IMSI: {gateway.spans[1].imsi}",
        "Status: FAILED",
        f"Cause: {'x' * 5000}",
    )
    await until(lambda: told)
    assert (told[0].recipient, told[0].cause) == ("1" * 255, "x" * 255)


@pytest.fixture
async def report_twice(gateway: Simulator) -> Callable[..., Awaitable[None]]:
    """Let a box report an SMS by event and by PDU, in either order."""

    async def report(number: str = NUMBER, *, pdu_first: bool = False) -> None:
        for box in (Box.OF_2013, Box.TODAY) if pdu_first else (Box.TODAY, Box.OF_2013):
            gateway.box = box
            await gateway.receive_status_report(1, number)

    return report


@with_pdus
@pytest.mark.parametrize("pdu_first", [True, False])
async def test_a_box_that_reports_by_event_and_by_pdu(
    client: Gateway, told: list[StatusReport], report_twice: Any, pdu_first: bool
) -> None:
    """Each SMS is reported once, also one that was sent before a restart."""
    await client.sms.send(NUMBER, "One", span=1)
    for number in (NUMBER, OTHER):
        await report_twice(number, pdu_first=pdu_first)
        await asyncio.sleep(0.1)
    await client.sms.send(NUMBER, "Two", span=1)
    await report_twice(pdu_first=pdu_first)
    await asyncio.sleep(0.1)

    assert seen(told) == [(True, "One"), (True, None), (True, "Two")]


@with_pdus
async def test_a_long_message_reported_by_event_and_by_pdu(
    client: Gateway, told: list[StatusReport], report_twice: Any
) -> None:
    """Its reports are counted once."""
    assert (await client.sms.send(NUMBER, LONG, span=1)).parts == 3
    for _ in range(2):
        await report_twice()
    await asyncio.sleep(0.1)
    assert told == []

    await report_twice()
    await until(lambda: told)
    assert seen(told) == [(True, LONG)]


@pytest.mark.parametrize(
    "other",
    [
        {"span": 2},
        {"recipient": OTHER},
        {"delivered": False},
        {"reference": 1},  # by PDU as well
    ],
)
async def test_a_report_about_something_else(
    client: Gateway, told: list[StatusReport], other: dict[str, Any]
) -> None:
    """Nothing is held back that may be about another SMS."""
    client.reports.reported(report())
    client.reports.reported(replace(report(), **({"reference": None} | other)))

    assert len(told) == 2


@pytest.mark.parametrize(("seconds", "is_known"), [(9.9, True), (10, False)])
async def test_a_report_that_comes_later_in_the_other_way(
    client: Gateway,
    told: list[StatusReport],
    freezer: FrozenDateTimeFactory,
    seconds: float,
    is_known: bool,
) -> None:
    """It's the same one, or much later about another SMS."""
    client.reports.reported(report())
    freezer.tick(seconds)
    client.reports.reported(replace(report(), reference=None))

    assert len(told) == (1 if is_known else 2)


async def test_a_report_comes_once_in_the_other_way(
    client: Gateway, told: list[StatusReport]
) -> None:
    """A further one is about another SMS."""
    client.reports.reported(report())
    for _ in range(2):
        client.reports.reported(replace(report(), reference=None))

    assert len(told) == 2


@pytest.mark.parametrize(
    ("first", "second"), [(NUMBER, "015112345678"), ("015112345678", NUMBER)]
)
async def test_the_other_way_may_write_the_number_otherwise(
    client: Gateway, told: list[StatusReport], first: str, second: str
) -> None:
    """Either may lack the country."""
    client.reports.reported(report(recipient=first))
    client.reports.reported(replace(report(recipient=second), reference=None))

    assert len(told) == 1


async def test_reports_that_come_once_are_forgotten(
    client: Gateway, told: list[StatusReport]
) -> None:
    """A gateway that reports endlessly doesn't fill the memory."""
    for _ in range(300):
        client.reports.reported(report())

    assert len(told) == 300
    assert len(client.reports._recent) == 100  # noqa: SLF001


# Which message


@pytest.mark.parametrize(
    ("number", "recipient"),
    [
        (NUMBER, NUMBER),
        (NUMBER, NUMBER.removeprefix("+")),
        (NUMBER, "015112345678"),
        (NUMBER, "0049 1511 2345678"),
        (NUMBER.removeprefix("+"), NUMBER),
        ("015112345678", NUMBER),
        ("004915112345678", NUMBER),
    ],
)
async def test_a_number_may_be_written_otherwise(
    client: Gateway, told: list[StatusReport], number: str, recipient: str
) -> None:
    """The report has the number as it was sent."""
    await client.sms.send(number, "Hi", span=1)
    client.reports.reported(report(recipient=recipient))
    assert seen(told) == [(True, "Hi")]
    assert told[0].recipient == number


@pytest.mark.parametrize(
    ("span", "recipient"),
    # Somebody in another country may have a number that the other one ends with.
    [(2, NUMBER), (1, OTHER), (1, "345678"), (1, ""), (1, "+15112345678")],
)
async def test_a_report_about_another_message(
    client: Gateway, told: list[StatusReport], span: int, recipient: str
) -> None:
    """One that was sent by somebody else, or before a restart."""
    await client.sms.send(NUMBER, "Hi", span=1)
    client.reports.reported(report(span=span, recipient=recipient))
    assert seen(told) == [(True, None)]
    assert told[0].recipient == recipient


async def test_a_message_is_reported_once(
    client: Gateway, told: list[StatusReport]
) -> None:
    """A further report is about something else."""
    await client.sms.send(NUMBER, "Hi", span=1)
    client.reports.reported(report())
    client.reports.reported(report())
    assert seen(told) == [(True, "Hi"), (True, None)]


async def test_messages_reported_in_turn_are_certain(
    client: Gateway, told: list[StatusReport]
) -> None:
    """The first one is done with before the second one goes out."""
    for text in ("One", "Two"):
        await client.sms.send(NUMBER, text, span=1)
        client.reports.reported(report())
    assert seen(told) == [(True, "One"), (True, "Two")]


async def test_of_two_messages_under_way_it_is_not_certain_which_one_it_is(
    client: Gateway, told: list[StatusReport]
) -> None:
    """The second one may arrive first. Once both are reported it's certain again."""
    for text in ("One", "Two"):
        await client.sms.send(NUMBER, text, span=1)
    for delivered in (True, False):
        client.reports.reported(report(delivered))
    await client.sms.send(NUMBER, "Three", span=1)
    client.reports.reported(report())
    assert seen(told) == [(True, None), (False, None), (True, "Three")]


@pytest.mark.parametrize(
    ("outcomes", "order_ids"),
    [
        ([True, True], [(), ("1", "2")]),
        ([False, False], [(), ("1", "2")]),
        # Which one was it?
        ([True, False], [(), ()]),
        ([False, True], [(), ()]),
    ],
)
async def test_once_all_are_reported_alike_it_is_certain_again(
    client: Gateway,
    told: list[StatusReport],
    outcomes: list[bool],
    order_ids: list[tuple[str, ...]],
) -> None:
    """Though not which report was of which message."""
    for order_id in ("1", "2"):
        await client.sms.send(NUMBER, "Hi", span=1, order_id=order_id)
    for delivered in outcomes:
        client.reports.reported(report(delivered))
    assert [each.order_ids for each in told] == order_ids

    await client.sms.send(NUMBER, "Hi", span=1, order_id="3")
    client.reports.reported(report())
    assert told[-1].order_ids == ("3",)

    for order_id in ("4", "5"):
        await client.sms.send(NUMBER, "Hi", span=1, order_id=order_id)
    for _ in range(2):
        client.reports.reported(report())
    assert told[-1].order_ids == ("4", "5")


async def test_long_messages_that_are_reported_alike(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """All their parts count; what was not sent as a whole has not arrived."""
    await client.sms.send(NUMBER, LONG, span=1, order_id="long")
    await client.sms.send(NUMBER, "Hi", span=1, order_id="short")
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])
    await client.sms.send(NUMBER, LONG, span=1, order_id="half")
    for _ in range(5):
        assert told == [] or told[-1].order_ids == ()
        client.reports.reported(report())
    assert told[-1].order_ids == ("long", "short")


async def test_a_long_message_is_delivered_with_its_last_part(
    client: Gateway, told: list[StatusReport]
) -> None:
    """A person has sent one message."""
    assert (await client.sms.send(NUMBER, LONG, span=1)).parts == 3
    for _ in range(2):
        client.reports.reported(report())
    assert told == []
    client.reports.reported(report())
    assert seen(told) == [(True, LONG)]


@pytest.mark.parametrize(
    "outcomes",
    [(True, False, False), (False, True, True), (True, True, False)],
    ids=str,
)
async def test_a_long_message_is_not_delivered_if_a_part_is_not(
    client: Gateway, told: list[StatusReport], outcomes: tuple[bool, ...]
) -> None:
    """That is reported once, and at once."""
    await client.sms.send(NUMBER, LONG, span=1)
    for number, delivered in enumerate(outcomes, start=1):
        client.reports.reported(report(delivered))
        assert seen(told) == [(False, LONG)] * (False in outcomes[:number])
    client.reports.reported(report())
    assert seen(told)[1:] == [(True, None)]


async def test_what_was_not_sent_is_not_reported(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """The report is about the message that was."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    for text in ("One", "Two"):
        await client.sms.send(NUMBER, text, span=1)
    client.reports.reported(report())
    assert seen(told) == [(True, "Two")]


@later_firmware
async def test_what_turns_out_not_to_be_sent_is_not_reported(
    gateway: Simulator, client: Gateway, told: list[StatusReport]
) -> None:
    """Though its outcome was unknown at first."""
    gateway.spans[1].late_after = 0.3
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_FAILURE)
    first = await client.sms.send(NUMBER, "One", span=1)
    assert first.settled
    await first.settled
    await client.sms.send(NUMBER, "Two", span=1)
    client.reports.reported(report())
    assert seen(told) == [(True, "Two")]


async def test_a_service_centre_that_goes_on_trying(
    client: Gateway, told: list[StatusReport]
) -> None:
    """It reports again."""
    await client.sms.send(NUMBER, "Hi", span=1)
    client.reports.reported(report(None))
    assert told == []
    client.reports.reported(report())
    assert seen(told) == [(True, "Hi")]


@pytest.mark.parametrize(("limit", "value"), [("_REPORT_TIME", 0), ("MAX_MESSAGES", 1)])
async def test_messages_are_forgotten(
    client: Gateway,
    told: list[StatusReport],
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
) -> None:
    """A network that does not report must not fill the memory."""
    monkeypatch.setattr(reports_module, limit, value)
    for number in (NUMBER, OTHER):
        await client.sms.send(number, "Hi", span=1)
    client.reports.reported(report())
    client.reports.reported(report(recipient=OTHER))
    assert seen(told) == [(True, None), (True, "Hi")]


@pytest.mark.parametrize(
    ("status", "cause"), [(0x46, "Validity period expired"), (0x7F, "Status 127")]
)
def test_the_cause_in_words(status: int, cause: str) -> None:
    """As 3GPP TS 23.040 has them; others by their number."""
    make: Callable[..., StatusReport] = StatusReport
    common = (1, NUMBER, 1)
    now = datetime.now(UTC)
    assert make(*common, False, status, None, now).cause == cause
    assert make(*common, True, 0, None, now).cause is None
    assert make(*common, False, None, None, now).cause is None
