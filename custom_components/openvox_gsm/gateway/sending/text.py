"""The text of outgoing SMS: its alphabet, and how it is split into parts."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
import re

MAX_PARTS = 10
# A longer one takes more parts, even if each pair of its characters is a line break.
_LONGEST_TEXT = 2 * MAX_PARTS * 160

# Texts are split in a form where one character is one unit of the alphabet. A
# character of the extension table takes two septets, so it has its escape in front,
# which no text can contain itself; it is removed after splitting.
_ESCAPE = "\x1b"
# Positions where nothing is split: inside an escape pair, a surrogate pair, or "\n".
_INSIDE_PAIR = re.compile(r"(?<=\x1b)|(?<=[\ud800-\udbff])|(?<=\\)(?=n)")

# The extension table of GSM 7-bit.
_EXTENSION = re.compile(r"[\^{}\\\[\]~|]")

# What makes the driver send a part as UCS-2: anything beyond ASCII, and a space,
# as it can be written as a no-break one.
_FORCES_UCS2 = re.compile(r"[^!-~]")
_NO_BREAK_SPACE = "\u00a0"
_WORD_JOINER = "\u2060"


class TextFault(StrEnum):
    """Why a text can't be sent."""

    EMPTY = "empty"
    BLANK = "blank"
    CHARACTER = "character"
    TOO_LONG = "too_long"
    TOO_LONG_FOR_FLASH = "too_long_for_flash"


class InvalidTextError(ValueError):
    """A text that can't be sent; the message doesn't repeat it.

    `detail` is the code point that no SMS can carry, the number of SMS that a text
    may take, or the number that it takes where only one is possible.
    """

    def __init__(self, fault: TextFault, message: str, detail: str = "") -> None:
        """Keep what is wrong with the text."""
        super().__init__(message)
        self.fault = fault
        self.detail = detail


class Alphabet(StrEnum):
    """How the characters of an SMS are encoded (3GPP TS 23.038)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"

    @property
    def single_limit(self) -> int:
        """Septets or UTF-16 units that fit into an SMS of one part."""
        return 160 if self is Alphabet.GSM7 else 70

    def units(self, part: str) -> int:
        """Return how many septets or UTF-16 units a part of `split_text` takes."""
        extra = len(_EXTENSION.findall(part)) if self is Alphabet.GSM7 else 0
        return len(part) + extra

    @property
    def part_limit(self) -> int:
        """Septets or UTF-16 units that fit into each part of a longer SMS.

        152 septets, not 153: chan_extra 2.0.8 writes a header of seven octets (with
        a 16-bit reference) in front of them, but one of six (8-bit) before UCS-2.
        """
        return 152 if self is Alphabet.GSM7 else 67


@dataclass(frozen=True)
class OutgoingText:
    """A text ready to be sent: its alphabet and its parts, in order.

    The parts are the texts of the commands, before quoting. A character beyond the
    basic plane is written as its two surrogates, to be encoded with
    `surrogatepass`: chan_extra 2.0.8 mangles four-byte UTF-8, but accepts three
    bytes for each surrogate.
    """

    alphabet: Alphabet
    parts: tuple[str, ...] = field(repr=False)

    @property
    def room(self) -> int:
        """Septets or UTF-16 units that still fit into the last part."""
        alphabet = self.alphabet
        is_single = len(self.parts) == 1
        limit = alphabet.single_limit if is_single else alphabet.part_limit
        return limit - alphabet.units(self.parts[-1])


def split_text(text: str, *, line_breaks: bool) -> OutgoingText:
    r"""Split a text into the parts that a gateway sends.

    With `line_breaks` the firmware reads the two characters `\n` as a line break, so
    they stand for each one (a text that contains them itself can't be told apart).
    Without, a line break becomes a space.

    Returns one part of at most 160 septets or 70 UTF-16 units, or up to ten of 152
    or 67 each; `^ { } \ [ ] ~ |` count two septets. No surrogate pair, escape pair
    or `\n` is split. Pure ASCII is sent as GSM 7-bit, anything else as UCS-2: that
    is the rule of chan_extra 2.0.8.

    The text arrives as it is, except that

    - a tab becomes a space, and a backtick in GSM 7-bit an apostrophe (the driver
      would send Ç and ¿);
    - a pure ASCII part among UCS-2 ones would be sent in the other alphabet, and
      phones would not join it. So its first space becomes a no-break one. If it has
      none, and it is the last part, a no-break space is added to its end; otherwise
      the part before ends earlier, at a character that helps (which may cost one
      more part). Only where there is no such character, inside a word of more than
      66 characters, does the part end in an invisible U+2060.

    Raises InvalidTextError for a text that is empty or only whitespace (it has
    nothing to read, but costs as much), one with control characters or lone
    surrogates, and one of more than ten parts.
    """
    if not text:
        raise InvalidTextError(TextFault.EMPTY, "The text is empty")
    if not text.strip():
        raise InvalidTextError(TextFault.BLANK, "The text is only whitespace")
    if len(text) > _LONGEST_TEXT:
        raise _too_long()
    line_break = r"\\n" if line_breaks else " "
    text = re.sub(r"\r\n|[\n\v\f\r\x85\u2028\u2029]", line_break, text)
    text = text.replace("\t", " ")
    if found := re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        character = f"U+{ord(found[0]):04X}"
        raise InvalidTextError(
            TextFault.CHARACTER, f"The text contains {character}", character
        )

    if text.isascii():
        alphabet = Alphabet.GSM7
        text = text.replace("`", "'")
        units = _EXTENSION.sub(rf"{_ESCAPE}\g<0>", text)
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


def _too_long() -> InvalidTextError:
    return InvalidTextError(
        TextFault.TOO_LONG,
        f"The text takes more than {MAX_PARTS} SMS",
        str(MAX_PARTS),
    )


def _split(units: str, alphabet: Alphabet) -> list[str]:
    """Split a long text, with one character per unit, into parts."""
    parts: list[str] = []
    while units:
        if len(parts) == MAX_PARTS:
            raise _too_long()
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
    """Return as much of the text as fits into `limit` units."""
    end = min(limit, len(units))
    while _INSIDE_PAIR.match(units, end):
        end -= 1
    return units[:end]


def _ucs2_part(units: str, limit: int) -> str:
    """Return the next part of a text, so that all parts can be sent as UCS-2."""
    part = _longest_part(units, limit)
    if not _FORCES_UCS2.search(part):
        # It will be forced to UCS-2 by a character that takes one unit.
        return _longest_part(units, limit - 1)
    rest = units[len(part) :]
    if len(rest) >= limit and not _FORCES_UCS2.search(_longest_part(rest, limit)):
        # The next part would get an extra character in the middle of a word. Let it
        # begin with the last helpful character of this one, if this one has another.
        *_, last = _FORCES_UCS2.finditer(part)
        shorter = _longest_part(part, last.start())
        if _FORCES_UCS2.search(shorter):
            return shorter
    return part


def _force_ucs2(part: str, *, last: bool) -> str:
    """Make sure that the driver sees more than ASCII in a part."""
    if not part.isascii():
        return part
    if " " in part:
        return part.replace(" ", _NO_BREAK_SPACE, 1)
    return part + (_NO_BREAK_SPACE if last else _WORD_JOINER)
