"""Tries what a gateway can do, by sending SMS from one of its spans to another."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
import secrets
from typing import Any, Final

from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .const import EVENT_SMS_DELIVERED
from .contacts import country_of
from .errors import exception_text, invalid, number_error
from .gateway import SendFailure, SendStatus, Work
from .phone_numbers import InvalidPhoneNumberError, parse_destination
from .runtime import OpenVoxRuntime
from .sending import PreparedOrder, Recipient, Route, SmsOrder, async_send, prepare
from .signals import SIGNAL_SPAN_SMS_RECEIVED, SpanEvent

ARRIVAL_TIME: Final = 120.0  # seconds that an SMS may take
REPORT_TIME: Final = 10.0  # seconds that a delivery report may take after that
_CLOCK_TOLERANCE: Final = 300.0  # seconds
# Each text with the key of its name.
_TEXTS: Final = {
    "self_test_accents": "Self-test {token}: é ñ ü ß",
    "self_test_emoji": "Self-test {token}: 😀👍",
    "self_test_long": "Self-test {token}: " + " ".join(["0123456789"] * 16),
}


@dataclass(frozen=True)
class SelfTest:
    """A test that is ready to run: from which span to which, and what it costs."""

    runtime: OpenVoxRuntime
    source: int
    target: int
    number: str = field(repr=False)
    orders: dict[str, PreparedOrder]
    cost: int  # SMS

    def describe(self, hass: HomeAssistant) -> str:
        """Return what the test would do, in the server's language."""
        return exception_text(
            hass,
            "self_test_plan",
            count=self.cost,
            source=self.source,
            target=self.target,
            gateway=self.runtime.entry.title,
        )


@dataclass
class Report:
    """What a test has shown, in sentences in the server's language."""

    sentences: list[str] = field(default_factory=list)
    passed: bool = True
    sms: int = 0


def plan(
    hass: HomeAssistant,
    runtime: OpenVoxRuntime,
    *,
    source: int | None = None,
    target: int | None = None,
    number: str | None = None,
    context: Context | None = None,
) -> SelfTest:
    """Choose the spans, and prepare what will be sent; nothing is sent yet.

    Without a `number` the target is a span that knows its own. A `number` is that of
    the `target`, which must be given with it.

    Raises ServiceValidationError where a test is running, where the spans or the number
    can't be used, or where the limits or the allowed destinations don't permit it.
    """
    if runtime.is_self_testing:
        raise invalid("self_test_running", runtime.entry)
    if number and target is None:
        raise invalid("self_test_no_target")
    if source is not None and source == target:
        raise invalid("self_test_same_span", runtime.entry, span=source)
    spans = runtime.gateway.spans
    reasons = spans.reasons_against(Work.SMS)
    for chosen in (source, target):
        if chosen is not None and (chosen in reasons or chosen not in spans):
            reason = reasons.get(chosen, SendFailure.NO_SUCH_SPAN)
            raise invalid(reason, runtime.entry, span=chosen)
    ready = {each: span for each, span in spans.items() if each not in reasons}
    if len(ready) < 2:
        raise invalid("self_test_no_spans", runtime.entry, count=len(ready))
    for chosen, span in ready.items():
        own_number = number or span.own_number
        if chosen != source and target in (None, chosen) and own_number:
            break
    else:
        raise invalid("self_test_no_number", runtime.entry)
    if source is None:
        source = next(each for each in ready if each != chosen)
    return _prepare(hass, runtime, source, chosen, own_number, context)


def _prepare(
    hass: HomeAssistant,
    runtime: OpenVoxRuntime,
    source: int,
    target: int,
    number: str,
    context: Context | None,
) -> SelfTest:
    try:
        number = parse_destination(number, country_of(hass, runtime.entry))
    except InvalidPhoneNumberError as err:
        raise invalid(number_error(err), runtime.entry, number=number) from err
    recipient = Recipient(number, None, (Route(runtime, source),))
    token = secrets.token_hex(3)
    orders = {
        name: prepare(
            hass, SmsOrder(recipient, text.format(token=token), context=context)
        )
        for name, text in _TEXTS.items()
    }
    count_parts = runtime.gateway.sms.count_parts
    cost = sum(count_parts(order.text) for order in orders.values())
    return SelfTest(runtime, source, target, number, orders, cost)


async def run(hass: HomeAssistant, test: SelfTest) -> Report:
    """Send each SMS through the usual limits, and wait until it comes in.

    After one that doesn't arrive no others are sent, as they would only cost money.
    """
    test.runtime.is_self_testing = True
    try:
        return await _run(hass, test)
    finally:
        test.runtime.is_self_testing = False


async def _run(hass: HomeAssistant, test: SelfTest) -> Report:
    report = Report()
    with _delivery_reports(hass, test) as delivered:
        for name, order in test.orders.items():
            if not await _try(hass, test, report, name, order):
                report.passed = False
                return report
        async with asyncio.timeout(REPORT_TIME) as limit:
            try:
                await delivered.wait()
            except asyncio.CancelledError:
                if not limit.expired():
                    raise
        key = "self_test_delivered" if delivered.is_set() else "self_test_no_report"
        report.sentences.append(exception_text(hass, key))
    return report


async def _try(
    hass: HomeAssistant, test: SelfTest, report: Report, name: str, order: PreparedOrder
) -> bool:
    """Send one SMS; return whether it arrived."""
    what = exception_text(hass, name)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with _arrival(hass, test, order.text) as arrival:
        outcome = await async_send(hass, order)
        report.sms += outcome.result.parts_sent
        if outcome.result.status is SendStatus.FAILED:
            report.sentences.append(
                exception_text(
                    hass, "self_test_not_sent", what=what, reason=outcome.reason
                )
            )
            return False
        try:
            async with asyncio.timeout(ARRIVAL_TIME):
                event = await arrival
        except TimeoutError:
            report.sentences.append(
                exception_text(
                    hass, "self_test_missing", what=what, seconds=round(ARRIVAL_TIME)
                )
            )
            return False
    is_same = event.data["message"] == order.text
    report.passed &= is_same
    report.sentences.append(
        exception_text(
            hass,
            "self_test_arrived" if is_same else "self_test_changed",
            what=what,
            seconds=round(loop.time() - begun),
        )
    )
    if name == next(iter(test.orders)):  # these are the same for all
        _compare_sender(hass, test, report, event)
        _compare_time(hass, report, event)
    return True


def _compare_sender(
    hass: HomeAssistant, test: SelfTest, report: Report, event: SpanEvent
) -> None:
    own_number = test.runtime.gateway.spans[test.source].own_number
    if not own_number:
        return
    try:
        own_number = parse_destination(own_number, country_of(hass, test.runtime.entry))
    except InvalidPhoneNumberError:
        return
    is_same = event.data["sender"] == own_number
    report.passed &= is_same
    key = "self_test_sender_right" if is_same else "self_test_sender_other"
    report.sentences.append(exception_text(hass, key, span=test.source))


def _compare_time(hass: HomeAssistant, report: Report, event: SpanEvent) -> None:
    sent_at = event.data["received_at"]
    if sent_at is None:
        return
    off = abs((dt_util.utcnow() - datetime.fromisoformat(sent_at)).total_seconds())
    is_right = off < _CLOCK_TOLERANCE
    report.passed &= is_right
    key = "self_test_time_right" if is_right else "self_test_time_wrong"
    report.sentences.append(exception_text(hass, key, minutes=round(off / 60)))


@contextmanager
def _arrival(
    hass: HomeAssistant, test: SelfTest, text: str
) -> Iterator[asyncio.Future[SpanEvent]]:
    """Yield a future for the SMS that begins as `text` does."""
    arrival: asyncio.Future[SpanEvent] = asyncio.get_running_loop().create_future()
    beginning = text.partition(":")[0]

    @callback
    def received(event: SpanEvent) -> None:
        # The beginning is plain, so it survives what may go wrong with the rest.
        if beginning in event.data["message"] and not arrival.done():
            arrival.set_result(event)

    signal = SIGNAL_SPAN_SMS_RECEIVED.format(test.runtime.entry.entry_id, test.target)
    stop_listening = async_dispatcher_connect(hass, signal, received)
    try:
        yield arrival
    finally:
        stop_listening()
        arrival.cancel()


@contextmanager
def _delivery_reports(hass: HomeAssistant, test: SelfTest) -> Iterator[asyncio.Event]:
    """Yield an event that is set as soon as a delivery is reported."""
    delivered = asyncio.Event()

    @callback
    def reported(event: Event[dict[str, Any]]) -> None:
        is_ours = event.data.get("config_entry_id") == test.runtime.entry.entry_id
        if is_ours and event.data.get("target") == test.number:
            delivered.set()

    stop_listening = hass.bus.async_listen(EVENT_SMS_DELIVERED, reported)
    try:
        yield delivered
    finally:
        stop_listening()
