"""Calls that came in."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .words import counts


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that came in and is over; no two have the same caller.

    `heard` says whether a connection and the entry were there for all of it.
    """

    caller: str
    answered: bool
    heard: bool

    @property
    def course(self) -> list[str]:
        """What is to be published of it, in order."""
        if self.answered:
            return ["ringing", "answered", "ended"]
        return ["ringing", "missed"]


@dataclass
class CallBook:
    """Calls that came in through one gateway."""

    calls: list[IncomingCall] = field(default_factory=list)
    #: What the bus events of a caller said.
    published: defaultdict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def disagreements(self) -> Iterator[str]:
        """Give a sentence for each mistake."""
        for call in self.calls:
            published = self.published[call.caller]
            if call.heard:
                is_right = published == call.course
            else:
                # Some of it may be missing, nothing may be there twice or out of order.
                is_right = published == [
                    each for each in call.course if each in published
                ]
            if not is_right:
                yield (
                    f"The call of {call.caller} was published as {published}, "
                    f"and was {call.course}"
                )
        for stranger in self.published.keys() - {call.caller for call in self.calls}:
            yield f"{stranger} never called"

    def summary(self) -> str:
        """Say what was counted."""
        ends = counts(call.course[-1] for call in self.calls)
        heard = sum(call.heard for call in self.calls)
        return f"{len(self.calls)}; {ends}; {heard} while a connection stood"
