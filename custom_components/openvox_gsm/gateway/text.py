"""Outgoing SMS: numbers, alphabets, and texts cut into parts."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
import re

MAX_PARTS = 10
MAX_NUMBER_LENGTH = 64

# What people write between the digits: blanks, dashes, brackets and dots, and
# the direction marks that come along when a number is pasted. No line breaks:
# those stand between two numbers.
_NUMBER_DECORATION = re.compile(
    r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    r"\-\u2010-\u2015()\[\].\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_NUMBER = re.compile(r"\+?[0-9*#]+")
# What is left of a number that was taken for a decimal one: "4915112345678.0".
_DECIMAL = re.compile(r"\.\d?\Z")
_TRUNK_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")

_LINE_BREAK = re.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Texts are cut in a form where one character is one unit of the alphabet. A
# septet pair of the extension table is written with its escape, which no text
# can hold itself; it is taken out again after the cutting.
_ESCAPE = "\x1b"
_EXTENDED = re.compile(r"[\^{}\\\[\]~|]")
# Positions that are no cut: inside an escape pair, a surrogate pair, or "\n".
_INSIDE_PAIR = re.compile(r"(?<=\x1b)|(?<=[\ud800-\udbff])|(?<=\\)(?=n)")

# What makes the driver send a part as UCS-2: anything beyond ASCII, and a blank,
# since it can be written as a no-break one.
_MARK = re.compile(r"[^!-~]")
_NO_BREAK_BLANK = "\u00a0"
_WORD_JOINER = "\u2060"


class InvalidNumberError(ValueError):
    """A destination that is no telephone number; the message does not repeat it."""


class TextFault(StrEnum):
    """Why a text cannot be sent."""

    EMPTY = "empty"
    BLANK = "blank"
    CHARACTER = "character"
    TOO_LONG = "too_long"
    TOO_LONG_FOR_FLASH = "too_long_for_flash"


class InvalidTextError(ValueError):
    """A text that cannot be sent; the message does not repeat it.

    `detail` is the code point that no SMS carries, the number of SMS that a text
    may take, or the number that it takes where only one can be shown at once.
    """

    def __init__(self, fault: TextFault, message: str, detail: str = "") -> None:
        """Say what is wrong with the text."""
        super().__init__(message)
        self.fault = fault
        self.detail = detail


class Alphabet(StrEnum):
    """How the characters of an SMS travel (3GPP TS 23.038)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"

    @property
    def single_limit(self) -> int:
        """Septets or UTF-16 units that an SMS of one part holds."""
        return 160 if self is Alphabet.GSM7 else 70

    @property
    def part_limit(self) -> int:
        """Septets or UTF-16 units that each part of a longer SMS holds.

        152, not 153 septets: chan_extra 2.0.8 writes the seven octets of a
        16-bit reference in front of them, but the six of an 8-bit one before
        UCS-2.
        """
        return 152 if self is Alphabet.GSM7 else 67


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """A text as it goes out: its alphabet and its parts, in order.

    The parts are what a send command carries, before it is quoted. A character
    beyond the basic plane stands as its two surrogates, to be encoded with
    `surrogatepass`: chan_extra 2.0.8 mangles four-byte UTF-8, but passes on three
    bytes for each surrogate.
    """

    alphabet: Alphabet
    parts: tuple[str, ...] = field(repr=False)


def normalise_number(number: str) -> str:
    """Return a telephone number or short code without its decoration.

    Goes in: a number as people write it, with blanks, dashes, brackets and dots.
    Comes out: an optional `+`, then digits, `*` and `#`, at most 64 characters,
    the alphabet of 3GPP TS 23.040 (9.1.2.3) less its letters.

    Raises InvalidNumberError for anything else, and for a `(0)` behind a country
    code: it is not dialled there, and keeping it would reach somebody else.
    """
    if _DECIMAL.search(number.strip()):
        raise InvalidNumberError("A number does not end like a decimal number")
    bare = _NUMBER_DECORATION.sub("", number.strip())
    if not bare:
        raise InvalidNumberError("The number is empty")
    if len(bare) > MAX_NUMBER_LENGTH:
        raise InvalidNumberError(
            f"The number is longer than {MAX_NUMBER_LENGTH} characters"
        )
    if not _NUMBER.fullmatch(bare):
        raise InvalidNumberError(
            "A number is written with the digits 0 to 9, * and #, after a + or none"
        )
    if bare.startswith("+") and _TRUNK_ZERO.search(number):
        raise InvalidNumberError("A number with a country code is written without (0)")
    return bare


def compose(text: str, *, line_breaks: bool) -> OutgoingText:
    r"""Turn a text into the parts that a gateway sends.

    Goes in: any text. With `line_breaks` the firmware reads the two characters
    `\n` as a line break; they then stand for each one (and a text that holds them
    itself has no way to say otherwise). Without, a line break becomes a blank.

    Comes out: one part of at most 160 septets or 70 UTF-16 units, or up to ten of
    152 or 67 each; `^ { } \ [ ] ~ |` count two septets. No surrogate pair, escape
    pair or `\n` is split. Pure ASCII goes out as GSM 7-bit, anything else as
    UCS-2: the rule of chan_extra 2.0.8.

    The text arrives as it is, except that

    - a tab becomes a blank, and a back-quote in GSM 7-bit an apostrophe (the
      driver would send Ç and ¿);
    - a pure ASCII part among UCS-2 ones would go out in the other alphabet, and
      phones would not join it. So its first blank becomes a no-break one. If it
      has none, and it is the last part, a no-break blank is added to its end;
      otherwise the cut before it moves back to a character that will do (which
      may cost one part more), and only where there is no such cut does it end in
      an invisible U+2060, inside a word of more than 66 characters.

    Raises InvalidTextError for a text that is empty or nothing but blanks (there
    is nothing to read in it, and the network charges for it all the same), one
    with control characters or lone surrogates, and one of more than ten parts.
    """
    if not text:
        raise InvalidTextError(TextFault.EMPTY, "The text is empty")
    if not text.strip():
        raise InvalidTextError(TextFault.BLANK, "The text is nothing but blanks")
    text = _LINE_BREAK.sub(r"\\n" if line_breaks else " ", text).replace("\t", " ")
    if found := _UNSENDABLE.search(text):
        character = f"U+{ord(found[0]):04X}"
        raise InvalidTextError(
            TextFault.CHARACTER, f"The text holds {character}", character
        )

    if text.isascii():
        alphabet = Alphabet.GSM7
        units = _EXTENDED.sub(rf"{_ESCAPE}\g<0>", text.replace("`", "'"))
    else:
        alphabet = Alphabet.UCS2
        units = "".join(
            chr(high << 8 | low)
            for high, low in batched(text.encode("utf-16-be"), 2, strict=True)
        )

    if len(units) <= alphabet.single_limit:
        parts = [units]
    else:
        parts = _split(units, alphabet)
    return OutgoingText(alphabet, tuple(part.replace(_ESCAPE, "") for part in parts))


def _split(units: str, alphabet: Alphabet) -> list[str]:
    """Cut a long text, one unit a character, into parts."""
    parts: list[str] = []
    while units:
        if len(parts) == MAX_PARTS:
            raise InvalidTextError(
                TextFault.TOO_LONG,
                f"The text takes more than {MAX_PARTS} SMS",
                str(MAX_PARTS),
            )
        if alphabet is Alphabet.GSM7:
            part = _longest_part(units, alphabet.part_limit)
        else:
            part = _ucs2_part(units, alphabet.part_limit)
        units = units[len(part) :]
        if alphabet is Alphabet.UCS2:
            part = _force_ucs2(part, last=not units)
        parts.append(part)
    return parts


def _longest_part(units: str, limit: int) -> str:
    """Return as much of the text as fits into a number of units."""
    end = min(limit, len(units))
    while _INSIDE_PAIR.match(units, end):
        end -= 1
    return units[:end]


def _ucs2_part(units: str, limit: int) -> str:
    """Return the next part of a text, cut so that all parts can go out as UCS-2."""
    part = _longest_part(units, limit)
    if not _MARK.search(part):
        # It must be given a mark of its own, which takes one unit.
        return _longest_part(units, limit - 1)
    rest = units[len(part) :]
    if len(rest) >= limit and not _MARK.search(_longest_part(rest, limit)):
        # The next part would have to be marked in the middle of a word. Let it
        # begin with the last mark of this one, if this one has another.
        *_, last_mark = _MARK.finditer(part)
        shorter = _longest_part(part, last_mark.start())
        if _MARK.search(shorter):
            return shorter
    return part


def _force_ucs2(part: str, *, last: bool) -> str:
    """Make the driver see more than ASCII in a part."""
    if not part.isascii():
        return part
    if " " in part:
        return part.replace(" ", _NO_BREAK_BLANK, 1)
    return part + (_NO_BREAK_BLANK if last else _WORD_JOINER)
