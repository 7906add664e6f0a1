"""Bytes of a client → the actions it asks for."""

from dataclasses import dataclass, field

MAX_LINE = 1024
"""Longest line with its CRLF, in bytes (Asterisk's buffer)."""


@dataclass(frozen=True)
class Action:
    """One packet from a client: its keys and values in order, upper or lower case alike."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    too_long: bool = False
    """A line was too long, so the packet is lost."""

    def get(self, key: str, default: str = "") -> str:
        """Give the first value of a key."""
        return next(
            (value for name, value in self.fields if name == key.lower()), default
        )

    def get_all(self, key: str) -> list[str]:
        """Give all values of a key."""
        return [value for name, value in self.fields if name == key.lower()]


class ActionParser:
    """Cuts the bytes of a client into actions, as Asterisk does."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._buffer = bytearray()
        self._fields: list[tuple[str, str]] = []
        self._too_long = False

    def feed(self, data: bytes) -> list[Action]:
        """Take some bytes and give the actions that are complete now.

        A line ends at CRLF or LF alone, a packet at an empty line. Of a line that is too
        long 1,023 bytes are thrown away, time and again, and the rest is taken for a line
        of the same packet, which is lost as a whole (1.8.20, recorded; Asterisk 22).
        """
        self._buffer += data
        actions: list[Action] = []
        while True:
            end = self._buffer.find(b"\n", 0, MAX_LINE)
            if end < 0 and len(self._buffer) < MAX_LINE:
                return actions
            if end < 0:
                self._too_long = True
                del self._buffer[: MAX_LINE - 1]
                continue
            line = bytes(self._buffer[:end]).removesuffix(b"\r").decode("latin-1")
            del self._buffer[: end + 1]
            if line:
                key, _, value = line.partition(":")
                self._fields.append((key.strip().lower(), value.lstrip(" \t")))
            else:
                actions.append(self._packet())

    def _packet(self) -> Action:
        action = Action(self._fields, self._too_long)
        self._fields, self._too_long = [], False
        return action
