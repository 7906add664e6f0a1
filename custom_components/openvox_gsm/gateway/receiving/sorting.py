"""Sorts what has come in: texts for people, status reports, what's for machines or lost."""

from collections import Counter
from collections.abc import Callable, Sequence
import logging
from typing import Final

from custom_components.openvox_gsm.gateway.model import StatusReport
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer
from custom_components.openvox_gsm.gateway.warner import Warner

from .message import Message, Pdu, UnreadablePdu, imitates_packet, read_part
from .pdu import DeliverPdu, Purpose
from .received_part import ReceivedPart
from .report import ReportPdu

_LOGGER = logging.getLogger(__name__)

# 3GPP TS 23.040, 9.1.2.5. A driver that reads a status report as an SMS takes what
# follows for digits as well (recorded).
_MOST_DIGITS: Final = 20
_ONE_TEXT: Final = 2.0  # seconds in which all forgeries count as those of one text


class Sorter:
    """Hands on each genuine SMS to whom it is for."""

    def __init__(
        self,
        on_part: Callable[[ReceivedPart], None],
        on_report: Callable[[StatusReport], None],
        seen: Counter[str],
        call_later: CallLater,
    ) -> None:
        """Call `on_part` with each text, `on_report` with each status report.

        What comes by is counted in `seen`. `call_later` is for time limits.
        """
        self._on_part = on_part
        self._on_report = on_report
        self._seen = seen
        self._call_later = call_later
        self._warner = Warner(_LOGGER)
        self._warned: Timer | None = None  # about a forgery, a moment ago

    def stop(self) -> None:
        """End all timers, and warn of what was left out."""
        if self._warned:
            self._warned.cancel()
        self._warner.flush()

    def sort(
        self,
        message: Message,
        pdus: Sequence[Pdu],
        part: ReceivedPart | None,
        *,
        marker: str,
        requires_pdu: bool,
    ) -> None:
        """Hand on what a message holds, and warn of what can't be read.

        `part` is what the gateway itself gives of a message whose first PDU can't be
        read, or that has none; with `requires_pdu` it's dropped. `marker` is part of
        every text that imitates an SMS.
        """
        shown = [pdu.text for pdu in pdus if isinstance(pdu, DeliverPdu)]
        if part:
            shown.append(part.text)
        if any(imitates_packet(text, marker) for text in shown):
            self.warn_of_forgery(message.span)
        if part and requires_pdu:
            self._drop_without_pdu(message.span)
        elif part and sum(map(str.isdecimal, part.sender)) > _MOST_DIGITS:
            self._drop_misread_report(message.span)
        elif part:
            self._seen["without PDU"] += 1
            self._on_part(part)
        readable = [pdu for pdu in pdus if not isinstance(pdu, UnreadablePdu)]
        if readable:
            self._seen["with PDU"] += 1
        if len(readable) > 1:
            self._seen["several PDUs at once"] += 1
        for pdu in readable:
            self._take(message, pdu)
        for _ in range(max(1, len(pdus)) - len(readable) - bool(part)):
            self.drop_unreadable(message.span)

    def _take(self, message: Message, pdu: DeliverPdu | ReportPdu) -> None:
        if not isinstance(pdu, DeliverPdu):
            self._seen["status report"] += 1
            self._on_report(
                StatusReport(
                    span=message.span,
                    recipient=pdu.recipient,
                    reference=pdu.reference,
                    delivered=pdu.delivered,
                    status=pdu.status,
                    discharged_at=pdu.discharged_at,
                    arrived_at=message.arrived_at,
                )
            )
        elif pdu.purpose is Purpose.TEXT:
            self._on_part(read_part(message, pdu))
        else:
            self._seen[f"no text: {pdu.purpose}"] += 1
            _LOGGER.debug(
                "Span %s: ignored a message that is no text for a person (%s)",
                message.span,
                pdu.purpose,
            )

    def warn_of_forgery(self, span: int) -> None:
        """Warn of a hostile text, once for everything that comes of it."""
        if self._warned:
            return
        self._warned = self._call_later(_ONE_TEXT, self._allow_warning)
        self._warner.warn(
            "Span %s: the text of an SMS imitates the gateway's own events; it counts "
            "as text, and the events are ignored",
            span,
        )

    def _allow_warning(self) -> None:
        self._warned = None

    # What can't be handed on; nothing is dropped silently

    def _drop_misread_report(self, span: int) -> None:
        """Drop what only its PDU would tell from an SMS, which hasn't come."""
        self._seen["status report without PDU"] += 1
        self._warner.warn(
            "Span %s: dropped a delivery report that came without its PDU; what it says "
            "is lost",
            span,
        )

    def drop_forged(self, span: int) -> None:
        """Drop a message that another one's text may have forged."""
        self._seen["forged"] += 1
        # Not together with the other warnings: it may be an honest message.
        self._warner.warn(
            "Span %s: dropped a message that the text of another SMS seems to have "
            "forged",
            span,
        )

    def drop_unreadable(self, span: int) -> None:
        """Drop a message of which not even the text is known."""
        self._seen["unreadable"] += 1
        self._warner.warn(
            "Span %s: the gateway gave too little of an incoming SMS to read it", span
        )

    def _drop_without_pdu(self, span: int) -> None:
        """Drop a message without its PDU, as one is required."""
        self._seen["dropped without PDU"] += 1
        self._warner.warn(
            "Span %s: dropped an SMS that came without its PDU, as the gateway's "
            "options require one",
            span,
        )
