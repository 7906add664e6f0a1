"""The books of both ends, and what is wrong with them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from custom_components.openvox_gsm.const import EVENT_SMS_RECEIVED, EVENT_SMS_SENT
from custom_components.openvox_gsm.gateway.model import NOT_READY
from homeassistant.core import Event, HomeAssistant, callback

# No back-quote arrives in GSM 7-bit; blanks and joiners make a part UCS-2.
_WRITTEN_OTHERWISE = str.maketrans({"`": "'", "\u00a0": " ", "\u2060": None})

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


@dataclass(frozen=True)
class Incoming:
    """An SMS that the gateway got from the network; no two have one sender.

    `delivered` tells whether a connection was there for it and stayed.
    """

    sender: str
    text: str
    delivered: bool


@dataclass(frozen=True)
class Told:
    """What the bus was told of an SMS that came in."""

    text: str
    complete: bool


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
        """Read what the gateway tells of itself."""
        return cls(
            [(number, text) for number, text in told["messages"]],
            [(number, sequence) for number, sequence in told["parts"]],
            told["ussd_requests"],
            told["ussd_overlaps"],
            [(code, text) for code, text in told["ussd_answers"]],
            told["events"],
        )


@dataclass
class IncomingBook:
    """SMS that came in through one gateway."""

    sms: list[Incoming] = field(default_factory=list)
    told: defaultdict[str, list[Told]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def disagreements(self) -> Iterator[str]:
        """Give a sentence for each mistake."""
        for sms in self.sms:
            told = self.told[sms.sender]
            if len(told) > 1:
                yield f"The SMS of {sms.sender} was told {len(told)} times"
            elif not told and sms.delivered:
                yield f"The SMS of {sms.sender} was not told: {sms.text!r}"
            elif told and told[0].complete and told[0].text != sms.text:
                yield (
                    f"The SMS of {sms.sender} was told as {told[0].text!r}, "
                    f"and was {sms.text!r}"
                )
            elif told and sms.delivered and not told[0].complete:
                yield f"The SMS of {sms.sender} was told incomplete"
        for stranger in self.told.keys() - {sms.sender for sms in self.sms}:
            yield f"{stranger} never sent an SMS"

    def summary(self) -> str:
        """Say what was counted."""
        certain = sum(sms.delivered for sms in self.sms)
        came = sum(bool(self.told[sms.sender]) for sms in self.sms if not sms.delivered)
        return (
            f"{len(self.sms)}; {certain} while a connection stood; of the "
            f"other {len(self.sms) - certain} {came} came through"
        )


@dataclass
class OutgoingBook:
    """SMS that were to go out; no two go to one number."""

    #: Text of each message by its number, from before it was given to the action.
    texts: dict[str, str] = field(default_factory=dict)
    #: Numbers of messages that nothing stood in the way of.
    certain: set[str] = field(default_factory=set)
    #: What the action answered: sent, failed, unknown, or refused with an error.
    answers: dict[str, str] = field(default_factory=dict)
    #: What the bus was told.
    outcomes: defaultdict[str, list[str]] = field(
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
        told = self.outcomes[number]
        if told != ([] if answer == "refused" else [answer]):
            yield f"{number}: the action said {answer}, the bus {told}"
        if len(came) > 1:
            yield f"{number} got its message {len(came)} times"
        elif answer == "sent" and not came:
            yield f"{number} got nothing of what was sent"
        elif answer in ("failed", "refused") and came:
            yield f"{number} got what was said not to be sent"
        elif answer not in ("sent", "failed", "unknown", "refused"):
            yield f"{number}: the action said {answer}"
        if came and _plain(came[0]) != _plain(text):
            yield f"{number} got {came[0]!r} instead of {text!r}"
        if number in self.certain and answer != "sent":
            yield f"{number}: nothing stood in the way, but the action said {answer}"

    def summary(self) -> str:
        """Say what was counted."""
        return f"{len(self.texts)}; {counts(self.answers.values())}"


@dataclass
class UssdBook:
    """USSD requests to one gateway; no two have one code, or one answer."""

    #: The answer that the network has for each code, from before it was asked for.
    expected: dict[str, str] = field(default_factory=dict)
    #: Codes of requests that nothing stood in the way of.
    certain: set[str] = field(default_factory=set)
    #: What the action gave to whoever asked.
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


@dataclass
class GatewayBooks:
    """What was counted at one gateway."""

    incoming: IncomingBook = field(default_factory=IncomingBook)
    outgoing: OutgoingBook = field(default_factory=OutgoingBook)
    ussd: UssdBook = field(default_factory=UssdBook)


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
        """Count what the bus is told."""

        @callback
        def received(event: Event[dict[str, Any]]) -> None:
            data = event.data
            told = Told(copied(data["message"]), data["complete"])
            book = self.gateways[data["config_entry_id"]].incoming
            book.told[copied(data["sender"])].append(told)

        @callback
        def sent(event: Event[dict[str, Any]]) -> None:
            target = copied(event.data["target"])
            book = self.gateways[event.data["config_entry_id"]].outgoing
            if target in self.any_way.texts:
                book = self.any_way
            book.outcomes[target].append(event.data["status"])

        hass.bus.async_listen(EVENT_SMS_RECEIVED, received)
        hass.bus.async_listen(EVENT_SMS_SENT, sent)

    def disagreements(self, ledgers: dict[str, Ledger]) -> list[str]:
        """Compare with the gateways' ledgers; returns a sentence for each mistake."""
        mistakes = []
        shared = self.any_way.texts
        for name, books in self.gateways.items():
            ledger = ledgers[name]
            own = _sms([ledger], lambda number: number not in shared)
            found = [
                *books.incoming.disagreements(),
                *books.outgoing.disagreements(*own),
                *books.ussd.disagreements(ledger),
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
                f"{name}: USSD: {books.ussd.summary()}",
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


def counts(words: Iterable[str]) -> str:
    """Say how often each word is there."""
    return ", ".join(
        f"{times} {word}" for word, times in sorted(Counter(words).items())
    )


def copied(text: str) -> str:
    """Copy a text, so that the integration's own counts as given back."""
    return text.encode().decode()


def _plain(text: str) -> str:
    """Leave out what the integration writes otherwise, as its docs say."""
    return text.translate(_WRITTEN_OTHERWISE).rstrip()
