"""SMS that came in."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An SMS that the gateway got from the network; no two have the same sender.

    `heard` says whether a connection was there for it and stayed.
    """

    sender: str
    text: str
    heard: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What the bus event of an incoming SMS said."""

    text: str
    complete: bool


@dataclass
class IncomingBook:
    """SMS that came in through one gateway."""

    sms: list[Incoming] = field(default_factory=list)
    published: defaultdict[str, list[Published]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def disagreements(self) -> Iterator[str]:
        """Give a sentence for each mistake."""
        for sms in self.sms:
            yield from self._mistakes(sms, self.published[sms.sender])
        for stranger in self.published.keys() - {sms.sender for sms in self.sms}:
            if stranger != _NOBODY:
                yield f"{stranger} never sent an SMS"
        # A box of today gives the text first, and the connection may end behind it.
        cut_off = [sms.text for sms in self.sms if not sms.heard]
        for published in self.published.get(_NOBODY, ()):
            if not any(published.text in text for text in cut_off):
                yield f"An SMS without sender was published: {published.text!r}"

    def _mistakes(self, sms: Incoming, published: list[Published]) -> Iterator[str]:
        if len(published) > 1:
            yield f"The SMS of {sms.sender} was published {len(published)} times"
        elif not published:
            if sms.heard:
                yield f"The SMS of {sms.sender} was not published: {sms.text!r}"
        elif not published[0].complete:
            if sms.heard:
                yield f"The SMS of {sms.sender} was published incomplete"
        elif published[0].text != sms.text:
            yield (
                f"The SMS of {sms.sender} was published as {published[0].text!r}, "
                f"and was {sms.text!r}"
            )

    def summary(self) -> str:
        """Say what was counted."""
        certain = sum(sms.heard for sms in self.sms)
        came = sum(
            bool(self.published[sms.sender]) for sms in self.sms if not sms.heard
        )
        return (
            f"{len(self.sms)}; {certain} while a connection stood; of the "
            f"other {len(self.sms) - certain} {came} came through"
        )
