"""A PDU with stand-ins: it still says how the message was built.

Follows 3GPP TS 23.040 (the PDUs) and 3GPP TS 23.038 (the alphabets). What can't be read
becomes zeros.
"""

import re
from typing import Final

from .stand_ins import StandIns

_DIGITS: Final = "0123456789*#abc"
_ALPHANUMERIC: Final = 0b101_0000
# Headers that say how a message is built: parts, ports and alphabets (23.040, 9.2.3.24).
_OPEN_HEADERS: Final = frozenset((0x00, 0x04, 0x05, 0x08, 0x24, 0x25))
_VALIDITY: Final = {0b00: 0, 0b10: 1, 0b01: 7, 0b11: 7}  # octets, of an SMS-SUBMIT


def hide_pdu(hex_pdu: str, stand_ins: StandIns) -> str:
    """Replace the numbers and the text of a PDU in hex digits."""
    try:
        octets = bytearray.fromhex(hex_pdu)
        _hide(octets, stand_ins)
    except ValueError, IndexError:
        return re.sub("[0-9A-Za-z]", "0", hex_pdu)
    hidden = octets.hex()
    return hidden if hex_pdu.islower() else hidden.upper()


def _hide(octets: bytearray, stand_ins: StandIns) -> None:
    end = 1 + octets[0]
    _hide_digits(octets, 2, end, stand_ins)
    first = octets[end]
    match first & 0x03:
        case 0:  # SMS-DELIVER
            after = _hide_address(octets, end + 1, stand_ins)
            _hide_user_data(octets, after + 9, octets[after + 1], first)
        case 1:  # SMS-SUBMIT
            after = _hide_address(octets, end + 2, stand_ins)
            coding = octets[after + 1]
            after += 2 + _VALIDITY[first >> 3 & 0x03]
            _hide_user_data(octets, after, coding, first)
        case 2:  # SMS-STATUS-REPORT
            after = _hide_address(octets, end + 2, stand_ins) + 15
            octets[after:] = bytes(len(octets[after:]))
        case _:
            raise ValueError("A PDU of no known type")


def _hide_address(octets: bytearray, at: int, stand_ins: StandIns) -> int:
    """Replace the address there; return where it ends."""
    length, kind = octets[at], octets[at + 1]
    end = at + 2 + (length + 1) // 2
    if kind & 0x70 == _ALPHANUMERIC:
        octets[at + 2 : end] = _hide_septets(octets[at + 2 : end], length * 4 // 7, 0)
    else:
        _hide_digits(octets, at + 2, end, stand_ins, length)
    return end


def _hide_digits(
    octets: bytearray, begin: int, end: int, stand_ins: StandIns, length: int = 99
) -> None:
    if end > len(octets):
        raise ValueError("A PDU that is cut short")
    nibbles = [n for octet in octets[begin:end] for n in (octet & 15, octet >> 4)]
    text = "".join(_DIGITS[n] for n in nibbles[:length] if n < 15)
    hidden = iter(stand_ins.numbers(text))
    for index, nibble in enumerate(nibbles):
        if index >= length:
            nibbles[index] = 15
        elif nibble < 15:
            nibbles[index] = _DIGITS.index(next(hidden))
    pairs = zip(nibbles[::2], nibbles[1::2], strict=True)
    octets[begin:end] = bytes(low | high << 4 for low, high in pairs)


def _hide_user_data(octets: bytearray, at: int, coding: int, first: int) -> None:
    """Replace the user data, whose length stands at `at`."""
    length, begin = octets[at], at + 1
    header = 0
    if first & 0x40:
        header = 1 + octets[begin]
        _hide_headers(octets, begin + 1, begin + header)
    text = octets[begin + header :]
    group, alphabet = coding >> 4, coding >> 2 & 0x03
    if group == 0b1110 or (group < 0b0100 and alphabet == 2):
        text = _hide_units(text)
    elif group in (0b1100, 0b1101) or (
        (group < 0b0100 and alphabet == 0) or (group == 0b1111 and not alphabet & 1)
    ):
        fill = -header * 8 % 7
        count = min(length - (header * 8 + fill) // 7, (len(text) * 8 - fill) // 7)
        text = _hide_septets(text, count, fill)
    else:
        text = bytearray(b"x" * len(text))
    octets[begin + header :] = text


def _hide_headers(octets: bytearray, at: int, end: int) -> None:
    if end > len(octets):
        raise ValueError("A header that is cut short")
    while at + 1 < end:
        begin, after = at + 2, at + 2 + octets[at + 1]
        if octets[at] not in _OPEN_HEADERS:
            for index in range(begin, min(after, end)):
                octets[index] = 0
        at = after


def _hide_septets(packed: bytearray, count: int, fill: int) -> bytearray:
    """Replace the letters and digits of packed septets (23.038, 6.1.2.1).

    `fill` bits stand before the first one.
    """
    bits = int.from_bytes(packed, "little")
    hidden = bits & ((1 << fill) - 1)
    is_escaped = False
    whole = (8 * len(packed) - fill) // 7  # the PDU may say that there are more
    for index in range(min(count, whole)):
        place = fill + 7 * index
        septet = bits >> place & 0x7F
        hidden |= (0x28 if is_escaped else _hide_septet(septet)) << place
        is_escaped = septet == 0x1B and not is_escaped
    return bytearray(hidden.to_bytes(len(packed), "little"))


def _hide_septet(septet: int) -> int:
    char = chr(septet)
    if char in "\x1b\r\n" or septet == 0:
        return septet
    if char.isdecimal():
        return ord("0")
    if char.isalpha() and char < "\x7f":
        return ord("X" if char.isupper() else "x")
    # The alphabet has letters of other languages among its first and last codes.
    return septet if 0x20 <= septet < 0x40 else 0x05


def _hide_units(units: bytearray) -> bytearray:
    hidden = bytearray()
    for index in range(0, len(units) - 1, 2):
        unit = _hide_unit(int.from_bytes(units[index : index + 2]))
        hidden += unit.to_bytes(2)
    return hidden + bytes(len(units) % 2)


def _hide_unit(unit: int) -> int:
    char = chr(unit)
    if unit == 0xFEFF or (unit < 0x80 and not char.isalnum()):
        return unit
    if unit < 0x80:
        return ord("0" if char.isdecimal() else "X" if char.isupper() else "x")
    if 0xD800 <= unit < 0xE000:
        return 0xD83D if unit < 0xDC00 else 0xDE00
    return ord("ä") if unit < 0x800 else ord("中")
