"""What the driver makes of short messages, in both directions.

In: what of an SMS-DELIVER it hands to the dialplan, which loses much (gateway-protocol,
part 6). Out: which alphabet and octets it makes of the text of a command, and what the
phone then shows (part 4). All of it is chan_extra 2.0.8 with libgsmat, whose SMS code was
compiled and tried; later firmware is not known to differ.
"""

from dataclasses import dataclass

from simulator.wire import atoi, to_wire

from .deliver import (
    ESCAPE,
    GSM_ALPHABET,
    GSM_EXTENSION,
    text_of_septets,
    unpack_septets,
)

MAX_SEPTETS, MAX_UNITS = 160, 70
"""What one SMS holds: septets, or UTF-16 units."""
MAX_PART_SEPTETS, MAX_PART_UNITS = 152, 67
"""What one part of a long SMS holds: the driver writes a 16-bit reference in 7-bit parts."""
OVERRUN_SEPTETS, OVERRUN_UNITS = 289, 126
"""From here on the driver overruns its own buffer."""

_UNKNOWN = 0xFF
_DRIVER_EXTENSION = {
    septet: char for septet, char in GSM_EXTENSION.items() if char != "€"
}
"""The driver knows the extension table without the euro sign."""
_TO_SEPTETS_EXTENSION = {
    ord(char): septet for septet, char in _DRIVER_EXTENSION.items()
}


def _driver_alphabet() -> list[int]:
    """Give the byte the driver makes of each septet: Latin-1 with holes and two errors."""
    table = [ord(char) if ord(char) < 0x100 else _UNKNOWN for char in GSM_ALPHABET]
    table[ESCAPE] = _UNKNOWN
    table[GSM_ALPHABET.index("é")] = 0xDF
    table[GSM_ALPHABET.index("Ö")] = 0xCC
    return table


_DRIVER_ALPHABET = _driver_alphabet()
_DRIVER_SEPTETS = {
    byte: septet
    for septet, byte in reversed(list(enumerate(_DRIVER_ALPHABET)))
    if byte < 0x80
}


# ---- in ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class DriverReading:
    """What the driver puts into the channel variables of an SMS, as bytes of the wire."""

    sender: str
    text: str
    time: str
    zone: str


def driver_reading(pdu: str, coding: str) -> DriverReading:
    """Read an SMS-DELIVER (hex) as the driver does, with all it loses.

    ``coding`` is the span's ``utf-8`` or ``ascii``.
    """
    center_octets = int(pdu[:2], 16)
    at = 2 + center_octets * 2
    first_octet = int(pdu[at : at + 2], 16)
    address_digits = int(pdu[at + 2 : at + 4], 16)
    address_end = at + 6 + address_digits + address_digits % 2
    kind, address = int(pdu[at + 4 : at + 6], 16), pdu[at + 6 : address_end]
    coding_scheme = int(pdu[address_end + 2 : address_end + 4], 16)
    stamp = _unswapped(pdu[address_end + 4 : address_end + 18])
    length = int(pdu[address_end + 18 : address_end + 20], 16)
    data = bytes.fromhex(pdu[address_end + 20 :])
    header_octets = data[0] + 1 if first_octet & 0x40 else 0
    if coding_scheme == 0x08:
        text = _ucs2_text(data[header_octets:length], coding)
    else:
        text = _gsm7_text(data, length, header_octets)
    return DriverReading(
        # Without a service centre the driver forgets the sender.
        sender=_sender(kind, address) if center_octets else "",
        text=text,
        time="20{}/{}/{} {}:{}:{}".format(*(stamp[i : i + 2] for i in range(0, 12, 2))),
        zone=_zone(stamp[12:14]),
    )


def _unswapped(semi_octets: str) -> str:
    """Swap pairs back; an F ends the number."""
    digits = "".join(
        semi_octets[at + 1] + semi_octets[at] for at in range(0, len(semi_octets), 2)
    )
    return digits.removesuffix("F")


def _sender(kind: int, address: str) -> str:
    if kind & 0x70 == 0x50:
        octets = bytes.fromhex(address)
        # The count comes from the octets, so 7 letters (49 bits in 7 octets) read as 8.
        return _driver_text(unpack_septets(octets, len(octets) * 8 // 7))
    return ("+" if kind == 0x91 else "") + _unswapped(address)


def _zone(quarters: str) -> str:
    """Give the zone: the sign bit is not understood, half hours are cut."""
    number = atoi(quarters)
    return f"GMT+{number // 4}"


def _gsm7_text(data: bytes, length: int, header_octets: int) -> str:
    if not header_octets:
        return _driver_text(unpack_septets(data, length))
    # Fill bits are counted as 7 where there are none, so behind the 7 octets of a 16-bit
    # reference a whole character is lost; and the count comes from the octets, so a part
    # whose last octet has 7 bits left ends in a stray "@".
    bits = header_octets * 8
    fill_bits = 7 - bits % 7
    count = (len(data) * 8 - bits - fill_bits) // 7
    return _driver_text(unpack_septets(data[header_octets:], count, fill_bits))


def _driver_text(septets: list[int]) -> str:
    text = ""
    at = 0
    while at < len(septets):
        following = septets[at + 1] if at + 1 < len(septets) else -1
        if septets[at] == ESCAPE and following in _DRIVER_EXTENSION:
            text += _DRIVER_EXTENSION[following]
            at += 2
        else:
            text += chr(_DRIVER_ALPHABET[septets[at]])
            at += 1
    return text


def _ucs2_text(octets: bytes, coding: str) -> str:
    """Convert as the driver's iconv does: behind a byte order mark, up to the first emoji."""
    if coding.lower() == "ascii":
        return ""  # The byte order mark in front is not ASCII, so nothing gets through.
    text = octets.decode("utf-16-be", "surrogatepass")
    # A NUL ends a C string; characters beyond the basic plane end the conversion.
    ends = (at for at, char in enumerate(text) if char == "\0" or char > "\uffff")
    lone = (at for at, char in enumerate(text) if "\ud800" <= char <= "\udfff")
    end = min([*ends, *lone], default=len(text))
    return to_wire("\ufeff" + text[:end])


def driver_escape(text: str) -> str:
    r"""Put three extra backslashes before ``"``, ``\`` and the back-quote (chan_extra 2.0.8)."""
    return "".join("\\\\\\" + char if char in '"\\`' else char for char in text)


# ---- out ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class OutgoingText:
    """A text as it leaves the span.

    ``alphabet`` is ``gsm7`` or ``ucs2``, ``units`` its length in septets or UTF-16 units,
    ``shown`` what the phone shows.
    """

    alphabet: str
    units: int
    shown: str

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
    ``ascii`` all goes as 7-bit, and bytes beyond ASCII spoil it.
    """
    if coding.lower() != "ascii" and not text.isascii():
        units = _driver_utf8(text)
        octets = b"".join(unit.to_bytes(2) for unit in units)
        shown = octets.decode("utf-16-be", "replace")
        return OutgoingText("ucs2", len(units), shown)
    values = [value for byte in text for value in _driver_septets(byte)]
    packed = _driver_pack(values)
    return OutgoingText(
        "gsm7", len(values), text_of_septets(unpack_septets(packed, len(values)))
    )


def _driver_septets(byte: int) -> list[int]:
    """Give the septets of a byte; one the driver does not know stays as it is.

    So a back-quote (0x60) arrives as "¿" and a tab (0x09) as "Ç".
    """
    if byte in _TO_SEPTETS_EXTENSION:
        return [ESCAPE, _TO_SEPTETS_EXTENSION[byte]]
    return [_DRIVER_SEPTETS.get(byte, byte)]


def _driver_pack(values: list[int]) -> bytes:
    """Pack as the driver does: the eighth bit of a value spoils its neighbour."""
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
