"""The SMS-DELIVER PDU: the only faithful form of an incoming SMS.

Follows 3GPP TS 23.040 (the PDU) and 3GPP TS 23.038 (the alphabets).
"""

from binascii import a2b_hex
from codecs import BOM_UTF8, BOM_UTF16_BE
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

_TYPE_MASK = 0x03
_TYPE_DELIVER = 0x00
_HAS_HEADER = 0x40

_NUMBER_INTERNATIONAL = 0b001
_NUMBER_ALPHANUMERIC = 0b101
# Protocol identifiers (23.040, 9.2.3.9): to be acknowledged and discarded, and data for
# the module or the SIM.
_TYPE_0 = 0x40
_DATA_DOWNLOADS = range(0x7C, 0x80)
# Elements of a header (23.040, 9.2.3.24): a waiting indication, application ports, and
# what the SIM reads.
_IEI_WAITING = 0x01
_IEI_PORTS = (0x04, 0x05)
_IEI_SIM = range(0x70, 0x80)
_MAX_PDU = 255  # octets; more than any network delivers
# Bits of a data coding scheme: other groups, compressed, octets or reserved.
_UNUSUAL_CODING = 0b1110_0100
# 23.040, 9.1.2.3; the last one pads an odd number of digits.
_PAD = "F"
_DIGITS = (*"0123456789*#abc", _PAD)

_ESCAPE = 0x1B

# 23.038, 6.2.1. The escape (0x1B) is shown as a space where it escapes nothing.
_DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DEFAULT_EXTENSION = {
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

# 23.038, annex A, by national language identifier: 1 Turkish, 2 Spanish (which has
# no locking table), 3 Portuguese. The languages of India (4 to 13) are not here
# and are read with the default tables, as the standard requires.
_LOCKING_TABLES = {
    1: _DEFAULT_ALPHABET.translate(str.maketrans("èìØøÆæ¡¿", "€ıĞğŞşİç")),
    3: _DEFAULT_ALPHABET.translate(
        str.maketrans(
            "èùìòÇØøÅåΦΓΛΩΠΨΣΘΞÆæß¤¡ÄÖÑ¿äöñ", "êúíóçÔôÁáªÇÀ∞^\\€Ó|ÂâÊºÍÃÕÚ~ãõ`"
        )
    ),
}


def _extension(codes: bytes, characters: str) -> dict[int, str]:
    return _DEFAULT_EXTENSION | dict(zip(codes, characters, strict=True))


_SINGLE_TABLES = {
    1: _extension(b"GIScgis", "ĞİŞçğış"),
    2: _extension(b"\x09AIOUaiou", "çÁÍÓÚáíóú"),
    3: _extension(
        b"\x05\x09\x0b\x0c\x0e\x0f\x12\x13\x15\x16\x17\x18\x19\x1fAIOU[\\aiou{|\x7f",
        "êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ",
    ),
}


class PduError(ValueError):
    """A PDU that isn't a readable SMS-DELIVER; the message contains nothing of it."""


class Coding(StrEnum):
    """How the payload of a message is coded (23.038, 4)."""

    GSM7 = "gsm7"
    OCTETS = "octets"
    UCS2 = "ucs2"


class Purpose(StrEnum):
    """Whom a message is for."""

    TEXT = "text"  # a person
    APPLICATION = "application"  # MMS notifications, WAP push and the like
    SIM = "sim"
    TYPE_0 = "type 0"  # nobody: the network looks whether a phone is there
    WAITING = "waiting"  # an indication that a message waits, without a text


class Concatenation(NamedTuple):
    """Which part of which long message this is (23.040, 9.2.3.24.1 and .8).

    `is_wide` tells 16-bit references from 8-bit ones, which are counted separately.
    `sequence` runs from 1 to `total`.
    """

    reference: int
    is_wide: bool
    total: int
    sequence: int


@dataclass(frozen=True)
class DeliverPdu:
    """One received PDU.

    `sent_at` is the service centre's time stamp with its own zone, or None where its
    digits aren't a date. The text is read from `payload`: a septet in each byte, or
    the octets as they came. The two languages are the national language identifiers
    of 23.038; 0 is the default. `is_plain` is True where every reader gets the same
    text from it: GSM 7-bit or UCS-2 as usually written, whole, with no header except
    that of a part.
    """

    sender: str = field(repr=False)
    sent_at: datetime | None
    coding: Coding
    payload: bytes = field(repr=False)
    concatenation: Concatenation | None = None
    locking_language: int = 0
    single_language: int = 0
    is_plain: bool = True
    purpose: Purpose = Purpose.TEXT

    @property
    def text(self) -> str:
        """The text of this PDU alone; see `join_texts`."""
        return join_texts((self,))


class Octets:
    """The octets of a PDU, which are taken one after the other."""

    def __init__(self, hex_pdu: str) -> None:
        """Begin behind the service centre, which may be missing.

        `hex_pdu` is hex digits in upper or lower case, as the driver gives them in
        `SMSPDU`. Raises PduError for anything else.
        """
        try:
            self._stream = BytesIO(a2b_hex(hex_pdu))
        except ValueError as err:
            raise PduError("Not hexadecimal") from err
        self.take(self.take(1)[0])

    def take(self, count: int) -> bytes:
        """Return the next octets. Raises PduError where there are too few."""
        octets = self.take_some(count)
        if len(octets) < count:
            raise PduError("Cut short")
        return octets

    def take_some(self, count: int) -> bytes:
        """Return the next octets, as far as there are any."""
        return self._stream.read(count)

    def take_address(self) -> str:
        """Read a number, or a name (23.040, 9.1.2.5).

        The standard allows 20 digits; longer ones exist.
        """
        length, kind = self.take(2)  # The length in digits, for names too.
        octets = self.take((length + 1) // 2)
        number_type = kind >> 4 & 0b111
        if number_type == _NUMBER_ALPHANUMERIC:
            letters = _unpack(octets, length * 4 // 7)
            if length == 14:
                # Seven letters leave seven bits, which some networks count.
                letters = letters.removesuffix(b"\0")
            return _read_septets(letters, 0, 0)
        digits = "".join(_DIGITS[octet & 0xF] + _DIGITS[octet >> 4] for octet in octets)
        # The driver ends a number here as well. In what it takes for the sender of a
        # status report, much may follow.
        digits = digits.partition(_PAD)[0]
        is_international = number_type == _NUMBER_INTERNATIONAL and digits
        return f"+{digits}" if is_international else digits

    def take_time(self) -> datetime | None:
        """Read a time stamp; None where its digits aren't a date."""
        return _read_time(self.take(7))


def decode_deliver(hex_pdu: str) -> DeliverPdu:
    """Decode an SMS-DELIVER PDU with the service centre's address in front.

    One that is shorter than it says is read as far as it goes. Anything after the
    user data is ignored.

    Raises PduError, and nothing else, for what isn't hex, has nothing of its text, or
    is another kind of PDU (such as a status report), and for compressed text (23.042),
    which no phone sends and nothing here can read.
    """
    octets = Octets(hex_pdu)
    (first,) = octets.take(1)
    if first & _TYPE_MASK != _TYPE_DELIVER:
        raise PduError("Not an SMS-DELIVER")
    sender = octets.take_address()
    protocol, scheme = octets.take(2)
    coding = _read_coding(scheme)
    sent_at = octets.take_time()

    (length,) = octets.take(1)  # In septets or octets.
    size = (length * 7 + 7) // 8 if coding is Coding.GSM7 else length
    data = octets.take_some(size)
    is_whole = len(data) == size
    if not is_whole:
        length = len(data) * 8 // 7 if coding is Coding.GSM7 else len(data)
    header_size = 0
    if first & _HAS_HEADER:
        header_size = 1 + data[0] if data else 1
        if header_size > len(data):
            raise PduError("Header cut short")

    if coding is Coding.GSM7:
        # The text begins at a septet's boundary, after fill bits.
        payload = _unpack(data, length)[(header_size * 8 + 6) // 7 :]
    else:
        payload = data[header_size:]
    if not payload and not is_whole:
        raise PduError("Cut short")

    concatenation = None
    locking_language = single_language = 0
    # If elements exclude each other, the last one counts.
    elements = _elements(data[1:header_size])
    for element in elements:
        match element:
            case 0x00, reference, total, sequence if 1 <= sequence <= total:
                concatenation = Concatenation(reference, False, total, sequence)
            case 0x08, high, low, total, sequence if 1 <= sequence <= total:
                concatenation = Concatenation(high << 8 | low, True, total, sequence)
            case 0x24, language:
                single_language = language
            case 0x25, language:
                locking_language = language

    message = DeliverPdu(
        sender,
        sent_at,
        coding,
        payload,
        concatenation,
        locking_language,
        single_language,
        is_plain=is_whole
        and not scheme & _UNUSUAL_CODING
        and not locking_language
        and not single_language
        and (not header_size or (concatenation is not None and header_size <= 7)),
    )
    purpose = _read_purpose(message, protocol, scheme, {each[0] for each in elements})
    return replace(message, purpose=purpose)


def _read_purpose(
    message: DeliverPdu, protocol: int, scheme: int, elements: set[int]
) -> Purpose:
    """Return whom a message is for; `elements` are the identifiers in its header."""
    if protocol == _TYPE_0:
        return Purpose.TYPE_0
    if protocol in _DATA_DOWNLOADS or not elements.isdisjoint(_IEI_SIM):
        return Purpose.SIM
    if message.coding is Coding.OCTETS and not elements.isdisjoint(_IEI_PORTS):
        return Purpose.APPLICATION
    is_indication = _IEI_WAITING in elements or 0b1100 <= scheme >> 4 <= 0b1110
    if is_indication and not message.text.strip():
        return Purpose.WAITING
    return Purpose.TEXT


def read_sender(hex_pdu: str) -> str | None:
    """Read the sender of a PDU as if it were an SMS; None where it has none.

    So does the driver, whatever kind of PDU it is. Raises PduError for what isn't hex.
    """
    octets = Octets(hex_pdu)
    try:
        octets.take(1)
        return octets.take_address()
    except PduError:
        return None


def possible_texts(hex_pdu: str) -> list[str]:
    """Return all texts that a PDU's octets could be read as, in any alphabet."""
    try:
        octets = a2b_hex(hex_pdu)[:_MAX_PDU]
    except ValueError:
        return []
    return [
        octets.decode("latin-1"),
        *(octets[start:].decode("utf-16-be", "replace") for start in range(2)),
        # Septets begin at any octet, so at any of seven bits.
        *(
            _read_septets(_unpack(part, len(part) * 8 // 7), 0, 0)
            for part in (octets[start:] for start in range(7))
        ),
    ]


def join_texts(parts: Sequence[DeliverPdu]) -> str:
    """Return the text of the parts of one message, in the order given.

    Payloads are joined before they are read, so a pair of surrogates or of septets
    that the sender has split comes out whole. Octets are read as UTF-8, or else as
    Latin-1. What can't be read (a lone surrogate, half a UCS-2 character, a NUL)
    becomes U+FFFD; NULs at the end are padding and are removed, and so is a byte order
    mark at the beginning of a part.
    """
    text = "".join(
        _read_payload(b"".join(map(_payload_without_mark, group)), *kind)
        for kind, group in groupby(
            parts,
            lambda part: (part.coding, part.locking_language, part.single_language),
        )
    )
    return text.rstrip("\0").replace("\0", "\ufffd")


def _read_coding(scheme: int) -> Coding:
    """Read a data coding scheme (23.038, 4); reserved values mean GSM 7-bit."""
    group = scheme >> 4
    if group == 0b1111:  # Message class.
        return Coding.OCTETS if scheme & 0x04 else Coding.GSM7
    if group == 0b1110:  # Message waiting, in UCS-2.
        return Coding.UCS2
    if group >= 0b1000:  # Message waiting, or reserved.
        return Coding.GSM7
    if scheme & 0x20:
        raise PduError("Compressed")
    return (Coding.GSM7, Coding.OCTETS, Coding.UCS2, Coding.GSM7)[scheme >> 2 & 0b11]


def _read_time(octets: bytes) -> datetime | None:
    """Read a time stamp: pairs of digits, low half first (23.040, 9.2.3.11)."""
    *date, zone = octets
    west = zone & 0x08  # The sign, in the tens of the quarters of an hour.
    try:
        year, month, day, hour, minute, second, quarters = (
            int(f"{octet & 0xF:X}{octet >> 4:X}") for octet in (*date, zone & ~0x08)
        )
        offset = timezone(timedelta(minutes=-15 * quarters if west else 15 * quarters))
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=offset)
    except ValueError:
        return None


def _elements(header: bytes) -> list[tuple[int, ...]]:
    """Return the elements of a user data header, each as identifier and content.

    There are none where the lengths don't add up (23.040, 9.2.3.24).
    """
    elements = []
    while header:
        end = 2 + header[1] if len(header) > 1 else 2
        if end > len(header):
            return []
        elements.append((header[0], *header[2:end]))
        header = header[end:]
    return elements


def _unpack(octets: bytes, count: int) -> bytes:
    """Return packed septets (23.038, 6.1.2.1), one in each byte."""
    bits = int.from_bytes(octets, "little")
    return bytes(bits >> 7 * index & 0x7F for index in range(count))


def _payload_without_mark(part: DeliverPdu) -> bytes:
    if part.coding is Coding.GSM7:
        return part.payload
    mark = BOM_UTF16_BE if part.coding is Coding.UCS2 else BOM_UTF8
    return part.payload.removeprefix(mark)


def _read_payload(payload: bytes, coding: Coding, locking: int, single: int) -> str:
    if coding is Coding.GSM7:
        return _read_septets(payload, locking, single)
    if coding is Coding.UCS2:
        return payload.decode("utf-16-be", "replace")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("latin-1")


def _read_septets(septets: bytes, locking: int, single: int) -> str:
    """Read septets with the tables of two languages.

    An escape before a septet that isn't in the extension is ignored; one before
    another escape, or at the end, is a space (23.038, 6.2.1 and 6.2.1.1).
    """
    table = _LOCKING_TABLES.get(locking, _DEFAULT_ALPHABET)
    extension = _SINGLE_TABLES.get(single, _DEFAULT_EXTENSION)
    remaining = iter(septets)
    characters = []
    for septet in remaining:
        if septet == _ESCAPE:
            escaped = next(remaining, _ESCAPE)
            characters.append(extension.get(escaped, table[escaped]))
        else:
            characters.append(table[septet])
    return "".join(characters)
