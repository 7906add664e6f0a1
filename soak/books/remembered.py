"""The messages that the integration remembers, compared with the books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path

from custom_components.openvox_gsm.messages.history import MessageHistory
from custom_components.openvox_gsm.messages.record import (
    Direction,
    Kind,
    MessageRecord,
    Status,
)

from .calls import CallBook
from .incoming import IncomingBook
from .outgoing import OutgoingBook
from .reports import ReportBook

# So many of the last SMS each way are certainly not forgotten yet.
_LAST = 20
_OUTCOMES = {
    "sent": (Status.SENT, Status.DELIVERED, Status.UNDELIVERED),
    "failed": (Status.FAILED,),
    "unknown": (Status.UNKNOWN, Status.SENDING),
}


@dataclass(frozen=True)
class Remembered:
    """What is remembered of one gateway; the file is as large as its messages."""

    records: Sequence[MessageRecord]
    in_file: int
    limit: int

    @classmethod
    def read(cls, history: MessageHistory, path: Path) -> Remembered:
        """Read it from the integration, and count what is in its file."""
        stored = json.loads(path.read_bytes())["data"]["messages"]
        return cls(list(history.newest_first()), len(stored), history.limit)

    def disagreements(
        self,
        incoming: IncomingBook,
        outgoing: Sequence[OutgoingBook],
        reports: ReportBook,
        calls: CallBook,
    ) -> Iterator[str]:
        """Give a sentence for each mistake."""
        for count, where in ((len(self.records), "memory"), (self.in_file, "the file")):
            if count > self.limit:
                yield f"{count} messages in {where}, {self.limit} are to be kept"
        by_number = {each.number: each for each in self.records}
        if len(by_number) < len(self.records):
            yield "A message is remembered twice"
        for record in self.records:
            if record.kind is Kind.CALL:
                yield from _call(record, calls)
            elif record.direction is Direction.IN:
                yield from _incoming(record, incoming)
            else:
                yield from _outgoing(record, outgoing, reports)
        own = outgoing[0]
        last = [
            *(sms.sender for sms in incoming.sms[-_LAST:] if sms.heard),
            *(number for number in list(own.published)[-_LAST:] if own.published),
        ]
        for number in last:
            if number not in by_number:
                yield f"The SMS of or to {number} is not remembered"


def _incoming(record: MessageRecord, book: IncomingBook) -> Iterator[str]:
    published = book.published.get(record.number or "", [])
    texts = [each.text for each in published]
    if record.text not in texts:
        yield f"{record.number} is remembered with {record.text!r}, not {texts}"
    is_whole = any(each.complete for each in published)
    if record.status is not (Status.RECEIVED if is_whole else Status.INCOMPLETE):
        yield f"The SMS of {record.number} is remembered as {record.status}"


def _outgoing(
    record: MessageRecord, books: Sequence[OutgoingBook], reports: ReportBook
) -> Iterator[str]:
    number = record.number or ""
    text = next((book.texts[number] for book in books if number in book.texts), None)
    if record.text != text:
        yield f"{number} is remembered with {record.text!r}, not {text!r}"
    outcomes = [each for book in books for each in book.published.get(number, [])]
    if outcomes and record.status not in _OUTCOMES[outcomes[0]]:
        yield f"{number} is remembered as {record.status}, not {outcomes[0]}"
    delivered = reports.published.get(number, [])
    is_delivered = record.status is Status.DELIVERED
    if record.status in (Status.DELIVERED, Status.UNDELIVERED) and (
        is_delivered not in delivered
    ):
        yield f"{number} is remembered as {record.status}, and reported {delivered}"


def _call(record: MessageRecord, book: CallBook) -> Iterator[str]:
    course = next(
        (call.course for call in book.calls if call.caller == record.number), []
    )
    # Of a call whose end was not seen it's only known that it's over.
    expected = {"ended", *course[-1:]}
    if record.status not in expected:
        yield f"The call of {record.number} is remembered as {record.status}"
