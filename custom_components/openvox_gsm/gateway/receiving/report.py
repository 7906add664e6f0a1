"""The SMS-STATUS-REPORT: what became of a message that was sent (3GPP TS 23.040)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .pdu import Octets, PduError, read_sender

_TYPE_MASK: Final = 0x03
_TYPE_STATUS_REPORT: Final = 0x02
# TP-Status (23.040, 9.2.3.15): the phone has it, and where the service centre has given
# up. Others aren't final, or don't say whether the phone has it.
_DELIVERED: Final = 0x00
_GIVEN_UP: Final = range(0x40, 0x80)


@dataclass(frozen=True)
class ReportPdu:
    """A status report as its PDU gives it; see `StatusReport`.

    `as_sender` is the sender that the driver gives, which reads the report as if it
    were an SMS; None where that isn't known.
    """

    recipient: str = field(repr=False)
    reference: int
    status: int
    discharged_at: datetime | None
    as_sender: str | None = field(repr=False)

    @property
    def delivered(self) -> bool | None:
        """Whether the phone has the message; None where that isn't final or known."""
        if self.status == _DELIVERED:
            return True
        return False if self.status in _GIVEN_UP else None


def decode_report(hex_pdu: str) -> ReportPdu:
    """Decode an SMS-STATUS-REPORT PDU with the service centre's address in front.

    Raises PduError for what isn't hex, is cut short, or is another kind of PDU.
    """
    octets = Octets(hex_pdu)
    (first,) = octets.take(1)
    if first & _TYPE_MASK != _TYPE_STATUS_REPORT:
        raise PduError("Not an SMS-STATUS-REPORT")
    (reference,) = octets.take(1)
    recipient = octets.take_address()
    octets.take_time()  # when the service centre got the message
    discharged_at = octets.take_time()
    (status,) = octets.take(1)
    return ReportPdu(recipient, reference, status, discharged_at, read_sender(hex_pdu))
