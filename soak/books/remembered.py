"""The messages that the integration remembers, compared with the books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Self

from .calls import CallBook
from .incoming import IncomingBook
from .outgoing import OutgoingBook
from .reports import ReportBook

# This many of the last SMS each way are certainly not forgotten yet.
_LAST = 20
_STATUS = {
    "sent": ("sent", "delivered", "undelivered"),
    "failed": ("failed",),
    "unknown": ("unknown",),
}


@dataclass(frozen=True)
class Remembered:
    """The messages in the file of one gateway, and how many there are in memory."""

    messages: Sequence[dict[str, Any]]
    in_memory: int
    limit: int

    @classmethod
    def read(cls, path: str, in_memory: int, limit: int) -> Self:
        """Read the file."""
        stored = json.loads(Path(path).read_bytes())
        return cls(stored["data"]["messages"], in_memory, limit)

    def disagreements(
        self,
        incoming: IncomingBook,
        outgoing: Sequence[OutgoingBook],
        reports: ReportBook,
        calls: CallBook,
    ) -> Iterator[str]:
        """Give a sentence for each mistake; the first book of SMS is the gateway's own."""
        if not len(self.messages) == self.in_memory <= self.limit:
            yield (
                f"{len(self.messages)} messages in the file and {self.in_memory} in "
                f"memory, at most {self.limit} are to be kept"
            )
        numbers = {message["number"] for message in self.messages}
        if len(numbers) < len(self.messages):
            yield "A message is remembered twice"
        for message in self.messages:
            if message["kind"] == "call":
                yield from _call(message, calls)
            elif message["direction"] == "in":
                yield from _incoming(message, incoming)
            else:
                yield from _outgoing(message, outgoing, reports)
        last = [
            *(sms.sender for sms in incoming.sms[-_LAST:] if sms.heard),
            *(
                number
                # In the order in which they were to be sent: by the time that a slow one
                # is answered, many others may have come after it.
                for number in list(outgoing[0].texts)[-_LAST:]
                if outgoing[0].answers.get(number) == "sent"
            ),
        ]
        for number in last:
            if number not in numbers:
                yield f"The SMS of or to {number} is not remembered"


def _incoming(message: dict[str, Any], book: IncomingBook) -> Iterator[str]:
    sender = message["number"]
    published = {
        (each.text, "received" if each.complete else "incomplete")
        for each in book.published.get(sender, [])
    }
    if (message["text"], message["status"]) not in published:
        yield f"The SMS of {sender} is remembered otherwise than it was published"


def _outgoing(
    message: dict[str, Any], books: Sequence[OutgoingBook], reports: ReportBook
) -> Iterator[str]:
    number, status = message["number"], message["status"]
    texts = [book.texts[number] for book in books if number in book.texts]
    if [message["text"]] != texts:
        yield f"{number} is remembered with {message['text']!r}, not {texts}"
    # What isn't published yet is still unknown.
    published = [each for book in books for each in book.published.get(number, ())]
    if status not in _STATUS[published[0] if published else "unknown"]:
        yield f"{number} is remembered as {status}, not {published}"
    reported = ["undelivered", "delivered"]
    if status in reported and bool(reported.index(status)) not in (
        reports.published.get(number, [])
    ):
        yield f"{number} is remembered as {status}, and was not reported so"


def _call(message: dict[str, Any], book: CallBook) -> Iterator[str]:
    courses = [call.course for call in book.calls if call.caller == message["number"]]
    # Of a call whose end wasn't heard, only that it's over is known.
    if not courses or message["status"] not in (courses[0][-1], "ended"):
        yield f"The call of {message['number']} is remembered as {message['status']}"
