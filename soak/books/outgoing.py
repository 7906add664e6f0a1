"""SMS that were to go out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .words import counts

# No back-quote arrives in GSM 7-bit; blanks and joiners make a part UCS-2.
_WRITTEN_OTHERWISE = str.maketrans({"`": "'", "\u00a0": " ", "\u2060": None})


@dataclass
class OutgoingBook:
    """SMS that were to go out; no two go to the same number."""

    #: Text of each message by its number, from before it was given to the action.
    texts: dict[str, str] = field(default_factory=dict)
    #: Numbers of messages that nothing stood in the way of.
    certain: set[str] = field(default_factory=set)
    #: What the action answered: sent, failed, unknown, or refused with an error.
    answers: dict[str, str] = field(default_factory=dict)
    #: What the bus event of a message said.
    published: defaultdict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def disagreements(
        self, messages: Iterable[tuple[str, str]], parts: Iterable[tuple[str, int]]
    ) -> Iterator[str]:
        """Give a sentence for each mistake, by what the gateway has noted."""
        arrived = defaultdict(list)
        for number, text in messages:
            arrived[number].append(text)
        for number in self.texts:
            yield from self._mistakes(number, arrived[number])
        for (number, sequence), times in Counter(parts).items():
            if times > 1:
                yield f"{number} got part {sequence} {times} times"
        for stranger in arrived.keys() - self.texts.keys():
            yield f"{stranger} got what nobody sent"

    def _mistakes(self, number: str, came: list[str]) -> Iterator[str]:
        answer, text = self.answers.get(number, "none"), self.texts[number]
        published = self.published[number]
        # What is unknown at first may be learned later, before it is published.
        expected = ("sent", "failed", "unknown") if answer == "unknown" else (answer,)
        if answer == "refused":
            outcome, is_right = answer, not published
        else:
            outcome = published[0] if published else answer
            is_right = len(published) == 1 and outcome in expected
        if not is_right:
            yield f"{number}: the action said {answer}, the bus {published}"
        if len(came) > 1:
            yield f"{number} got its message {len(came)} times"
        elif outcome == "sent" and not came:
            yield f"{number} got nothing of what was sent"
        elif outcome in ("failed", "refused") and came:
            yield f"{number} got what was said not to be sent"
        elif answer not in ("sent", "failed", "unknown", "refused"):
            yield f"{number}: the action said {answer}"
        if came and _plain(came[0]) != _plain(text):
            yield f"{number} got {came[0]!r} instead of {text!r}"
        if number in self.certain and answer != "sent":
            yield f"{number}: nothing stood in the way, but the action said {answer}"

    def summary(self) -> str:
        """Say what was counted."""
        learned = sum(
            answer == "unknown" and self.published[number] != ["unknown"]
            for number, answer in self.answers.items()
        )
        return (
            f"{len(self.texts)}; {counts(self.answers.values())}; "
            f"{learned} of the unknown were learned later"
        )


def _plain(text: str) -> str:
    """Leave out what the integration writes otherwise, as its docs say."""
    return text.translate(_WRITTEN_OTHERWISE).rstrip()
