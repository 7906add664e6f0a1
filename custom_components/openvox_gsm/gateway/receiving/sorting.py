"""Sorts what has come in: texts for people, status reports, and what is for machines."""

from collections import Counter
from collections.abc import Callable, Sequence
import logging

from custom_components.openvox_gsm.gateway.model import StatusReport

from .assembly import ReceivedPart
from .message import Message, Pdu, read_part
from .pdu import DeliverPdu, Purpose

_LOGGER = logging.getLogger(__name__)


class Sorter:
    """Hands on each genuine SMS to whom it is for."""

    def __init__(
        self,
        on_part: Callable[[ReceivedPart], None],
        on_report: Callable[[StatusReport], None],
        seen: Counter[str],
    ) -> None:
        """Call `on_part` with each text, `on_report` with each status report.

        What comes by is counted in `seen`.
        """
        self._on_part = on_part
        self._on_report = on_report
        self._seen = seen

    def take(self, message: Message, pdus: Sequence[Pdu]) -> None:
        """Hand on what the PDUs of a message hold."""
        self._seen["with PDU"] += 1
        if len(pdus) > 1:
            self._seen["several PDUs at once"] += 1
        for pdu in pdus:
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

    def take_rendering(self, part: ReceivedPart) -> None:
        """Hand on a message of which the gateway gave no PDU."""
        self._seen["without PDU"] += 1
        self._on_part(part)
