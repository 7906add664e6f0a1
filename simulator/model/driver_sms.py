"""What the driver makes of an SMS that comes in (gateway-protocol, part 6).

It hands channel variables to the dialplan, which lose much. All of it is chan_extra 2.0.8
with libgsmat, as recorded; boxes of today are not known to differ.
"""

from dataclasses import dataclass
import re

from simulator.wire import atoi, to_wire

from .deliver import ESCAPE, unpack_septets
from .driver_alphabet import DRIVER_ALPHABET, DRIVER_EXTENSION


@dataclass(frozen=True)
class DriverReading:
    """What the driver puts into the channel variables of an SMS, as bytes of the wire."""

    sender: str
    text: str
    time: str
    zone: str


def driver_reading(pdu: str, coding: str) -> DriverReading:
    """Read a PDU (hex) as the driver does: as an SMS-DELIVER, with all it loses.

    ``coding`` is the span's ``utf-8`` or ``ascii``. What a cut PDU lacks is empty.
    """
    octets = _Octets(pdu)
    center_octets = octets.number()
    octets.take(center_octets)
    has_header = octets.number() & 0x40
    address_digits = octets.number()
    kind, address = 0, ""
    if address_digits:
        kind, address = octets.number(), octets.take((address_digits + 1) // 2)
    octets.take(1)  # the protocol identifier
    coding_scheme = octets.number()
    stamp = _unswapped(octets.take(7))
    length = octets.number()
    data = bytes.fromhex(octets.take(len(pdu)))
    header_octets = data[0] + 1 if has_header and data else 0
    if not length:
        text = ""
    elif coding_scheme & 0x08:
        units = data.ljust(length, b"\0")[header_octets:length]
        text = _ucs2_text(units, coding)
    else:
        text = _gsm7_text(data, length, header_octets)
    return DriverReading(
        # Without a service centre the driver forgets the sender.
        sender=_sender(kind, address) if center_octets else "",
        text=text,
        time="20{}/{}/{} {}:{}:{}".format(*(stamp[i : i + 2] for i in range(0, 12, 2))),
        zone=_zone(stamp[12:14]),
    )


class _Octets:
    """Takes octets from a PDU in hex; what is no hex is taken for nothing."""

    def __init__(self, pdu: str) -> None:
        hexadecimal = re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", pdu)
        self._rest = pdu.upper() if hexadecimal else ""

    def take(self, count: int) -> str:
        """Give the next octets in hex, fewer where the PDU ends."""
        taken, self._rest = self._rest[: 2 * count], self._rest[2 * count :]
        return taken

    def number(self) -> int:
        """Give the next octet as a number, 0 where the PDU has ended."""
        return int(self.take(1) or "0", 16)


def _unswapped(semi_octets: str) -> str:
    """Swap pairs back; an F ends the number."""
    pairs = (semi_octets[at : at + 2] for at in range(0, len(semi_octets), 2))
    return "".join(pair[::-1] for pair in pairs).partition("F")[0]


def _sender(kind: int, address: str) -> str:
    if kind & 0x70 == 0x50:
        # The driver's octets are a C string. The count comes from them, so 7 letters
        # (49 bits in 7 octets) read as 8.
        octets = bytes.fromhex(address).partition(b"\0")[0]
        return _driver_text(unpack_septets(octets, len(octets) * 8 // 7))
    return ("+" if kind == 0x91 else "") + _unswapped(address)


def _zone(quarters: str) -> str:
    """Give the zone: the sign bit is not understood, half hours are cut."""
    number = atoi(quarters)
    return f"GMT+{number // 4}"


def _gsm7_text(data: bytes, length: int, header_octets: int) -> str:
    """Read septets behind a header, as many characters as the length says at most."""
    bits = header_octets * 8
    # Fill bits are counted as 7 where there are none, so behind the 7 octets of a 16-bit
    # reference a whole character is lost.
    fill_bits = 7 - bits % 7 if header_octets else 0
    # The count comes from the octets, so a part whose last octet has 7 bits left ends in a
    # stray "@": its length counts septets, but the header is taken off in octets.
    count = max(0, (len(data) * 8 - bits - fill_bits) // 7)
    septets = unpack_septets(data[header_octets:], count, fill_bits)
    return _driver_text(septets)[: max(0, length - header_octets)]


def _driver_text(septets: list[int]) -> str:
    text = ""
    at = 0
    while at < len(septets):
        following = septets[at + 1] if at + 1 < len(septets) else -1
        if septets[at] == ESCAPE and following in DRIVER_EXTENSION:
            text += DRIVER_EXTENSION[following]
            at += 2
        else:
            text += chr(DRIVER_ALPHABET[septets[at]])
            at += 1
    return text


def _ucs2_text(octets: bytes, coding: str) -> str:
    """Convert as the driver's iconv does: UTF-8 behind a byte order mark.

    It gives up at half a character and at a surrogate, so at an emoji as well; then the
    driver takes as many bytes of the output as the input had.
    """
    if coding.lower() == "ascii":
        return ""  # The byte order mark in front is not ASCII, so nothing gets through.
    text = "\ufeff"
    for at in range(0, len(octets) - 1, 2):
        char = chr(int.from_bytes(octets[at : at + 2]))
        if "\ud800" <= char <= "\udfff":
            failed = True
            break
        text += char
    else:
        failed = len(octets) % 2 == 1
    wire = to_wire(text)
    return (wire[: len(octets)] if failed else wire).partition("\0")[0]


def driver_escape(text: str) -> str:
    r"""Put three extra backslashes before ``"``, ``\`` and the back-quote (chan_extra 2.0.8)."""
    return "".join("\\\\\\" + char if char in '"\\`' else char for char in text)
