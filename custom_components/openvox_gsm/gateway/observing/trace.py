"""The conversation with a gateway, with stand-ins for everything private.

It has what concerns spans, SMS, USSD and calls. Each line is masked before it is kept.
"""

from collections import deque
from collections.abc import Callable
import logging
from time import monotonic
from typing import Final, NamedTuple

from .masking import is_reading, mask_action, mask_answer, mask_event
from .stand_ins import StandIns

_LOGGER = logging.getLogger(__name__)

MAX_LINES: Final = 400
_LONG_LINE: Final = 256  # characters; a longer one counts as several
# Bytes; the rest isn't kept. All spans of the largest gateway, 44, take less.
_MAX_TEXT: Final = 64 * 1024
# An SMS whose text reads like packets comes at once. This long after an SMS, only the
# words that are known stay.
_SUSPICIOUS_TIME: Final = 2.0  # seconds
_TEXT_MARKER: Final = b"EXTRA-SMS"
_ACTIONS: Final = (b"Command", b"Originate", b"Hangup", b"CoreShowChannels")

type Line = tuple[float, str, str]


class _Entry(NamedTuple):
    seconds: float
    sender: str  # "client" or "gateway"
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n") + len(self.text) // _LONG_LINE


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
            round(asked_at - self._start, 3),
            "client",
            mask_action(action, self._stand_ins) + "\r\n\r\n",
        )
        text = ""
        if answer is not None:
            text = answer[:_MAX_TEXT].decode("latin-1")
            text = mask_answer(text, command, self._stand_ins)
            text += "\r\n\r\n"
        gateway = _Entry(self._seconds(), "gateway", text)
        if is_poll:
            self._readings[command] = fingerprint, client, gateway
            self._report(client, gateway)
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
        text = mask_event(
            raw[:_MAX_TEXT].decode("latin-1"), self._stand_ins, may_be_text=may_be_text
        )
        self._keep(_Entry(self._seconds(), "gateway", text + "\r\n\r\n"))

    def _seconds(self) -> float:
        return round(self._now() - self._start, 3)

    def _keep(self, *entries: _Entry) -> None:
        self._entries.extend(entries)
        self._report(*entries)
        if self._max_lines is None:
            return
        self._count += sum(entry.lines for entry in entries)
        while self._count > self._max_lines and len(self._entries) > 1:
            self._count -= self._entries.popleft().lines

    def _report(self, *entries: _Entry) -> None:
        for entry in entries:
            if self._on_line:
                self._on_line(*entry)
            if _LOGGER.isEnabledFor(logging.DEBUG):
                for line in entry.text.splitlines():
                    if line:
                        _LOGGER.debug("%s: %s", entry.sender, line)

    def wire(self) -> list[list[float | str]]:
        """Return what is kept, in the form of a recording.

        Each item has the seconds since the beginning, "client" or "gateway", and the
        text, whose characters are bytes of the wire.
        """
        entries = [*self._entries]
        for _, client, gateway in self._readings.values():
            entries += client, gateway
        return [list(entry) for entry in sorted(entries, key=lambda each: each.seconds)]
