"""Stand-ins for what is private: of the same length and kind.

All texts here are bytes of the wire, each written as one Latin-1 character.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

# What a text is made of, and what takes its place. A byte order mark stays, as it
# shows how the gateway got the text.
_PIECES: Final = re.compile(
    r"(?P<mark>\xef\xbb\xbf)"
    r"|(?P<upper>[A-Z]+)|(?P<lower>[a-z]+)|(?P<digit>[0-9]+)"
    r"|(?P<four>[\xf0-\xf7][\x80-\xbf]{3})"
    r"|(?P<three>[\xe0-\xef][\x80-\xbf]{2})"
    r"|(?P<two>[\xc0-\xdf][\x80-\xbf])"
    r"|(?P<other>[\x80-\xff])"
)
_LONGEST_NUMBER: Final = 255  # characters, with all that stands between its digits
_SINGLE: Final = {"upper": "X", "lower": "x", "digit": "0"}  # each character
_REPLACEMENTS: Final = {
    "mark": "\xef\xbb\xbf",
    "four": "😀".encode().decode("latin-1"),
    "three": "中".encode().decode("latin-1"),
    "two": "ä".encode().decode("latin-1"),
    "other": "\xdf",
}


def hide_text(text: str) -> str:
    """Replace each letter and digit; spaces, line ends and punctuation stay."""
    return _PIECES.sub(_hidden, text)


def _hidden(piece: re.Match[str]) -> str:
    kind = piece.lastgroup or ""
    if single := _SINGLE.get(kind):
        return single * len(piece[0])
    return _REPLACEMENTS[kind]


class StandIns:
    """Gives the same stand-in for the same number, and says nothing about it.

    Nobody can try all numbers, as the stand-ins depend on a random key that is never
    kept.
    """

    def __init__(self) -> None:
        """Choose a new key."""
        self._key = secrets.token_bytes(16)

    def word(self, word: str) -> str:
        """Replace every letter and digit of one word by another one.

        A plus sign makes no difference to a number.
        """
        digest = word.replace("+", "").encode("latin-1", "replace")
        stand_in = []
        for index, char in enumerate(word.replace("+", "")):
            if index % 32 == 0:
                digest = hmac.digest(self._key, digest, hashlib.sha256)
            stand_in.append(_shift(char, digest[index % 32]))
        replaced = iter(stand_in)
        return "".join(char if char == "+" else next(replaced) for char in word)

    def numbers(self, text: str) -> str:
        """Replace every number in a text, and nothing else."""
        return re.sub("[0-9]+", lambda found: self.word(found[0]), text)

    def value(self, value: str) -> str:
        """Replace a value that is a number, or a text."""
        if len(value) > _LONGEST_NUMBER or re.search(r"[^\x00-@[-`{-\x7f]", value):
            return hide_text(value)
        return self.numbers(value)


def _shift(char: str, by: int) -> str:
    """Return another character of the same kind."""
    for first, count in (("0", 10), ("A", 26), ("a", 26)):
        place = ord(char) - ord(first)
        if 0 <= place < count:
            return chr(ord(first) + (place + 1 + by % (count - 1)) % count)
    return char if char < "\x80" else "\xdf"
