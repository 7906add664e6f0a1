"""The books of both ends, and what is wrong with them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from custom_components.openvox_gsm.const import (
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from homeassistant.core import Event, HomeAssistant, callback

from .calls import CallBook, IncomingCall
from .incoming import Incoming, IncomingBook, Published
from .ledger import Ledger
from .outgoing import OutgoingBook
from .remembered import Remembered
from .reports import ReportBook, Reported
from .ussd import UssdBook
from .words import copied, counts

__all__ = [
    "Books",
    "CallBook",
    "GatewayBooks",
    "Incoming",
    "IncomingBook",
    "IncomingCall",
    "Ledger",
    "OutgoingBook",
    "Published",
    "Remembered",
    "ReportBook",
    "Reported",
    "UssdBook",
    "copied",
    "counts",
]


@dataclass
class GatewayBooks:
    """What was counted at one gateway."""

    incoming: IncomingBook = field(default_factory=IncomingBook)
    outgoing: OutgoingBook = field(default_factory=OutgoingBook)
    reports: ReportBook = field(default_factory=ReportBook)
    ussd: UssdBook = field(default_factory=UssdBook)
    calls: CallBook = field(default_factory=CallBook)


class Books:
    """All that was counted: at each gateway, and of what may go through any."""

    def __init__(self) -> None:
        """Begin with empty books."""
        self.gateways: dict[str, GatewayBooks] = {}
        self.any_way = OutgoingBook()

    def add(self, name: str) -> GatewayBooks:
        """Open the books of a gateway; its name is the id of its entry."""
        self.gateways[name] = GatewayBooks()
        return self.gateways[name]

    def listen(self, hass: HomeAssistant) -> None:
        """Write down what is published on the bus."""

        @callback
        def sms_received(event: Event[dict[str, Any]]) -> None:
            published = Published(copied(event.data["message"]), event.data["complete"])
            book = self._of(event).incoming
            book.published[copied(event.data["sender"])].append(published)

        @callback
        def sms_sent(event: Event[dict[str, Any]]) -> None:
            target = copied(event.data["target"])
            book = self._of(event).outgoing
            if target in self.any_way.texts:
                book = self.any_way
            book.published[target].append(event.data["status"])

        @callback
        def sms_delivered(event: Event[dict[str, Any]]) -> None:
            published = self._of(event).reports.published
            published[copied(event.data["target"])].append(event.data["delivered"])

        @callback
        def call(event: Event[dict[str, Any]]) -> None:
            published = self._of(event).calls.published
            published[copied(event.data["caller"])].append(event.data["type"])

        hass.bus.async_listen(EVENT_SMS_RECEIVED, sms_received)
        hass.bus.async_listen(EVENT_SMS_SENT, sms_sent)
        hass.bus.async_listen(EVENT_SMS_DELIVERED, sms_delivered)
        hass.bus.async_listen(EVENT_CALL, call)

    def _of(self, event: Event[dict[str, Any]]) -> GatewayBooks:
        return self.gateways[event.data["config_entry_id"]]

    def disagreements(
        self, ledgers: dict[str, Ledger], remembered: dict[str, Remembered]
    ) -> list[str]:
        """Compare with the gateways' ledgers, and what the integration remembers.

        Returns a sentence for each mistake.
        """
        mistakes = []
        shared = self.any_way.texts
        for name, books in self.gateways.items():
            ledger = ledgers[name]
            own = _sms([ledger], lambda number: number not in shared)
            found = [
                *books.incoming.disagreements(),
                *books.outgoing.disagreements(*own),
                *books.reports.disagreements(),
                *books.ussd.disagreements(ledger),
                *books.calls.disagreements(),
                *remembered[name].disagreements(
                    books.incoming,
                    [books.outgoing, self.any_way],
                    books.reports,
                    books.calls,
                ),
            ]
            mistakes += [f"{name}: {mistake}" for mistake in found]
        by_any = _sms(ledgers.values(), lambda number: number in shared)
        return [*mistakes, *self.any_way.disagreements(*by_any)]

    def summary(self, ledgers: dict[str, Ledger]) -> list[str]:
        """Say what was counted, in lines for people."""
        lines = []
        for name, books in self.gateways.items():
            lines += [
                f"{name}: foreign and other events that went to a connection: "
                f"{ledgers[name].events}",
                f"{name}: SMS in: {books.incoming.summary()}",
                f"{name}: SMS out: {books.outgoing.summary()}",
                f"{name}: delivery reports: {books.reports.summary()}",
                f"{name}: USSD: {books.ussd.summary()}",
                f"{name}: calls in: {books.calls.summary()}",
            ]
        return [*lines, f"SMS out by any gateway: {self.any_way.summary()}"]


def _sms(
    ledgers: Iterable[Ledger], is_wanted: Callable[[str], bool]
) -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
    """Give the messages and the parts that went to the wanted numbers."""
    ledgers = list(ledgers)
    return (
        [each for ledger in ledgers for each in ledger.messages if is_wanted(each[0])],
        [each for ledger in ledgers for each in ledger.parts if is_wanted(each[0])],
    )
