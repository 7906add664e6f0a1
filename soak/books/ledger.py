"""What a gateway has noted."""

from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Ledger:
    """What a gateway has noted, in order.

    Messages are numbers with texts, parts numbers with places in their message, USSD
    requests codes, USSD overlaps those that came while the span waited for the answer
    to another one, USSD answers codes with the network's texts.
    """

    messages: list[tuple[str, str]] = field(default_factory=list)
    parts: list[tuple[str, int]] = field(default_factory=list)
    ussd_requests: list[str] = field(default_factory=list)
    ussd_overlaps: list[str] = field(default_factory=list)
    ussd_answers: list[tuple[str, str]] = field(default_factory=list)
    events: int = 0

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Read what the gateway reports about itself."""
        return cls(
            [(number, text) for number, text in told["messages"]],
            [(number, sequence) for number, sequence in told["parts"]],
            told["ussd_requests"],
            told["ussd_overlaps"],
            [(code, text) for code, text in told["ussd_answers"]],
            told["events"],
        )
