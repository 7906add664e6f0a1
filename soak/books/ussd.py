"""USSD requests."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from custom_components.openvox_gsm.gateway.model import NOT_READY

from .ledger import Ledger
from .words import counts

ANSWERED = "answered"
# What the action says of a USSD request that never left Home Assistant.
_NEVER_ASKED = (
    *("not_loaded", "disabled", "not_connected", "not_responding", "menu_open"),
    *NOT_READY,
)
# What it says where the network may have answered, but nobody could tell it.
_NOT_HEARD = ("connection_lost", "timed_out")
# `busy` is either: the span had no time for it, or the gateway has refused it.
_NO_ANSWER = (*_NEVER_ASKED, *_NOT_HEARD, "busy", "failed", "refused")


@dataclass
class UssdBook:
    """USSD requests to one gateway; no two have one code, or one answer."""

    #: The answer that the network has for each code, from before it was asked for.
    expected: dict[str, str] = field(default_factory=dict)
    #: Codes of requests that nothing stood in the way of.
    certain: set[str] = field(default_factory=set)
    #: What the action returned.
    replies: dict[str, str] = field(default_factory=dict)
    #: What it said instead.
    errors: dict[str, str] = field(default_factory=dict)

    def disagreements(self, ledger: Ledger) -> Iterator[str]:
        """Give a sentence for each mistake, by what the gateway has noted."""
        asked, given = Counter(ledger.ussd_requests), dict(ledger.ussd_answers)
        for code in self.expected:
            yield from self._mistakes(code, asked[code], given.get(code))
        for stranger in asked.keys() - self.expected.keys():
            yield f"{stranger} was asked by nobody"
        # Whose the next answer is, no driver could tell.
        for code in ledger.ussd_overlaps:
            yield f"{code} was asked while another one waited for its answer"

    def _mistakes(self, code: str, asked: int, given: str | None) -> Iterator[str]:
        """Give the mistakes of a request that came so often, and got this answer."""
        error = self.errors.get(code, "nothing")
        if asked > 1:
            yield f"{code} was asked {asked} times"
        if (reply := self.replies.get(code)) is not None:
            if reply != given:
                yield f"{code} was told {reply!r}, and the network said {given!r}"
        elif error not in _NO_ANSWER:
            yield f"{code}: the action said {error}"
        elif given is not None and error not in _NOT_HEARD:
            yield f"{code} was answered, but the action said {error}"
        elif asked and error in _NEVER_ASKED:
            yield f"{code} was asked, but the action said {error}"
        elif not asked and error == "failed":
            yield f"{code} was not asked, but the action said {error}"
        if code in self.certain and reply != self.expected[code]:
            yield f"{code}: nothing stood in the way, but the action said {error}"

    def summary(self) -> str:
        """Say what was counted."""
        ends = [*[ANSWERED] * len(self.replies), *self.errors.values()]
        return f"{len(self.expected)}; {counts(ends)}"
