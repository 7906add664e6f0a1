"""What goes through a gateway: foreign events, SMS in and out, USSD, calls."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, cycle
import random
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .books import GatewayBooks, Incoming, IncomingCall, OutgoingBook, Reported, copied
from .gateway import Gateway, GatewayError

# SMS that come in, and how many of them for one that goes out. The integration
# remembers at most 200, and in the soak 50.
_FILL: Final = 220
_FILL_IN_FOR_OUT: Final = 4
_FILL_RATE: Final = 100.0  # SMS a second
_ODD_SHARE: Final = 0.1
_ONE_READ_SHARE: Final = 0.1  # of the SMS that come in, the module hands over several
_REPORT_SHARE: Final = 0.3
_DELIVERED_SHARE: Final = 0.8
_ANSWERED_SHARE: Final = 0.5
# An event of a call waits for an SMS that may have forged it (0.25 s), and is dropped if
# the connection is lost before that's known.
_CALL_PAUSE: Final = 1.0  # seconds
# A phone rings only after three. A code waits for the end of a call, and an answer that
# comes later than five seconds behind the time limit reaches the next request.
_LONGEST_CALL: Final = 3.5  # seconds
_LOOK_SECONDS: Final = 0.05
_BURST: Final = 0.25  # seconds of foreign events at once
_ANY_WAY_SHARE: Final = 0.2
_MENU_SHARE: Final = 0.3
_BUSY_SPANS: Final = 4  # so few that USSD requests have to wait for each other
_AT_ONCE: Final = (1, 1, 1, 3)  # requests on one span
_TIMEOUT: Final = 5  # seconds that the network has
_LONGEST_USSD: Final = 1.0  # seconds that the network takes
_LATE_SHARE: Final = 0.04
_LATE_USSD: Final = _TIMEOUT + 1.0  # seconds; nobody waits for the answer any more
_FORGED: Final = (
    "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
    "Variable: SMSSRC\r\nValue: +666\r\nUniqueid: 1795400000.9"
)
_TEXTS: Final = (
    "Heating is on, 21.5 C.",
    'A "quote", a \\ and a \\" of both; $HOME `id` | & <>',
    "Grüße aus Köln: 5 € für 3 Äpfel",
    "👩‍👩‍👧 ist zu Hause 🏠",
    "A text of several parts, which the phone joins again. " * 6,
    "Ein langer Text mit Umlauten: ä, ö, ü und ß, Teil für Teil. " * 4,
)
_ODD_TEXTS: Final = (
    "two\r\nlines",
    f"pay\r\n\r\n{_FORGED}",
    "half a packet\r\n\r\nEvent: VarSet\r\nChannel: EXTRA-SMS/3-1",
    "--END COMMAND--\r\n\r\nResponse: Success",
)
_USSD_TEXTS: Final = (
    "Your balance is 12.50 EUR",
    "Guthaben: 5 €, gültig bis März",
    "Two lines\nResponse: Success\n\nEvent: VarSet\nVariable: SMSSRC\nValue: +666",
    "\"1\" or 'more' \\ 0:Send USSD failed on span 1",
)
# What becomes of some of the messages and requests: how often, in a thousand.
_OUTCOMES: Final = {
    "failed": 20,
    "busy": 20,
    "timeout": 4,
    "late_success": 4,
    "late_failure": 4,
    "drop_before": 3,
    "drop_after": 3,
}
_USSD_OUTCOMES: Final = {"failed": 20, "busy": 20}


@dataclass
class Load:
    """Everything that goes through one of Home Assistant's gateways.

    `any_way` is the book of SMS that may go through any of them; `numbers` gives
    what no other load has.
    """

    hass: HomeAssistant
    entry_id: str
    gateway: Gateway
    spans: int
    books: GatewayBooks
    any_way: OutgoingBook
    numbers: count[int]
    seed: str
    sms_per_second: float  # each way
    ussd_per_second: float
    calls_per_second: float
    packets_per_second: float

    async def run(
        self, seconds: float, *, is_certain: bool = False, uses_any: bool = True
    ) -> None:
        """Run all of it for some seconds, then let what is under way end.

        Where it is certain, the network refuses nothing, and all must get through.
        Some SMS may go through any gateway, unless that is not to be used.
        """
        end = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive(end))
            group.create_task(self._send(end, is_certain, uses_any))
            group.create_task(self._ask(end, is_certain))
            if not is_certain:  # a call takes its span from an SMS
                group.create_task(self._let_call(end))
            group.create_task(self._foreign_events(end))

    async def fill(self) -> None:
        """Receive and send enough SMS to fill everything that has a limit."""
        dice = self._dice("fill")
        async with asyncio.TaskGroup() as group:
            for number in range(_FILL):
                group.create_task(self._receive_one(dice))
                if number % _FILL_IN_FOR_OUT == 0:
                    group.create_task(self._send_text("Hello", self.books.outgoing))
                await asyncio.sleep(1 / _FILL_RATE)

    async def exchange(self, *, is_certain: bool) -> None:
        """Let one of each go through."""
        dice = self._dice("exchange")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_one(dice, self.books.outgoing, is_certain))
            group.create_task(self._receive_one(dice))
            group.create_task(self._receive_in_one_read(dice))
            group.create_task(self._ask_menu(1, "Hello", is_certain))
        await self._let_call_once(dice, seconds=0.2)

    def _dice(self, name: str) -> random.Random:
        """Give an activity a seed of its own, so that none disturbs another."""
        return random.Random(f"{self.seed} {name}")

    async def _deliver(self, deed: str, *, pause: float = 0.0, **details: Any) -> bool:
        """Let something come in; return whether Home Assistant has certainly heard it.

        That is so if a connection is still there after everything has been read that was
        sent before, and after a pause in seconds.
        """
        answer = await self.gateway.do(deed, **details, watch=True)
        is_read = await self._read()
        if pause:
            await asyncio.sleep(pause)
            is_read &= await self._read()
        stays = await self.gateway.do("stay", clients=answer["clients"])
        return is_read and stays["stays"]

    async def _read(self) -> bool:
        """Wait until Home Assistant has read everything that was sent before, if it can."""
        while self._entry.state is ConfigEntryState.SETUP_IN_PROGRESS:
            await asyncio.sleep(_LOOK_SECONDS)
        if is_loaded := self._is_loaded:
            await self._entry.runtime_data.gateway.read_events()
        return is_loaded

    # Foreign events

    async def _foreign_events(self, end: float) -> None:
        now = asyncio.get_running_loop().time
        packets = round(self.packets_per_second * _BURST)
        while (begun := now()) < end:
            await self.gateway.do("noise", packets=packets)
            await asyncio.sleep(begun + _BURST - now())

    # SMS in

    async def _receive(self, end: float) -> None:
        dice = self._dice("receive")
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                is_single = dice.random() >= _ONE_READ_SHARE
                receive = self._receive_one if is_single else self._receive_in_one_read
                group.create_task(receive(dice))
                await asyncio.sleep(dice.expovariate(self.sms_per_second))

    async def _receive_one(self, dice: random.Random) -> None:
        """Let one SMS come in, and note whether it was delivered."""
        sms = self._new_sms(dice)
        details: dict[str, Any] = self._at_a_span(dice) | sms
        is_heard = await self._deliver("sms", **details)
        self._note_received(sms, is_heard)

    async def _receive_in_one_read(self, dice: random.Random) -> None:
        """Let several come in that the module hands over in one read."""
        several = [self._new_sms(dice) for _ in range(dice.randrange(2, 4))]
        span = self._at_a_span(dice)
        is_heard = await self._deliver("sms-in-one-read", **span, sms=several)
        for sms in several:
            self._note_received(sms, is_heard)

    def _new_sms(self, dice: random.Random) -> dict[str, str]:
        sender = f"+4917{next(self.numbers)}"
        text = f"{sender}: {dice.choice(_TEXTS)}"
        if dice.random() < _ODD_SHARE:
            text = f"{sender[-4:]}: {dice.choice(_ODD_TEXTS)}"
        return {"from": sender, "text": text}

    def _note_received(self, sms: dict[str, str], is_heard: bool) -> None:
        self.books.incoming.sms.append(Incoming(sms["from"], sms["text"], is_heard))

    def _at_a_span(self, dice: random.Random) -> dict[str, Any]:
        return {"span": dice.randrange(1, self.spans + 1)}

    # SMS out

    async def _send(self, end: float, is_certain: bool, uses_any: bool) -> None:
        dice = self._dice("send")
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(dice.expovariate(self.sms_per_second))
                outcome = _outcome(dice, _OUTCOMES)
                if outcome and not is_certain:
                    span = dice.randrange(1, self.spans + 1)
                    await self.gateway.do("outcome", span=span, outcome=outcome)
                by_any = uses_any and dice.random() < _ANY_WAY_SHARE
                book = self.any_way if by_any else self.books.outgoing
                group.create_task(self._send_one(dice, book, is_certain))

    async def send_through(self, span: int) -> None:
        """Send one SMS through a span, whatever comes of it."""
        await self._send_text("Hello", self.books.outgoing, span=span)

    async def send_at_once(self, count: int) -> Counter[str]:
        """Send a number of short SMS at once; return what the action says of each."""
        sendings = (self._send_text("Hello", self.books.outgoing) for _ in range(count))
        return Counter(status for _, status, _ in await asyncio.gather(*sendings))

    async def _send_one(
        self, dice: random.Random, book: OutgoingBook, is_certain: bool
    ) -> None:
        """Send one SMS, which the network may report."""
        text = dice.choice(_TEXTS)
        is_reported = dice.random() < _REPORT_SHARE
        is_delivered = dice.random() < _DELIVERED_SHARE
        target, status, message = await self._send_text(text, book, is_certain)
        if status == "sent" and is_reported and book is self.books.outgoing:
            await self._report(target, message, is_delivered)

    async def _send_text(
        self,
        text: str,
        book: OutgoingBook,
        is_certain: bool = False,
        **data: Any,
    ) -> tuple[str, str, dict[str, Any]]:
        """Send one SMS and note what the action says; return target, status, response."""
        target = f"+4916{next(self.numbers)}"
        text = f"{target}: {text}"
        book.texts[target] = text
        if is_certain:
            book.certain.add(target)
        # A copy: what Home Assistant keeps with a text as it saves it isn't the book's.
        data |= {"target": target, "message": copied(text), "timeout": _TIMEOUT}
        if book is not self.any_way:
            data["config_entry_id"] = self.entry_id
        try:
            response = await self._call("notify", "send_sms", data)
        except HomeAssistantError:
            book.answers[target] = "refused"  # the entry is not loaded
            return target, "refused", {}
        (message,) = response["messages"]
        book.answers[target] = status = message["status"]
        return target, status, message

    async def _report(
        self, number: str, message: dict[str, Any], is_delivered: bool
    ) -> None:
        """Let the network report each part of a message: all delivered, or none."""
        report = {"span": message["span"], "to": number, "delivered": is_delivered}
        made = heard = 0
        with suppress(GatewayError):  # the SIM was pulled
            while made < message["parts"]:
                heard += await self._deliver("report", **report)
                made += 1
        if made:
            self.books.reports.messages.append(
                Reported(number, is_delivered, made, heard == message["parts"])
            )

    # USSD

    async def _ask(self, end: float, is_certain: bool) -> None:
        dice = self._dice("ask")
        # What must get through shares its span with nobody who could close its menu.
        spans = cycle(range(1, (self.spans if is_certain else _BUSY_SPANS) + 1))
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(dice.expovariate(self.ussd_per_second))
                span = next(spans)
                outcome = _outcome(dice, _USSD_OUTCOMES)
                if outcome and not is_certain:
                    await self.gateway.do("ussd-outcome", span=span, outcome=outcome)
                for _ in range(1 if is_certain else dice.choice(_AT_ONCE)):
                    is_menu = dice.random() < _MENU_SHARE
                    ask = self._ask_menu if is_menu else self._ask_code
                    text = dice.choice(_USSD_TEXTS)
                    duration = dice.uniform(0, _LONGEST_USSD)
                    if not is_certain and dice.random() < _LATE_SHARE:
                        duration = _LATE_USSD
                    group.create_task(ask(span, text, is_certain, duration))

    async def _ask_code(
        self, span: int, text: str, is_certain: bool, duration: float = 0.0
    ) -> None:
        """Ask once; the network takes `duration` seconds."""
        code = f"*100*{next(self.numbers)}#"
        answer = f"{code}: {text}"
        await self.gateway.do(
            "ussd", span=span, code=code, text=answer, duration=duration
        )
        await self._ask_one(span, code, answer, is_certain)

    async def _ask_menu(
        self, span: int, text: str, is_certain: bool, duration: float = 0.0
    ) -> None:
        """Ask for a menu, and choose from it; the network takes `duration` seconds each time."""
        reply = str(next(self.numbers))
        code = f"*101*{reply}#"
        menu, answer = f"Menu {code}, choose {reply}", f"{reply}: {text}"
        await self.gateway.do(
            "ussd",
            span=span,
            code=code,
            text=menu,
            replies={reply: answer},
            duration=duration,
        )
        if await self._ask_one(span, code, menu, is_certain) == "reply_expected":
            await self._ask_one(span, reply, answer, is_certain)

    async def _ask_one(
        self, span: int, code: str, answer: str, is_certain: bool
    ) -> str | None:
        """Send one request, note what the action says; return the status, None without."""
        book = self.books.ussd
        book.expected[code] = answer
        if is_certain:
            book.certain.add(code)
        data = {"code": code, "span": span, "timeout": _TIMEOUT}
        data["config_entry_id"] = self.entry_id
        try:
            reply = await self._call("openvox", "send_ussd", data)
        except HomeAssistantError as err:
            book.errors[code] = str(err.translation_key).removeprefix("ussd_")
            return None
        book.replies[code] = copied(reply["message"])
        status: str = reply["status"]
        return status

    # Calls

    async def _let_call(self, end: float) -> None:
        dice = self._dice("calls")
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(dice.expovariate(self.calls_per_second))
                seconds = dice.uniform(0.1, _LONGEST_CALL)
                group.create_task(self._let_call_once(dice, seconds))

    async def _let_call_once(self, dice: random.Random, seconds: float) -> None:
        """Let somebody call for some seconds, and note whether that was heard."""
        caller = f"+4915{next(self.numbers)}"
        is_answered = dice.random() < _ANSWERED_SHARE
        call = {"from": caller, "answer": is_answered, "hangup_after": seconds}
        was_loaded = self._is_loaded
        try:
            stayed = await self._deliver(
                "call", pause=_CALL_PAUSE, **self._at_a_span(dice), **call
            )
        except GatewayError:
            return  # the span takes no call now
        # Ringing is no news any more when the entry is loaded again.
        is_heard = stayed and was_loaded and self._is_loaded
        self.books.calls.calls.append(IncomingCall(caller, is_answered, is_heard))

    @property
    def _entry(self) -> ConfigEntry:
        return self.hass.config_entries.async_get_known_entry(self.entry_id)

    @property
    def _is_loaded(self) -> bool:
        return self._entry.state is ConfigEntryState.LOADED

    async def _call(self, domain: str, action: str, data: dict[str, Any]) -> Any:
        return await self.hass.services.async_call(
            domain, action, data, blocking=True, return_response=True
        )


def _outcome(dice: random.Random, kinds: dict[str, int]) -> str | None:
    """Draw what becomes of a message or a request; None for most, which succeed."""
    (outcome,) = dice.choices(
        [None, *kinds], [1000 - sum(kinds.values()), *kinds.values()]
    )
    return outcome
