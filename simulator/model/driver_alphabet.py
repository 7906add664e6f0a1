"""The GSM alphabet as the driver knows it: with holes and errors (tried on its own code)."""

from .deliver import ESCAPE, GSM_ALPHABET, GSM_EXTENSION

_UNKNOWN = 0xFF
DRIVER_EXTENSION = {
    septet: char for septet, char in GSM_EXTENSION.items() if char != "€"
}
"""The driver knows the extension table without the euro sign."""


def _driver_alphabet() -> list[int]:
    """Give the byte the driver makes of each septet: Latin-1 with holes and two errors."""
    table = [ord(char) if ord(char) < 0x100 else _UNKNOWN for char in GSM_ALPHABET]
    table[ESCAPE] = _UNKNOWN
    table[GSM_ALPHABET.index("é")] = 0xDF
    table[GSM_ALPHABET.index("Ö")] = 0xCC
    return table


DRIVER_ALPHABET = _driver_alphabet()
"""The byte that the driver makes of each septet."""
