"""Bytes of the wire.

Inside the simulator a line of the wire is a ``str`` in which each character stands for one
byte (Latin-1), because neither Asterisk nor the driver knows of alphabets: they pass on the
bytes they got. `to_wire` and `from_wire` stand at the border to real text.
"""

import re

_PRIVILEGE = re.compile(rb"^Privilege:[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)

_C_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "?": "\\?",
}


def to_wire(text: str) -> str:
    """Give the UTF-8 bytes of a text, one character a byte."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def from_wire(wire: str) -> str:
    """Give the text of UTF-8 bytes; surrogates of CESU-8 are joined, other bytes kept as Latin-1.

    This is for people and tests to read; what a phone makes of the bytes is in `outgoing`.
    """
    try:
        text = wire.encode("latin-1").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return wire
    return join_surrogates(text)


def join_surrogates(text: str) -> str:
    """Join surrogate pairs to the characters they stand for; a lone one becomes U+FFFD."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def packet(*lines: str) -> bytes:
    """Build one AMI packet: each line ends in CRLF, the packet with an empty line."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def privilege_classes(event: bytes) -> frozenset[str]:
    """Read the classes of an event from its ``Privilege`` line; none there: empty set."""
    found = _PRIVILEGE.search(event)
    if not found:
        return frozenset()
    names = (name.strip().lower() for name in found[1].decode("latin-1").split(","))
    return frozenset(names) - {"all", ""}


def replace_invalid(wire: str) -> str:
    """Put U+FFFD in the place of all that is not UTF-8, CESU-8 included, as Asterisk 22 does."""
    return to_wire(wire.encode("latin-1").decode("utf-8", "replace"))


def escape_c(value: str) -> str:
    r"""Escape as Asterisk 13.5 and later does the ``Value`` of a ``VarSet`` (``\"``, ``\n``, …)."""
    return "".join(_C_ESCAPES.get(char, char) for char in value)


def atoi(text: str) -> int:
    """Read a leading whole number as C does, within 32 bits; no number is 0."""
    found = re.match(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", text)
    return max(-(2**31), min(int(found[1]), 2**31 - 1)) if found else 0
