"""Packets of the Asterisk Manager Interface: bytes in, packets out.

A packet is a block of ``Key: value`` lines that end in CR LF, followed by an empty
line. One answer breaks that rule: up to Asterisk 13 the answer to a command is
``Response: Follows``, a short head and then the raw output of the command, which may
be anything, up to ``--END COMMAND--``.
"""

from collections.abc import Callable, Iterable, Iterator, KeysView
import re

from .errors import HeaderFault, InvalidHeaderError, ProtocolError

# Bytes; several times as much as the longest honest packet has. Reading it must not hold
# up Home Assistant.
MAX_PACKET = 256 * 1024
# Asterisk reads a line into 1,024 bytes, including CR LF (main/manager.c).
MAX_LINE = 1022

_LINE_END = b"\r\n"
_PACKET_END = b"\r\n\r\n"
# What Asterisk 18.19, 20.4 and later write at the end of one list. It ends no event with
# free text, where an SMS may contain it.
_ODD_PACKET_END = b"\r\n\n"
_FREE_TEXT = (b"Event: VarSet\r\n", b"Event: Newexten\r\n", b"Event: UserEvent\r\n")
# Exactly what Asterisk writes, as anything after it is output already.
_RAW_OUTPUT_HEAD = re.compile(
    # Limited, since it's tried with each chunk of a packet that is torn.
    rb"Response: Follows\r\n"
    rb"(?:Privilege: [^\r\n]{0,256}\r\n)?ActionID: ([^\r\n]{0,256})\r\n"
)
_RAW_OUTPUT_MARK = b"--END COMMAND--"
_RAW_OUTPUT_END = _RAW_OUTPUT_MARK + _PACKET_END


class Packet:
    """One packet as it came, parsed when it is first used.

    ``raw`` is the packet without the empty line that ends it.
    """

    __slots__ = ("_first", "raw")

    def __init__(self, raw: bytes) -> None:
        """Take the bytes of one packet."""
        self.raw = raw
        self._first: dict[str, str] | None = None

    def _index(self) -> dict[str, str]:
        """Return the first value of each header, by its key in lower case."""
        if self._first is None:
            self._first = {
                key.lower(): value
                for key, colon, value in reversed(_split(self._head()))
                if colon
            }
        return self._first

    def _head(self) -> bytes:
        """Return everything before the raw output of a command."""
        raw_output = self._raw_output()
        return raw_output[0] if raw_output else self.raw

    def _raw_output(self) -> re.Match[bytes] | None:
        """Return the head of a packet that ends in the raw output of a command."""
        if not self.raw.endswith(_RAW_OUTPUT_MARK):
            return None
        return _RAW_OUTPUT_HEAD.match(self.raw)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All headers in order, including repeated ones."""
        return tuple(
            (key, value.removeprefix(" "))
            for key, colon, value in _split(self._head())
            if colon
        )

    @property
    def keys(self) -> KeysView[str]:
        """The keys of all headers in lower case."""
        return self._index().keys()

    def get(self, key: str, default: str = "") -> str:
        """Return the first value of a header, whatever the case of its key."""
        value = self._index().get(key.lower())
        return default if value is None else value.removeprefix(" ")

    def get_all(self, key: str) -> list[str]:
        """Return all values of a header in order."""
        key = key.lower()
        return [value for name, value in self.headers if name.lower() == key]

    def __contains__(self, key: str) -> bool:
        """Return whether the packet has this header."""
        return key.lower() in self._index()

    @property
    def event(self) -> str:
        """The name of an event, empty for a response."""
        return self.get("Event")

    @property
    def output(self) -> str:
        r"""What a command printed, in either shape, its lines separated by ``\n``."""
        if not (head := self._raw_output()):
            return "\n".join(self.get_all("Output"))
        output = self.raw[head.end() : -len(_RAW_OUTPUT_MARK)].removesuffix(b"\n")
        return output.decode("utf-8", "replace")

    def __repr__(self) -> str:
        """Name the packet, without its content, which may be private."""
        key, value = next(iter(self.headers), ("", ""))
        name = f" {key}: {value}" if key in ("Event", "Response") else ""
        return f"<Packet{name}, {len(self.raw)} bytes>"


def _split(raw: bytes) -> list[tuple[str, str, str]]:
    """Return key, colon and value of each line; only headers have a colon.

    Only CR LF ends a line: a bare LF is part of the value.
    """
    lines = raw.decode("utf-8", "replace").split("\r\n")
    return [line.partition(":") for line in lines]


class PacketReader:
    """Cuts a stream of bytes into packets, whatever its chunks are."""

    def __init__(
        self, wanted: Callable[[], re.Pattern[bytes] | None] = lambda: None
    ) -> None:
        """Start with an empty stream.

        `wanted` is called before each packet; whole packets that don't match its
        pattern are skipped, at a small part of the cost of reading them.
        """
        self._wanted = wanted
        self._buffer = bytearray()
        self._begin = 0  # of the first packet that has not been yielded
        self._searched = 0  # no packet ends before
        self._unwanted = 0  # nothing wanted begins before
        #: ActionIDs of the commands that wait for their answer. Only with one of
        #: these is ``Response: Follows`` the head of raw output: anything else is a
        #: forgery that would swallow the packets after it.
        self.commands: set[str] = set()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the bytes of each packet that `data` completes.

        Raises ProtocolError if a packet is larger than MAX_PACKET.
        """
        self._buffer += data
        while (found := self._find_end()) and found[0] - self._begin <= MAX_PACKET:
            end, next_begin = found
            raw = bytes(self._buffer[self._begin : end])
            self._go_on_at(next_begin)
            yield raw
        del self._buffer[: self._begin]
        self._searched -= self._begin
        self._unwanted -= self._begin
        self._begin = 0
        if len(self._buffer) >= MAX_PACKET + len(_PACKET_END):
            # The error's traceback would keep all of this alive.
            self._buffer.clear()
            self._go_on_at(0)
            raise ProtocolError(
                f"The gateway sent a packet of more than {MAX_PACKET} bytes"
            )

    def _find_end(self) -> tuple[int, int] | None:
        """Return where the next packet ends and the one after it begins.

        None if it is unfinished.
        """
        if wanted := self._wanted():
            self._skip_to(wanted)
        while self._buffer.startswith(_LINE_END, self._begin):
            # An extra empty line must not become part of the next packet.
            self._go_on_at(self._begin + len(_LINE_END))
        head = self.commands and _RAW_OUTPUT_HEAD.match(self._buffer, self._begin)
        is_raw_output = head and head[1].decode("utf-8", "replace") in self.commands
        mark = _RAW_OUTPUT_END if is_raw_output else _PACKET_END
        found = self._buffer.find(mark, self._searched)
        if not is_raw_output and not self._buffer.startswith(_FREE_TEXT, self._begin):
            limit = found if found >= 0 else len(self._buffer)
            odd = self._buffer.find(_ODD_PACKET_END, self._searched, limit)
            if odd >= 0:
                return odd, odd + len(_ODD_PACKET_END)
        if found < 0:
            # The end of the chunk may cut the mark itself in two.
            self._searched = max(self._begin, len(self._buffer) - len(_RAW_OUTPUT_END))
            return None
        end = found + len(_RAW_OUTPUT_MARK) if is_raw_output else found
        return end, found + len(mark)

    def _skip_to(self, wanted: re.Pattern[bytes]) -> None:
        """Skip the whole packets before the first one that is wanted."""
        found = wanted.search(self._buffer, self._unwanted)
        end = found.start() if found else len(self._buffer)
        last = self._buffer.rfind(_PACKET_END, self._searched, end)
        if last >= 0:
            self._go_on_at(last + len(_PACKET_END))
        if found:
            self._unwanted = found.start()
        else:
            # A match may be cut in two; it is no longer than its pattern.
            self._unwanted = max(self._begin, len(self._buffer) - len(wanted.pattern))

    def _go_on_at(self, begin: int) -> None:
        self._begin = self._searched = self._unwanted = begin


def build(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the bytes of an action.

    Surrogates are written as three bytes each: GSM gateways accept characters beyond
    the basic plane in that form only.

    Raises InvalidHeaderError for what would end a line, begin another header, or be
    longer than the `MAX_LINE` bytes that Asterisk reads.
    """
    lines = []
    for key, value in headers:
        if not key or ":" in key or not _is_one_line(key):
            raise InvalidHeaderError(
                HeaderFault.NAME,
                key,
                "A header's name must be one line without a colon",
            )
        if not _is_one_line(value):
            raise InvalidHeaderError(
                HeaderFault.VALUE,
                key,
                f"The value of {key} must be one line without NUL characters",
            )
        line = f"{key}: {value}".encode("utf-8", "surrogatepass")
        if len(line) > MAX_LINE:
            raise InvalidHeaderError(
                HeaderFault.TOO_LONG,
                key,
                f"{key} takes {len(line)} bytes; the gateway reads at most {MAX_LINE}",
            )
        lines.append(line)
    return _LINE_END.join(lines) + _PACKET_END


def _is_one_line(text: str) -> bool:
    return "\r" not in text and "\n" not in text and "\0" not in text
