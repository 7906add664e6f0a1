"""The books of both ends, and what is wrong with them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from custom_components.openvox_gsm.const import EVENT_SMS_RECEIVED, EVENT_SMS_SENT
from homeassistant.core import Event, HomeAssistant, callback

# No back-quote arrives in GSM 7-bit; blanks and joiners make a part UCS-2.
_WRITTEN_OTHERWISE = str.maketrans({"`": "'", "\u00a0": " ", "\u2060": None})


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


@dataclass
class Books:
    """All that was counted; no two messages go to one number."""

    incoming: list[Incoming] = field(default_factory=list)
    told: defaultdict[str, list[Told]] = field(
        default_factory=lambda: defaultdict(list)
    )
    #: Text of each message by its number, from before it was given to the action.
    outgoing: dict[str, str] = field(default_factory=dict)
    #: What the action answered: sent, failed, unknown, or refused with an error.
    answers: dict[str, str] = field(default_factory=dict)
    outcomes: defaultdict[str, list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def listen(self, hass: HomeAssistant) -> None:
        """Count what the bus is told."""

        @callback
        def received(event: Event[dict[str, Any]]) -> None:
            data = event.data
            told = Told(_copy(data["message"]), data["complete"])
            self.told[_copy(data["sender"])].append(told)

        @callback
        def sent(event: Event[dict[str, Any]]) -> None:
            self.outcomes[_copy(event.data["target"])].append(event.data["status"])

        hass.bus.async_listen(EVENT_SMS_RECEIVED, received)
        hass.bus.async_listen(EVENT_SMS_SENT, sent)

    def disagreements(self, ledger: dict[str, Any]) -> list[str]:
        """Compare with the gateway's ledger; returns a sentence for each mistake."""
        return [*self._incoming_mistakes(), *self._outgoing_mistakes(ledger)]

    def _incoming_mistakes(self) -> list[str]:
        mistakes = []
        for sms in self.incoming:
            told = self.told[sms.sender]
            if len(told) > 1:
                mistakes.append(f"The SMS of {sms.sender} was told {len(told)} times")
            elif not told and sms.delivered:
                mistakes.append(f"The SMS of {sms.sender} was not told: {sms.text!r}")
            elif told and told[0].complete and told[0].text != sms.text:
                mistakes.append(
                    f"The SMS of {sms.sender} was told as {told[0].text!r}, "
                    f"and was {sms.text!r}"
                )
            elif told and sms.delivered and not told[0].complete:
                mistakes.append(f"The SMS of {sms.sender} was told incomplete")
        strangers = self.told.keys() - {sms.sender for sms in self.incoming}
        mistakes += [f"{stranger} never sent an SMS" for stranger in strangers]
        return mistakes

    def _outgoing_mistakes(self, ledger: dict[str, Any]) -> list[str]:
        mistakes = []
        arrived = defaultdict(list)
        for number, text in ledger["messages"]:
            arrived[number].append(text)
        for number, text in self.outgoing.items():
            answer = self.answers.get(number, "none")
            came = arrived[number]
            expected = [] if answer == "refused" else [answer]
            if self.outcomes[number] != expected:
                mistakes.append(
                    f"{number}: the action said {answer}, the bus "
                    f"{self.outcomes[number]}"
                )
            if len(came) > 1:
                mistakes.append(f"{number} got its message {len(came)} times")
            elif answer == "sent" and not came:
                mistakes.append(f"{number} got nothing of what was sent")
            elif answer in ("failed", "refused") and came:
                mistakes.append(f"{number} got what was said not to be sent")
            elif answer not in ("sent", "failed", "unknown", "refused"):
                mistakes.append(f"{number}: the action said {answer}")
            if came and _plain(came[0]) != _plain(text):
                mistakes.append(f"{number} got {came[0]!r} instead of {text!r}")
        for (number, sequence), count in Counter(map(tuple, ledger["parts"])).items():
            if count > 1:
                mistakes.append(f"{number} got part {sequence} {count} times")
        strangers = arrived.keys() - self.outgoing.keys()
        mistakes += [f"{stranger} got what nobody sent" for stranger in strangers]
        return mistakes

    def summary(self) -> list[str]:
        """Say what was counted, in lines for people."""
        certain = sum(sms.delivered for sms in self.incoming)
        came = sum(bool(self.told[s.sender]) for s in self.incoming if not s.delivered)
        answers = Counter(self.answers.values())
        return [
            f"SMS in: {len(self.incoming)}; {certain} while a connection stood; of the "
            f"other {len(self.incoming) - certain} {came} came through",
            f"SMS out: {len(self.outgoing)}; "
            + ", ".join(
                f"{count} {answer}" for answer, count in sorted(answers.items())
            ),
        ]


def _copy(text: str) -> str:
    """Copy a text, so that the integration's own counts as given back."""
    return text.encode().decode()


def _plain(text: str) -> str:
    """Leave out what the integration writes otherwise, as its docs say."""
    return text.translate(_WRITTEN_OTHERWISE).rstrip()
