"""The conversation with a gateway, with stand-ins for everything private.

It has what concerns spans, SMS, USSD and calls. What is kept is masked when somebody
wants to see it, which is rare: that takes longer than reading an SMS.
"""

from collections import deque
from collections.abc import Callable
from functools import cached_property
import logging
from time import monotonic
from typing import Final

from .masking import is_reading, mask_action, mask_answer, mask_event
from .stand_ins import StandIns

_LOGGER = logging.getLogger(__name__)

MAX_LINES: Final = 400
_LONG_LINE: Final = 256  # characters; a longer one counts as several
# Bytes; the rest isn't kept. All spans of the largest gateway, 44, take less.
_MAX_TEXT: Final = 64 * 1024
# Bytes of all answers to commands that only read; masking more would take too long.
_MAX_READINGS: Final = 4 * _MAX_TEXT
# An SMS whose text reads like packets comes at once. This long after an SMS, only the
# words that are known stay.
_SUSPICIOUS_TIME: Final = 2.0  # seconds
_TEXT_MARKER: Final = b"EXTRA-SMS"
_ACTIONS: Final = (b"Command", b"Originate", b"Hangup", b"CoreShowChannels")

_END: Final = b"\r\n\r\n"

type Line = tuple[float, str, str]


class _Entry:
    """What one side said."""

    def __init__(
        self, seconds: float, sender: str, raw: bytes, mask: Callable[[str], str]
    ) -> None:
        """Keep what `sender`, "client" or "gateway", said; nothing if `raw` is empty."""
        self.seconds = round(seconds, 3)
        self.sender = sender
        self._raw = raw[:_MAX_TEXT].removesuffix(_END)
        self._mask = mask
        self.size = len(self._raw)
        self.lines = self._raw.count(b"\n") + 2 + self.size // _LONG_LINE

    @cached_property
    def text(self) -> str:
        """What was said, with stand-ins; each character is a byte."""
        raw, self._raw = self._raw.decode("latin-1"), b""
        return self._mask(raw) + _END.decode() if raw else ""

    @property
    def line(self) -> Line:
        """This as a recording has it."""
        return self.seconds, self.sender, self.text


class Trace:
    """Keeps the last lines; of a command that only reads, the last answer.

    Otherwise the polls would soon be all that is left.
    """

    def __init__(
        self,
        *,
        max_lines: int | None = MAX_LINES,
        on_line: Callable[[float, str, str], None] | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Start without lines; without `max_lines` everything is kept, in order.

        `on_line` gets each entry as well: seconds, "client" or "gateway", and text.
        """
        self._max_lines = max_lines
        self._on_line = on_line
        self._now = now
        self._start = now()
        self._stand_ins = StandIns()
        self._entries: deque[_Entry] = deque()
        self._count = 0  # lines of the entries
        self._readings: dict[str, tuple[int, _Entry, _Entry]] = {}
        self._text_seen_at: float | None = None

    def answered(self, sent: bytes, answer: bytes | None, asked_at: float) -> None:
        """Keep an action and its answer, which is None if it didn't come.

        `asked_at` is a time of the clock `now`.
        """
        if sent[8:].partition(b"\r\n")[0] not in _ACTIONS:
            return
        action = sent.decode("latin-1").removesuffix("\r\n\r\n")
        command = (
            action.rpartition("\r\nCommand: ")[2] if "\r\nCommand: " in action else ""
        )
        is_poll = self._max_lines is not None and is_reading(command)
        fingerprint = hash(
            answer and answer.split(b"ActionID:", 1)[-1].partition(b"\n")[2]
        )
        if is_poll and not _LOGGER.isEnabledFor(logging.DEBUG):
            known = self._readings.get(command)
            if known and known[0] == fingerprint:
                return
        client = _Entry(
            asked_at - self._start,
            "client",
            sent,
            lambda text: mask_action(text, self._stand_ins),
        )
        gateway = _Entry(
            self._now() - self._start,
            "gateway",
            answer or b"",
            lambda text: mask_answer(text, command, self._stand_ins),
        )
        if is_poll:
            self._keep_reading(command, fingerprint, client, gateway)
        else:
            self._keep(client, gateway)

    def event(self, raw: bytes, *, is_torn: bool = False) -> None:
        """Keep an event; `is_torn`: it may be part of one that a text cut in two."""
        now = self._now()
        if _TEXT_MARKER in raw:
            self._text_seen_at = now
        may_be_text = is_torn or (
            self._text_seen_at is not None
            and now - self._text_seen_at < _SUSPICIOUS_TIME
        )
        self._keep(
            _Entry(
                now - self._start,
                "gateway",
                raw,
                lambda text: mask_event(text, self._stand_ins, may_be_text=may_be_text),
            )
        )

    def _keep_reading(
        self, command: str, fingerprint: int, client: _Entry, gateway: _Entry
    ) -> None:
        self._readings.pop(command, None)  # the oldest first
        self._readings[command] = fingerprint, client, gateway
        while sum(each.size for *_, each in self._readings.values()) > _MAX_READINGS:
            del self._readings[next(iter(self._readings))]
        self._report(client, gateway)

    def _keep(self, *entries: _Entry) -> None:
        self._entries.extend(entries)
        self._report(*entries)
        if self._max_lines is None:
            return
        self._count += sum(entry.lines for entry in entries)
        while self._count > self._max_lines and len(self._entries) > 1:
            self._count -= self._entries.popleft().lines

    def _report(self, *entries: _Entry) -> None:
        is_logged = _LOGGER.isEnabledFor(logging.DEBUG)
        # A recording may get long, so it's masked bit by bit.
        is_recording = self._max_lines is None
        if not (is_logged or self._on_line or is_recording):
            return
        for entry in entries:
            text = entry.text
            if self._on_line:
                self._on_line(*entry.line)
            if is_logged:
                for line in filter(None, text.splitlines()):
                    _LOGGER.debug("%s: %s", entry.sender, line)

    def wire(self) -> list[list[float | str]]:
        """Return what is kept, in the form of a recording.

        Each item has the seconds since the beginning, "client" or "gateway", and the
        text, whose characters are bytes of the wire.
        """
        entries = [*self._entries]
        for _, client, gateway in self._readings.values():
            entries += client, gateway
        entries.sort(key=lambda each: each.seconds)
        return [list(entry.line) for entry in entries]
