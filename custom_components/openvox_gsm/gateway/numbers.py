"""Phone numbers as people write them."""

import re

from .errors import InvalidNumberError

MAX_NUMBER_LENGTH = 64

_DECORATION = (
    r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    r"\-\u2010-\u2015()\[\].\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def normalise_number(number: str) -> str:
    """Return a telephone number or short code without its decoration.

    Goes in: a number as people write it, with blanks, dashes, brackets and dots.
    Comes out: an optional `+`, then digits, `*` and `#`, at most 64 characters,
    the alphabet of 3GPP TS 23.040 (9.1.2.3) less its letters.

    Raises InvalidNumberError for anything else, and for a `(0)` behind a country
    code: it is not dialled there, and keeping it would reach somebody else.
    """
    if re.search(r"\.\d?\Z", number.strip()):
        raise InvalidNumberError("A number does not end like a decimal number")
    bare = re.sub(_DECORATION, "", number.strip())
    if not bare:
        raise InvalidNumberError("The number is empty")
    if len(bare) > MAX_NUMBER_LENGTH:
        raise InvalidNumberError(
            f"The number is longer than {MAX_NUMBER_LENGTH} characters"
        )
    if not re.fullmatch(r"\+?[0-9*#]+", bare):
        raise InvalidNumberError(
            "A number is written with the digits 0 to 9, * and #, after a + or none"
        )
    if bare.startswith("+") and re.search(r"[(\[]\s*0\s*[)\]]", number):
        raise InvalidNumberError("A number with a country code is written without (0)")
    return bare
