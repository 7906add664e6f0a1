"""A span: one GSM port with its module, its SIM and its driver.

Everything a test or the demo may want to change is a plain attribute. What goes out (SMS,
USSD) runs in tasks of the span, so that a message the module keeps can leave it later than
the command that brought it was answered.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
import re
from typing import TYPE_CHECKING

from .channels import Channel
from .model import (
    CallOutcome,
    ConnectionDropped,
    Firmware,
    NeverAnswered,
    Overrun,
    SentPart,
    SmsOutcome,
    UssdMenu,
    UssdOutcome,
)
from .sms import OutgoingText

if TYPE_CHECKING:
    from .calls import Call
    from .gateway import Simulator

POWER_ON_SECONDS, POWER_OFF_SECONDS, POWER_RESET_SECONDS = 9.0, 4.0, 13.0
"""How long the power commands take (chan_extra 2.0.8)."""

_STATE_OF_STATUS = {
    "Up": "READY",
    "Undetected SIM Card": "SIM READY REQ",
    "No Signal": "NET REQ",
    "Down": "DOWN",
}


_INVALID_CHOICE = UssdMenu("Invalid choice", response=2)
"""What the network says to a reply that its menu does not have.

Guess: that it ends the session then (others show the menu again), and the wording.
"""


class SendAnswer(Enum):
    """How a synchronous send ends for the one who waits; the value is the driver's wording."""

    SUCCESS = "SUCCESSFULLY"
    FAILED = "WAS FAILED"
    TIMEOUT = "TIMEOUT"
    USING = "WAS USING"


@dataclass(frozen=True)
class OutgoingSms:
    """One SMS on its way out; ``raw`` are the bytes of its text in the command."""

    number: str
    raw: str
    text: OutgoingText
    flash: bool
    id: str | None
    flag: int | None = None
    count: int = 1
    sequence: int = 1


@dataclass(frozen=True)
class UssdAnswer:
    """How a USSD request ends for the one who waits."""

    outcome: UssdOutcome
    menu: UssdMenu | None = None


class SimSpan:
    """One GSM port. All attributes without underscore may be set at any time."""

    def __init__(self, gateway: Simulator, number: int) -> None:
        """Make a span that is ready; ``number`` counts from 1."""
        self._gateway = gateway
        self.number = number

        self.power = True
        self.provisioned = True
        self.alarm = False
        self.status = "Up"
        self.active = True
        self.dchannel_running = True
        self.power_fails = False

        self.manufacturer = "SIMCOM_Ltd"
        self.model = "SIMCOM_SIM840W"
        self.imei = f"8600410209856{number:02d}"
        self.revision = "Revision:1224B02SIM840W16"
        self.operator = "CHINA MOBILE"
        self.network_status = "Registered (Home network)"
        self.signal = 20
        self.ber = 0
        self.imsi = f"4600211805905{number:02d}"
        self.sms_center = "+8613800755500"
        self.own_number = ""
        self.pdd = 7
        self.asr = 20
        self.acd = 12
        self.last_event = "D-Channel Up"
        self.last_send_at = "AT+CREG?\r\n"
        self.last_receive_at = "\r\nOK\r\n"

        self.sms_mode = "pdu"
        self.sms_coding = "utf-8"
        self.send_sms_center = ""
        self.sms_outcomes: deque[SmsOutcome] = deque()
        self.send_duration = 0.0
        self.send_events = False
        self.late_after = 0.05

        self.ussd: dict[str, UssdMenu | str] = {}
        self.ussd_outcomes: deque[UssdOutcome] = deque()
        self.ussd_duration = 0.0
        # Guess: so many seconds a network waits for the reply to a menu.
        self.menu_seconds = 120.0

        self.call: Call | None = None
        self.call_outcomes: deque[CallOutcome | tuple[CallOutcome, float]] = deque()
        self.statistics = dict.fromkeys(
            [
                "count",
                "duration",
                "answered",
                "cancel",
                "busy",
                "no_answer",
                "no_dialtone",
                "no_carrier",
            ],
            0,
        )

        self._state: str | None = None
        self.module_on = True
        self._status_before_off = "Up"
        self.reset()

    def reset(self) -> None:
        """Forget everything that is under way, as a restart of the gateway does."""
        self.hung = False
        self.call = None
        self._switch_module_on()
        self._doing: str | None = None
        self._module = asyncio.Lock()
        self._driver = asyncio.Lock()
        self._waiter: asyncio.Future[SendAnswer] | None = None
        self._ussd_waiters: deque[asyncio.Future[UssdAnswer]] = deque()
        self._open_menu: UssdMenu | None = None
        self._menu_ends = 0.0

    # ---- what it says of itself ----------------------------------------------------------

    @property
    def voice_channel(self) -> int:
        """Give the number of the voice channel (app note: span 2 is channel 3)."""
        return 2 * self.number - 1

    @property
    def context(self) -> str:
        """Give the dialplan context (app note: ``gsm-2``)."""
        return f"gsm-{self.number}"

    @property
    def state(self) -> str:
        """Give the ``State`` line; setting None lets it follow the status again."""
        if self.call:
            return self.call.state
        return self._doing or self._resting_state

    @state.setter
    def state(self, state: str | None) -> None:
        self._state = state

    @property
    def _resting_state(self) -> str:
        if self._state is not None:
            return self._state
        if self.status.startswith("Pin"):
            return "SIM PIN REQ"
        return _STATE_OF_STATUS.get(self.status, "DOWN") if self.power else "DOWN"

    @property
    def ready(self) -> bool:
        """Say whether the module takes an SMS or a USSD request now (part 3 of the notes)."""
        return (
            self.power
            and self.module_on
            and self.status == "Up"
            and self.active
            and self.call is None
            and self._resting_state == "READY"
        )

    @property
    def status_line(self) -> str:
        """Give the list of states in the driver's order; without power it is always down."""
        words = ["Power on" if self.power else "Power off"]
        if self.provisioned:
            words.append("Provisioned")
        if self.alarm:
            words.append("In Alarm")
        words.append(self.status if self.power else "Down")
        line = ", ".join([*words, "Active" if self.active else "Standby"])
        # Later firmware leaves out the last blank (captures from real gateways).
        blank = "" if self._gateway.firmware is Firmware.LATER else " "
        return f"{line},{blank}Standard"

    # ---- SMS out -------------------------------------------------------------------------

    async def send_and_wait(self, sms: OutgoingSms, timeout: float) -> SendAnswer:
        """Send an SMS and wait for its outcome, at most ``timeout`` seconds.

        A time-out does not take the message back. Raises ConnectionDropped if a scripted
        fault wants the session to lose its connection.
        """
        if self._waiter is not None or self._scripted_busy():
            return SendAnswer.USING
        self._waiter = asyncio.get_running_loop().create_future()
        self.hand_over(sms)
        try:
            async with asyncio.timeout(timeout):
                return await self._waiter
        except TimeoutError:
            return SendAnswer.TIMEOUT
        except NeverAnswered:
            return await self._gateway.forever()
        finally:
            self._waiter = None

    def _scripted_busy(self) -> bool:
        if self.sms_outcomes and self.sms_outcomes[0] is SmsOutcome.BUSY:
            self.sms_outcomes.popleft()
            return True
        return False

    def hand_over(self, sms: OutgoingSms) -> None:
        """Give an SMS to the module, which sends it when it can and tells nobody."""
        if sms.text.overruns:
            self._gateway.overruns.append(
                Overrun(self.number, sms.text.alphabet, sms.text.units)
            )
        self._gateway.spawn(self._transmit(sms))

    async def _transmit(self, sms: OutgoingSms) -> None:
        async with self._module:
            while not self.ready:  # chan_extra 2.0.8: tried again every 2 s, for ever
                await asyncio.sleep(self._gateway.retry_interval)
            outcome = (
                self.sms_outcomes.popleft() if self.sms_outcomes else SmsOutcome.SUCCESS
            )
            if not sms.text.fits(part=sms.flag is not None):
                # Guess: the network refuses what is too long for one SMS, before the prompt.
                outcome = SmsOutcome.TIMEOUT
            await self._work("SMS SENDING", self.send_duration)
        match outcome:
            case SmsOutcome.SUCCESS:
                self._gone_out(sms)
                self._answer(SendAnswer.SUCCESS)
            case SmsOutcome.FAILED:
                self._refused(sms)
                self._answer(SendAnswer.FAILED)
            case SmsOutcome.LATE_SUCCESS | SmsOutcome.LATE_FAILURE:
                self._answer(SendAnswer.TIMEOUT)
                await asyncio.sleep(self.late_after)
                if outcome is SmsOutcome.LATE_SUCCESS:
                    self._gone_out(sms)
                    self._answer(SendAnswer.SUCCESS)
                else:
                    self._refused(sms)
                    self._answer(SendAnswer.FAILED)
            case SmsOutcome.TIMEOUT:
                self._answer(SendAnswer.TIMEOUT)
            case SmsOutcome.DROP_AFTER:
                self._gone_out(sms)
                self._fail(ConnectionDropped())
            case SmsOutcome.DROP_BEFORE:
                self._fail(ConnectionDropped())
            case SmsOutcome.HANG:
                self._fail(NeverAnswered())
            case SmsOutcome.BUSY:
                pass  # only for a message that nobody waits for

    async def _work(self, state: str, seconds: float) -> None:
        """Keep the module busy for a time."""
        self._doing = state
        try:
            await asyncio.sleep(seconds)
        finally:
            self._doing = None

    def _answer(self, answer: SendAnswer) -> None:
        """Wake whoever waits: the driver does not ask whose answer it is."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def _gone_out(self, sms: OutgoingSms) -> None:
        self.last_event = "SMS send OK"
        self._gateway.record_sent(
            SentPart(
                self.number,
                sms.number,
                sms.text.shown,
                sms.text.alphabet,
                sms.flash,
                sms.id,
                sms.flag,
                sms.count,
                sms.sequence,
            )
        )
        self._raise_send_event("sms_send_ok", sms)

    def _refused(self, sms: OutgoingSms) -> None:
        self.last_event = "SMS send failed"
        self._raise_send_event("sms_send_failed", sms)

    def _raise_send_event(self, exten: str, sms: OutgoingSms) -> None:
        """Raise the outcome as an event, where the dialplan has the extension for it.

        Guess: the PDU is left empty, the type is the mode, and the dialplan's only steps are
        NoOp and Hangup; the names and the order of the variables are the driver's.
        """
        if not self.send_events:
            return
        channel = self._gateway.new_channel(
            f"EXTRA-SMSSEND/{self.voice_channel}-1", self.context, exten
        )
        self._gateway.run_dialplan(
            channel,
            {
                "SMS_SEND_ID": sms.id or "",
                "SMS_SEND_SENDER": sms.number,
                "SMS_SEND_TXT": sms.raw,
                "SMS_SEND_PDU": "",
                "SMS_SEND_TYPE": self.sms_mode,
            },
            [("NoOp", sms.raw)],
        )

    # ---- USSD ----------------------------------------------------------------------------

    async def send_ussd(self, code: str, timeout: float) -> UssdAnswer:
        """Send a USSD code and wait for an answer, at most ``timeout`` seconds.

        In chan_extra 2.0.8 a second request goes out at once, and the answers go to whoever
        waits longest. Guess: later firmware says that it is busy, as both print it.
        """
        self._gateway.ussd_requests.append(code)
        if self._ussd_waiters:
            self._gateway.ussd_overlaps.append(code)
        if self.ussd_outcomes and self.ussd_outcomes[0] is UssdOutcome.BUSY:
            self.ussd_outcomes.popleft()
            return UssdAnswer(UssdOutcome.BUSY)
        if self._ussd_waiters and self._gateway.firmware is Firmware.LATER:
            return UssdAnswer(UssdOutcome.BUSY)
        waiter: asyncio.Future[UssdAnswer] = asyncio.get_running_loop().create_future()
        self._ussd_waiters.append(waiter)
        self._gateway.spawn(self._ask_network(code))
        try:
            async with asyncio.timeout(timeout):
                return await waiter
        except TimeoutError:
            return UssdAnswer(UssdOutcome.TIMEOUT)
        except NeverAnswered:
            return await self._gateway.forever()
        finally:
            if waiter in self._ussd_waiters:
                self._ussd_waiters.remove(waiter)

    async def _ask_network(self, code: str) -> None:
        while not self.ready:
            await asyncio.sleep(self._gateway.retry_interval)
        outcome = (
            self.ussd_outcomes.popleft() if self.ussd_outcomes else UssdOutcome.SUCCESS
        )
        await self._work("USSD SENDING", self.ussd_duration)
        self._gateway.tell(f"span {self.number}: USSD {code}")
        menu = self._network_answer(code) if outcome is UssdOutcome.SUCCESS else None
        if menu is not None and not menu.text:
            outcome, menu = (
                UssdOutcome.FAILED,
                None,
            )  # the driver takes no text for a failure
        if outcome is UssdOutcome.LATE_FAILURE:
            self._answer_ussd(
                lambda waiter: waiter.set_result(UssdAnswer(UssdOutcome.TIMEOUT))
            )
            await asyncio.sleep(self.late_after)
            outcome = UssdOutcome.FAILED
        if outcome is UssdOutcome.HANG:
            self._answer_ussd(lambda waiter: waiter.set_exception(NeverAnswered()))
            return
        if menu is not None:
            self._gateway.ussd_answers.append((code, menu.text))
        if outcome is UssdOutcome.SUCCESS:
            self.last_event = "USSD received"
        elif outcome is UssdOutcome.FAILED:
            self.last_event = "USSD send failed"
        self._answer_ussd(lambda waiter: waiter.set_result(UssdAnswer(outcome, menu)))

    def _answer_ussd(
        self, settle: Callable[[asyncio.Future[UssdAnswer]], None]
    ) -> None:
        """Wake the one who waits longest, whosever answer it is."""
        while self._ussd_waiters:
            waiter = self._ussd_waiters.popleft()
            # One that was cancelled or whose time is over has yet to leave.
            if not waiter.done():
                settle(waiter)
                return

    def _network_answer(self, code: str) -> UssdMenu:
        """Find the network's answer; while a menu is open, everything is a reply to it."""
        now = asyncio.get_running_loop().time()
        answer: UssdMenu | str
        if self._open_menu is not None and now < self._menu_ends:
            answer = self._open_menu.replies.get(code, _INVALID_CHOICE)
        else:
            # The wording is from a capture of a real gateway.
            answer = self.ussd.get(code, "UNKNOWN APPLICATION")
        menu = UssdMenu(answer) if isinstance(answer, str) else answer
        self._open_menu = menu if menu.replies else None
        self._menu_ends = now + self.menu_seconds
        return self._decoded(menu)

    @staticmethod
    def _decoded(menu: UssdMenu) -> UssdMenu:
        """Fill in what is left open, and decode hex as the driver does.

        A text that is an even number of hex digits is taken for UCS-2, even if it is meant
        as a plain number.
        """
        text = menu.text
        if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text):
            text = bytes.fromhex(text).decode("utf-16-be", "ignore")
        code = menu.code if menu.code is not None else (15 if text.isascii() else 72)
        response = (
            menu.response if menu.response is not None else int(bool(menu.replies))
        )
        return UssdMenu(text, menu.replies, code, response)

    # ---- power ---------------------------------------------------------------------------

    async def switch_on(self) -> bool:
        """Switch the module on; takes 9 s. Says whether it worked."""
        async with self._driver:
            await self._gateway.power_pause(POWER_ON_SECONDS)
            return self._switch_on()

    async def switch_off(self) -> bool | None:
        """Switch the module off; takes 4 s. None if it was off, False if it did not work."""
        async with self._driver:
            if not (self.power and self.module_on):
                return None
            await self._gateway.power_pause(POWER_OFF_SECONDS)
            return self._switch_off()

    async def switch_off_and_on(self) -> bool:
        """Reset the module; takes 13 s. Says whether it worked."""
        async with self._driver:
            await self._gateway.power_pause(POWER_OFF_SECONDS)
            if self.power and self.module_on and not self._switch_off():
                return False
            await self._gateway.power_pause(POWER_RESET_SECONDS - POWER_OFF_SECONDS)
            return self._switch_on()

    def _switch_on(self) -> bool:
        if self.power_fails:
            return False
        self.power = True
        self._switch_module_on()
        self.last_event = "D-Channel Up"
        return True

    def _switch_module_on(self) -> None:
        """Bring back the status that the module had before it was switched off."""
        if not self.module_on:
            self.module_on = self.power = True
            self.status = self._status_before_off

    def _switch_off(self) -> bool:
        if self.power_fails:
            return False
        if self.call:
            self.call.end(cause=0)
        self._status_before_off = self.status
        self.status = "Down"
        self.module_on = False
        # In chan_extra 2.0.8 the status goes on to say "Power on".
        self.power = self._gateway.firmware is Firmware.CHAN_EXTRA_2_0_8
        self.last_event = "D-Channel Down"
        return True

    # ---- SMS in --------------------------------------------------------------------------

    def sms_channel(self) -> Channel:
        """Make the channel of an incoming SMS: always ``…-1``, or ``…-2`` during a call."""
        place = 2 if self.call else 1
        return self._gateway.new_channel(
            f"EXTRA-SMS/{self.voice_channel}-{place}", self.context, "sms"
        )
