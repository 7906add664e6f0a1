"""Delivery reports: what the network said of SMS that were sent."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reported:
    """A message whose parts the network has reported; no two have the same number.

    `delivered` says whether they reached the phone, `heard` whether a connection was
    there for all reports and stayed.
    """

    number: str
    delivered: bool
    parts: int
    heard: bool


@dataclass
class ReportBook:
    """Delivery reports of one gateway."""

    messages: list[Reported] = field(default_factory=list)
    #: Whether a message was delivered, as the bus events of its number say.
    published: defaultdict[str, list[bool]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def disagreements(self) -> Iterator[str]:
        """Give a sentence for each mistake."""
        for message in self.messages:
            yield from self._mistakes(message, self.published[message.number])
        for stranger in self.published.keys() - {each.number for each in self.messages}:
            yield f"{stranger} was reported by nobody"

    def _mistakes(self, message: Reported, published: list[bool]) -> Iterator[str]:
        number = message.number
        # After a reload it isn't known any more which reports are one message's.
        if len(published) > message.parts:
            yield (
                f"{message.parts} reports of {number} were published "
                f"{len(published)} times"
            )
        if message.heard and not published:
            yield f"The report of {number} was not published"
        if any(delivered is not message.delivered for delivered in published):
            yield f"{number} was reported with {message.delivered}, not {published}"

    def summary(self) -> str:
        """Say what was counted."""
        heard = sum(message.heard for message in self.messages)
        delivered = sum(message.delivered for message in self.messages)
        return (
            f"{len(self.messages)}, {delivered} of them delivered; "
            f"{heard} while a connection stood"
        )
