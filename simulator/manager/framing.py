"""Bytes of a client → the actions it asks for."""

from dataclasses import dataclass, field

from simulator.model.box import Dialect

MAX_LINE = 1024
"""Longest line with its CRLF, in bytes (Asterisk's buffer)."""


@dataclass(frozen=True)
class Action:
    """One packet from a client: its keys and values in order, upper or lower case alike."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    too_long: bool = False
    """A line was too long, so the packet is lost (1.8: up to there)."""

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

    def __init__(self, dialect: Dialect = Dialect.ASTERISK_1_8) -> None:
        """Start with nothing read."""
        self._old = dialect is Dialect.ASTERISK_1_8
        self._buffer = bytearray()
        self._fields: list[tuple[str, str]] = []
        self._too_long = False

    def feed(self, data: bytes) -> list[Action]:
        """Take some bytes and give the actions that are complete now.

        A line ends at CRLF or LF alone, a packet at an empty line. Of a line that is too
        long the first 1,024 bytes are thrown away with the packet it belongs to; what is
        left of it starts a packet of its own. Asterisk 22 throws away 1,023 bytes, time and
        again, and takes the rest for a line of the same packet: that is lost as a whole.
        """
        self._buffer += data
        actions: list[Action] = []
        while True:
            end = self._buffer.find(b"\n", 0, MAX_LINE)
            if end < 0 and len(self._buffer) < MAX_LINE:
                return actions
            if end < 0:
                self._too_long = True
                if self._old:
                    del self._buffer[:MAX_LINE]
                    actions.append(self._packet())
                else:
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
