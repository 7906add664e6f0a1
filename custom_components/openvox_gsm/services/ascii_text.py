"""Writes any text in ASCII, as people of its language do it."""

from collections.abc import Iterator
import re
from typing import Final
import unicodedata

from text_unidecode import unidecode  # type: ignore[import-untyped]

# Where a language has a custom of its own: the library drops all accents. German as in
# CLDR's de-ASCII, Danish and Norwegian as in ICAO 9303-3, 6.A. Swedish, Finnish,
# Estonian, Turkish and others just drop the marks outside of passports.
_GERMAN: Final = {"ä": "ae", "ö": "oe", "ü": "ue"}
_DANISH: Final = {"å": "aa", "ø": "oe"}
_CUSTOMS: Final = {
    "de": _GERMAN,
    "gsw": _GERMAN,
    "da": _DANISH,
    "nb": _DANISH,
    "nn": _DANISH,
}

# What the library writes in a way that would be misread: two commas for a quotation
# mark, "PS5" for £5, "20-25" for 20→25, "[?]" for currencies it doesn't know.
_OWN_SIGNS: Final = str.maketrans(
    {
        "\u00a0": " ",
        "\u201e": '"',
        "\u201a": "'",
        "→": "->",
        "←": "<-",
        "£": "GBP",
        "¥": "JPY",
        "₹": "INR",
        "₺": "TRY",
        "₽": "RUB",
    }
)


def to_ascii(text: str, language: str) -> str:
    """Write a text in ASCII, with the customs of a language (such as "de" or "de-CH").

    In German ä becomes ae, in Danish and Norwegian å aa; other accents are dropped (é
    becomes e, ß ss). Typographic signs become plain ones (… three dots, € EUR), other
    scripts are transcribed. Emoji are left out, each with a space.
    """
    text = unicodedata.normalize("NFC", text)
    if customs := _CUSTOMS.get(language.partition("-")[0]):
        text = _spell(text, customs)
    lines = text.translate(_OWN_SIGNS).split("\n")
    return "\n".join(" ".join(_plain_words(line)) for line in lines)


def _spell(text: str, customs: dict[str, str]) -> str:
    """Write letters as two; in a word of capitals as two capitals."""

    def spell(letter: re.Match[str]) -> str:
        two = customs[letter[0].lower()]
        if letter[0].islower():
            return two
        at = letter.start()
        beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
        return two.upper() if any(map(str.isupper, beside)) else two.capitalize()

    return re.sub(f"[{''.join(customs)}]", spell, text, flags=re.IGNORECASE)


def _plain_words(line: str) -> Iterator[str]:
    """Yield the words of a line, except those of which nothing is left."""
    for word in line.split(" "):
        plain = str(unidecode(word))
        if plain or not word:
            yield plain
