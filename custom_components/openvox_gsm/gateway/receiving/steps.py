"""The dialplan's steps for an SMS, by which the gateway hands it on.

Boxes of 2013 run ``process_sms``, those sold since ``sms_receive.lua``, and the further
boards of a stack ``process_slavesms`` (read in the vendor's programs).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
import re
from typing import Final

_SENDER_AND_TIME: Final = r'"(?P<sender>[^"]*)" "(?P<time>[^"]*)" '
# What stands before sender, time and text of each program.
_HEADS: Final = {
    "process_sms": r'\S*process_sms "[0-9]+" ',
    "process_slavesms": r'[^"]*process_slavesms "[^"]*" "[^"]*" "[0-9]+" ',
    "sms_receive.lua": r'[^"]*sms_receive\.lua "[0-9]+" ',
}
_HEAD: Final = re.compile("|".join(_HEADS.values()))
_OPEN_TEXT: Final = r'"(?:[^"\\]|\\.)*\\?'
_UNFINISHED: Final = re.compile(
    rf"(?:(?:{'|'.join(_HEADS.values())})"
    r'"[^"]*" "[^"]*" |[^"]*dialplan2redis\.lua "[0-9]+" )' + _OPEN_TEXT,
    re.DOTALL,
)
# What the steps of some boxes say of every SMS.
_WORDS: Final = frozenset(("SMS In", "SMS CURL"))
_TEXT_ALONE: Final = re.compile(r"\w+\(\$\{SMS(?:ORI)?TXT\}\)")
_TEXT_AND_MORE: Final = re.compile(
    r'sms_receive\.lua .*"\$\{SMS(?:ORI)?TXT\}"(?P<more>(?: "[^"]*")*)'
)


@dataclass(frozen=True)
class Program:
    """A program's call with an SMS."""

    name: str
    sender: str = field(repr=False)
    time: str = field(repr=False)
    text: str = field(repr=False)


class Steps:
    """Reads what the steps of one gateway say."""

    def __init__(self, shown: Sequence[str] | None = None) -> None:
        """Take the steps as ``dialplan show`` prints them, None where that's unknown."""
        self._first = shown[0] if shown else None
        self._arguments_behind_text: int | None = None
        for step in shown or ():
            if match := _TEXT_AND_MORE.search(step):
                self._arguments_behind_text = match["more"].count('"') // 2

    def read_program(self, data: str) -> Program | None:
        """Read the data of a step that hands the whole SMS to a program."""
        for name, head in _HEADS.items():
            for text in self._text_and_rest(name):
                match = re.fullmatch(head + _SENDER_AND_TIME + text, data, re.DOTALL)
                if match:
                    return Program(name, match["sender"], match["time"], match["text"])
        return None

    def read_sender(self, data: str) -> str | None:
        """Read the sender of such a step, which comes before a text that may be cut."""
        for head in _HEADS.values():
            if match := re.match(head + _SENDER_AND_TIME, data):
                return match["sender"]
        return None

    def _text_and_rest(self, name: str) -> Sequence[str]:
        """Return what the text and the rest may look like, the likeliest first."""
        if name != "sms_receive.lua":
            return (r'"(?P<text>.*)"[^"]*',)
        count = self._arguments_behind_text
        if count is not None:
            return (rf'"(?P<text>.*)"(?: "[^"]*"){{{count}}}[^"]*',)
        # The service centre and perhaps more follow; quotes in the text may not be
        # escaped.
        return (
            r'"(?P<text>(?:[^"\\]|\\.)*)"(?: "[^"\\]*")*[^"]*',
            r'"(?P<text>.*)" "[+0-9]*"[^"]*',
        )

    def is_unfinished(self, data: str) -> bool:
        """Return whether the closing quote of a text is missing."""
        return _UNFINISHED.fullmatch(data) is not None

    def is_text(self, data: str) -> bool:
        """Return whether a first step may be the text alone.

        Where the dialplan isn't known it is, unless it's known to be said of every SMS.
        """
        if self._first is not None:
            return _TEXT_ALONE.fullmatch(self._first) is not None
        return data not in _WORDS

    def comes_before_text(self, data: str) -> bool:
        """Return whether this is a first step in which no text can stand."""
        first = self._first
        return first is not None and "$" not in first and f"({data})" in first
