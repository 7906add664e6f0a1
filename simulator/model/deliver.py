"""SMS-DELIVER and status report, as they come from the network (3GPP 23.040, 23.038).

This side knows nothing of the driver: it makes what the network would deliver. What the
driver reads from it is in `driver_sms`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
import re

GSM_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet; the place of a character is its septet (3GPP 23.038)."""

GSM_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""The extension table, reached by an escape septet (3GPP 23.038)."""

ESCAPE = 0x1B
MAX_SENDER_LETTERS = 11
"""TP-Originating-Address holds 10 octets, that is 11 septets (3GPP 23.040)."""

_TO_SEPTETS = {
    char: (septet,) for septet, char in enumerate(GSM_ALPHABET) if septet != ESCAPE
} | {char: (ESCAPE, septet) for septet, char in GSM_EXTENSION.items()}
_DCS_UCS2 = 0x08
_UDHI = 0x40
_DELIVER = 0x04
"""SMS-DELIVER, no more messages waiting: the first octet of all samples."""
_STATUS_REPORT, _NOT_DELIVERED = 0x06, 0x46
"""SMS-STATUS-REPORT, and its status for a validity that is over (3GPP 23.040)."""


def septets_of(text: str) -> list[list[int]] | None:
    """Give the septets of each character, or None if the text does not fit the GSM alphabet."""
    if any(char not in _TO_SEPTETS for char in text):
        return None
    return [list(_TO_SEPTETS[char]) for char in text]


def text_of_septets(septets: Sequence[int]) -> str:
    """Read septets as a phone does: with the extension table, an unknown escape as its letter."""
    text = ""
    escaped = False
    for septet in septets:
        if escaped:
            text += GSM_EXTENSION.get(septet, GSM_ALPHABET[septet])
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text += GSM_ALPHABET[septet]
    return text


def pack_septets(septets: Iterable[int], fill_bits: int = 0) -> bytes:
    """Pack septets into octets, the first one after some fill bits (0 to 6) of zero."""
    value, bits = 0, fill_bits
    for septet in septets:
        value |= septet << bits
        bits += 7
    return value.to_bytes((bits + 7) // 8, "little")


def unpack_septets(octets: bytes, count: int, skip_bits: int = 0) -> list[int]:
    """Read a number of septets from octets, after some bits that are skipped."""
    value = int.from_bytes(octets, "little") >> skip_bits
    return [value >> (7 * place) & 0x7F for place in range(count)]


@dataclass(frozen=True)
class SmsPart:
    """One SMS-DELIVER of a message; ``sequence`` counts from 1."""

    pdu: str
    sequence: int
    count: int


def deliver(
    sender: str,
    text: str,
    when: datetime,
    zone_hours: float,
    service_center: str,
    *,
    reference: int = 0,
    wide_reference: bool = False,
) -> list[SmsPart]:
    """Make the SMS-DELIVER PDUs, in hex, of a message.

    ``when`` is the local time of the service centre and ``zone_hours`` its zone, in hours
    east of Greenwich, in steps of a quarter. ``service_center`` may be empty. ``reference``
    joins the parts of a long message, in 16 bits if ``wide_reference``.
    """
    header_octets = 7 if wide_reference else 6
    bodies, dcs = _bodies(text, header_octets)
    head = service_center_octets(service_center)
    stamp = f"{_timestamp(when, zone_hours)}"
    parts = []
    for sequence, body in enumerate(bodies, 1):
        first = _DELIVER | (_UDHI if len(bodies) > 1 else 0)
        header = b""
        if len(bodies) > 1:
            header = _concatenation(reference, wide_reference, len(bodies), sequence)
        user_data = _user_data(body, header)
        pdu = f"{head}{first:02X}{_address(sender)}00{dcs:02X}{stamp}{user_data}"
        parts.append(SmsPart(pdu, sequence, len(bodies)))
    return parts


def status_report(
    number: str,
    when: datetime,
    zone_hours: float,
    service_center: str,
    *,
    reference: int = 0,
    delivered: bool = True,
) -> str:
    """Make the SMS-STATUS-REPORT PDU, in hex, of an SMS that went to a number.

    ``when`` is the local time of the service centre at which the SMS was delivered, or was
    given up.
    """
    stamp = _timestamp(when, zone_hours)
    head = f"{service_center_octets(service_center)}{_STATUS_REPORT:02X}{reference:02X}"
    status = 0x00 if delivered else _NOT_DELIVERED
    return f"{head}{_address(number)}{stamp}{stamp}{status:02X}"


type _Body = list[int] | bytes
"""Septets, or octets of UCS-2."""


def _bodies(text: str, header_octets: int) -> tuple[Sequence[_Body], int]:
    """Choose the alphabet and split; an escape pair or a surrogate pair is never split."""
    septets = septets_of(text)
    if septets is not None:
        header_septets = -(-header_octets * 8 // 7)
        groups = _split(septets, whole=160, part=160 - header_septets)
        return [[septet for char in group for septet in char] for group in groups], 0
    octets = [list(char.encode("utf-16-be", "surrogatepass")) for char in text]
    groups = _split(octets, whole=140, part=140 - header_octets)
    return [
        bytes(octet for char in group for octet in char) for group in groups
    ], _DCS_UCS2


def _split(chars: list[list[int]], whole: int, part: int) -> list[list[list[int]]]:
    if sum(map(len, chars)) <= whole:
        return [chars]
    groups: list[list[list[int]]] = [[]]
    room = part
    for char in chars:
        if len(char) > room:
            groups.append([])
            room = part
        groups[-1].append(char)
        room -= len(char)
    return groups


def _concatenation(reference: int, wide: bool, count: int, sequence: int) -> bytes:
    """Build the user data header: IEI 0x00 (8-bit) or 0x08 (16-bit reference)."""
    if wide:
        return bytes(
            (6, 0x08, 4, reference >> 8 & 0xFF, reference & 0xFF, count, sequence)
        )
    return bytes((5, 0x00, 3, reference & 0xFF, count, sequence))


def _user_data(body: _Body, header: bytes) -> str:
    """Give length and data: the length counts septets or octets, the header's included."""
    if isinstance(body, bytes):
        octets = header + body
        return f"{len(octets):02X}{octets.hex().upper()}"
    fill_bits = -len(header) * 8 % 7
    length = (len(header) * 8 + fill_bits) // 7 + len(body)
    octets = header + pack_septets(body, fill_bits)
    return f"{length:02X}{octets.hex().upper()}"


def swapped(digits: str) -> str:
    """Give semi-octets: pairs of digits swapped, an odd one filled up with F."""
    if len(digits) % 2:
        digits += "F"
    return "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))


def service_center_octets(number: str) -> str:
    """Give length, type and number of a service centre; none is a length of 0."""
    if not number:
        return "00"
    kind, digits = (0x91, number[1:]) if number.startswith("+") else (0x81, number)
    semi_octets = swapped(digits)
    return f"{len(semi_octets) // 2 + 1:02X}{kind:02X}{semi_octets}"


def _address(sender: str) -> str:
    """Give length in semi-octets, type and value; letters make an alphanumeric address."""
    if re.fullmatch(r"\+?[0-9]+", sender):
        kind, digits = (0x91, sender[1:]) if sender.startswith("+") else (0x81, sender)
        return f"{len(digits):02X}{kind:02X}{swapped(digits)}"
    chars = septets_of(sender)
    septets = [septet for char in chars or [] for septet in char]
    if not septets or len(septets) > MAX_SENDER_LETTERS:
        raise ValueError(f"A sender is a number or 1 to 11 GSM letters, not {sender!r}")
    semi_octets = -(-len(septets) * 7 // 4)
    return f"{semi_octets:02X}D0{pack_septets(septets).hex().upper()}"


def _timestamp(when: datetime, zone_hours: float) -> str:
    """Give TP-SCTS: date and time in swapped pairs, zone in quarters with a sign bit."""
    quarters = round(abs(zone_hours) * 4)
    tens = quarters // 10 | (0x8 if zone_hours < 0 else 0)
    return f"{swapped(when.strftime('%y%m%d%H%M%S'))}{quarters % 10:X}{tens:X}"
