"""Delivery reports: which message a report is about.

Boxes sold since about 2016 raise an event ``SMSStatusReport`` where their "SMS status
report" is switched on; elsewhere a report may come as a PDU, and a box may do both.
Neither tells which SMS it's about: the span, the number and the order are all there is.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
import logging
import re
from typing import Final

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway.bounds import MAX_VALUE
from custom_components.openvox_gsm.gateway.model import StatusReport
from custom_components.openvox_gsm.gateway.spans import Spans

_LOGGER = logging.getLogger(__name__)

_EVENT: Final = "SMSStatusReport"
# Guess: by then a network has reported, if it reports at all.
_REPORT_TIME: Final = 24 * 60 * 60.0  # seconds
MAX_MESSAGES: Final = 500
# Guess: where a box reports by event and by PDU, both come within this time.
_TWIN_TIME: Final = 10.0  # seconds
_MAX_RECENT: Final = 100
# Shorter numbers are those of services, and the same only when they're equal.
_SHORTEST_NUMBER: Final = 7  # digits


@dataclass(eq=False)
class ReportedMessage:
    """A message on a span, as far as it is sent and reported."""

    span: int
    number: str = field(repr=False)
    text: str = field(repr=False)
    parts: int
    since: float  # loop's clock
    order_id: str | None = None  # the sender's own
    handed_over: int = 0  # parts that may reach the phone
    reported: int = 0
    failed: int = 0  # of those reported
    is_certain: bool = True  # no report can have been about another message
    has_failed: bool = False
    is_settled: bool = False  # nothing more is reported about it


class DeliveryReports:
    """Passes reports on, with the message that they are about where that's certain.

    A message of several parts is reported once: delivered with its last part, not
    delivered with the first part that fails. Subscribe `receive` with the test `wants`.
    """

    marker: Final = f"Event: {_EVENT}".encode()

    def __init__(self, spans: Spans, on_report: Callable[[StatusReport], None]) -> None:
        """Pass reports on to `on_report`; the `spans` show which ones are genuine."""
        self._spans = spans
        self._on_report = on_report
        self._now = asyncio.get_running_loop().time
        self._messages: list[ReportedMessage] = []  # the oldest first
        # Reports that may come in the other way as well, with when they came.
        self._recent: deque[tuple[float, StatusReport]] = deque(maxlen=_MAX_RECENT)

    # What is sent

    def expect(
        self,
        span: int,
        number: str,
        text: str,
        parts: int,
        order_id: str | None = None,
    ) -> ReportedMessage:
        """Return a message that is about to be sent; tell it when a part goes out."""
        oldest = self._now() - _REPORT_TIME
        self._messages = [each for each in self._messages if each.since > oldest]
        del self._messages[: max(0, len(self._messages) + 1 - MAX_MESSAGES)]
        message = ReportedMessage(span, number, text, parts, self._now(), order_id)
        self._messages.append(message)
        return message

    # What is reported

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet may be a report."""
        return cls.marker in raw

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        channel = packet.get("Channel").strip()
        if packet.event != _EVENT or not re.fullmatch("[0-9]{1,4}", channel):
            return
        span = int(channel)
        # The text of an SMS can forge an event, but its sender doesn't know the IMSI.
        imsi = self._spans[span].lines.get("SIM IMSI") if span in self._spans else ""
        if imsi and packet.get("IMSI").strip() != imsi:
            _LOGGER.debug("Dropped a delivery report without the IMSI of span %s", span)
            return
        cause = packet.get("Cause").strip()[:MAX_VALUE]
        # Guess: a number is the TP-Status that a report in a PDU would have.
        is_status = re.fullmatch("[0-9]{1,3}", cause) and 0x40 <= int(cause) < 0x80
        self.reported(
            StatusReport(
                span=span,
                recipient=packet.get("Sender").strip()[:MAX_VALUE],
                reference=None,
                delivered=packet.get("Status").strip().upper() == "SUCCESS",
                status=int(cause) if is_status else None,
                discharged_at=None,
                arrived_at=datetime.now(UTC),
                cause_text="" if is_status else cause,
            ),
            is_genuine=bool(imsi),
        )

    def reported(self, report: StatusReport, *, is_genuine: bool = True) -> None:
        """Take a report, and pass it on unless more of its message are to come.

        One that may be forged is passed on only where one was expected.
        """
        if report.delivered is None:
            return  # the service centre goes on trying, or doesn't know
        if self._is_known(report):
            return
        candidates = [
            message
            for message in self._messages
            if message.span == report.span
            and message.reported < message.handed_over
            and _is_same(message.number, report.recipient)
        ]
        if not candidates and not is_genuine:
            return
        self._recent.append((self._now(), report))
        if not candidates:
            self._on_report(report)
            return
        # With several it may be about any of them. The oldest is done with first, so
        # that all are once as many reports have come as parts have gone out.
        message = candidates[0]
        message.reported += 1
        message.failed += not report.delivered
        report = replace(report, recipient=message.number)
        if len(candidates) > 1 or not message.is_certain:
            for each in candidates:
                each.is_certain = False
            order_ids = self._settled(report)
            self._on_report(replace(report, order_ids=order_ids))
        elif not message.has_failed:
            message.has_failed = not report.delivered
            if message.has_failed or message.reported == message.parts:
                order_ids = (message.order_id,) if message.order_id else ()
                self._on_report(
                    replace(report, message=message.text, order_ids=order_ids)
                )

    def _settled(self, report: StatusReport) -> tuple[str, ...]:
        """Return the messages whose outcome is certain, though not by which report.

        Once all of them are reported, and all in the same way, it's that of each.
        """
        mixed = [
            message
            for message in self._messages
            if message.span == report.span
            and _is_same(message.number, report.recipient)
            and not (message.is_certain or message.is_settled)
        ]
        if any(each.reported < each.handed_over for each in mixed):
            return ()
        for each in mixed:
            each.is_settled = True
        reported = sum(each.reported for each in mixed)
        if sum(each.failed for each in mixed) not in (0, reported):
            return ()
        return tuple(
            each.order_id
            for each in mixed
            # A message whose sending broke off hasn't reached its phone.
            if each.order_id and each.handed_over == each.parts
        )

    def _is_known(self, report: StatusReport) -> bool:
        """Return whether a report has just come in the other way: as event or PDU."""
        oldest = self._now() - _TWIN_TIME
        for each in self._recent:
            came_at, other = each
            if (
                came_at > oldest
                and other.span == report.span
                and other.delivered == report.delivered
                # Only a PDU has a reference.
                and (other.reference is None) != (report.reference is None)
                and _is_same(other.recipient, report.recipient)
            ):
                self._recent.remove(each)
                return True
        return False


def _is_same(one: str, other: str) -> bool:
    """Return whether two numbers are the same; one may lack the country.

    The number of somebody abroad may end like another one's whole number.
    """
    if one.startswith("+") and other.startswith("+"):
        return one == other
    shorter, longer = sorted(
        (re.sub(r"[^0-9*#]", "", number).lstrip("0") for number in (one, other)),
        key=len,
    )
    return shorter == longer or (
        len(shorter) >= _SHORTEST_NUMBER and longer.endswith(shorter)
    )
