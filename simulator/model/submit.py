"""What the driver makes of an SMS that goes out (gateway-protocol, part 4).

Which alphabet and octets it makes of the text of a command, the SMS-SUBMIT around them, and
what the phone then shows: chan_extra 2.0.8, as recorded and tried.
"""

from dataclasses import dataclass

from .deliver import (
    ESCAPE,
    service_center_octets,
    swapped,
    text_of_septets,
    unpack_septets,
)
from .driver_alphabet import DRIVER_ALPHABET, DRIVER_EXTENSION

MAX_SEPTETS, MAX_UNITS = 160, 70
"""What one SMS holds: septets, or UTF-16 units."""
MAX_PART_SEPTETS, MAX_PART_UNITS = 152, 67
"""What one part of a long SMS holds: the driver writes a 16-bit reference in 7-bit parts."""
OVERRUN_SEPTETS, OVERRUN_UNITS = 289, 126
"""From here on the driver overruns its own buffer."""

_SUBMIT, _HEADER = 0x31, 0x40
"""SMS-SUBMIT with a validity and a request for a status report; with a header."""
_UCS2, _CLASS_0 = 0x08, 0x10
"""Data coding schemes (3GPP 23.038)."""
_HEADER_SEPTETS, _HEADER_OCTETS = 8, 6
"""How long the headers of parts are, in the unit of the part's length."""

_TO_SEPTETS_EXTENSION = {ord(char): septet for septet, char in DRIVER_EXTENSION.items()}


_DRIVER_SEPTETS = {
    byte: septet
    for septet, byte in reversed(list(enumerate(DRIVER_ALPHABET)))
    if byte < 0x80
}


@dataclass(frozen=True)
class Part:
    """Which part of a long message an SMS is; ``flag`` joins the parts, from 0 to 255."""

    flag: int
    count: int
    sequence: int


@dataclass(frozen=True)
class OutgoingText:
    """A text as it leaves the span.

    ``alphabet`` is ``gsm7`` or ``ucs2``, ``units`` its length in septets or UTF-16 units,
    ``shown`` what the phone shows, ``octets`` how it goes over the air.
    """

    alphabet: str
    units: int
    shown: str
    octets: bytes = b""

    @property
    def overruns(self) -> bool:
        """Say whether the driver overruns its buffer."""
        return self.units >= (
            OVERRUN_SEPTETS if self.alphabet == "gsm7" else OVERRUN_UNITS
        )

    def fits(self, part: bool) -> bool:
        """Say whether it fits into one SMS, or into one part of a long one."""
        if self.alphabet == "gsm7":
            return self.units <= (MAX_PART_SEPTETS if part else MAX_SEPTETS)
        return self.units <= (MAX_PART_UNITS if part else MAX_UNITS)


def outgoing(text: bytes, coding: str) -> OutgoingText:
    """Encode a text as the driver does, and read it as the phone does.

    With the coding ``utf-8`` pure ASCII goes as 7-bit and anything else as UCS-2; with
    ``ascii`` all goes as 7-bit, and bytes beyond ASCII damage it.
    """
    if coding.lower() != "ascii" and not text.isascii():
        units = _driver_utf8(text)
        octets = b"".join(unit.to_bytes(2) for unit in units)
        shown = octets.decode("utf-16-be", "replace")
        return OutgoingText("ucs2", len(units), shown, octets)
    values = [value for byte in text for value in _driver_septets(byte)]
    packed = _driver_pack(values)
    shown = text_of_septets(unpack_septets(packed, len(values)))
    return OutgoingText("gsm7", len(values), shown, packed[: -(-len(values) * 7 // 8)])


def _driver_septets(byte: int) -> list[int]:
    """Give the septets of a byte; one the driver does not know stays as it is.

    So a back-quote (0x60) arrives as "¿" and a tab (0x09) as "Ç".
    """
    if byte in _TO_SEPTETS_EXTENSION:
        return [ESCAPE, _TO_SEPTETS_EXTENSION[byte]]
    return [_DRIVER_SEPTETS.get(byte, byte)]


def _driver_pack(values: list[int]) -> bytes:
    """Pack as the driver does: the eighth bit of a value damages its neighbour."""
    packed = 0
    for place, value in enumerate(values):
        packed |= value << (7 * place)
    return packed.to_bytes(len(values) + 1, "little")


def _driver_utf8(text: bytes) -> list[int]:
    """Decode UTF-8 to UTF-16 units as the driver does.

    It knows sequences of up to three bytes: surrogates given as three bytes each (CESU-8)
    get through, a four-byte sequence is mangled and swallows the byte behind it.
    """
    units = []
    at = 0

    def low_bits(offset: int) -> int:
        return text[at + offset] & 0x3F if at + offset < len(text) else 0

    while at < len(text):
        lead = text[at]
        if lead <= 0x7F:
            units.append(lead)
            at += 1
        elif lead <= 0xDF:
            units.append((lead & 0x1F) << 6 | low_bits(1))
            at += 2
        else:
            units.append((lead & 0x0F) << 12 | low_bits(1) << 6 | low_bits(2))
            at += 3
    return units


def submit_pdu(
    number: str, text: OutgoingText, part: Part | None, flash: bool, service_center: str
) -> str:
    """Write the SMS-SUBMIT (hex) that the driver gives to the module.

    Guess: the coding of a flash SMS, which chan_extra 2.0.8 cannot send.
    """
    kind, digits = _destination(number)
    coding = (_UCS2 if text.alphabet == "ucs2" else 0) | (_CLASS_0 if flash else 0)
    length = len(text.octets) if text.alphabet == "ucs2" else text.units
    header = b""
    if part and text.alphabet == "ucs2":
        header = bytes((5, 0x00, 3, part.flag, part.count & 0xFF, part.sequence & 0xFF))
        length += _HEADER_OCTETS
    elif part:
        header = bytes(
            (6, 0x08, 4, 0, part.flag, part.count & 0xFF, part.sequence & 0xFF)
        )
        length += _HEADER_SEPTETS
    first = _SUBMIT | (_HEADER if part else 0)
    return (
        f"{service_center_octets(service_center)}{first:02X}00"
        f"{len(digits):02X}{kind:02X}{swapped(digits)}00{coding:02X}00{length & 0xFF:02X}"
        f"{header.hex().upper()}{text.octets.hex().upper()}"
    )


def submit_length(pdu: str) -> int:
    """Give the length that ``AT+CMGS`` announces: octets without the service centre."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


def _destination(number: str) -> tuple[int, str]:
    """Give the type and the digits of a destination; a plus makes it international."""
    digits = number.removeprefix("+")
    return (0x91 if digits != number else 0x81), digits
