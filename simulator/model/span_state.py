"""What a span is at the moment, and what its driver says of it."""

import asyncio
from collections import deque

from .box import Box
from .calls import Call
from .core import Core
from .outcomes import CallOutcome, SmsOutcome, UssdMenu, UssdOutcome

_STATE_OF_STATUS = {
    "Up": "READY",
    "Undetected SIM Card": "SIM READY REQ",
    "No Signal": "NET REQ",
    "Down": "DOWN",
}


class SpanState:
    """One GSM port. All attributes without underscore may be set at any time."""

    def __init__(self, core: Core, number: int) -> None:
        """Make a span that is ready; ``number`` counts from 1."""
        self.core = core
        self.number = number

        self.power = True
        self.provisioned = True
        self.alarm = False
        self.status = "Up"
        self.active = True
        self.dchannel_running = True
        self.module_on = True
        self.starting = False
        """Whether the module starts, so that the driver does not know it yet."""
        self.locked = False
        """Whether the driver sends nothing any more, for it keeps its own lock."""
        self.hung = False
        """Whether the driver never answers a command for this span."""

        self.manufacturer = "SIMCOM_Ltd"
        self.model = "SIMCOM_SIM840W"
        # No two boards have the same modules and SIMs.
        self.imei = f"8600410209{855 + core.board}{number:02d}"
        self.revision = "Revision:1224B02SIM840W16"
        self.operator = "CHINA MOBILE"
        self.network_status = "Registered (Home network)"
        self.signal = 20
        self.ber = 0
        self.imsi = f"46002118059{4 + core.board:02d}{number:02d}"
        self.sms_center = "+8613800755500"
        self.own_number = ""
        self.pdd = 7
        self.asr = 20
        self.acd = 12
        self.last_event = "D-Channel Up"
        self.last_send_at = "AT+CREG?\r\n"
        self.last_receive_at = "\r\nOK\r\n"

        self.power_fails = False
        """Whether the power commands do not work."""

        self.debugging = False
        self.limits: list[str] = []
        """What the port of a box of today may not do: Call, Sms, Locked, Marked."""

        self.sms_mode = "pdu"
        self.sms_coding = "utf-8"
        self.send_sms_center = ""
        self.sms_outcomes: deque[SmsOutcome] = deque()
        self.send_duration = 0.0
        self.send_events = False
        """Whether the dialplan has extensions for the outcome of an SMS."""
        self.deliveries: deque[bool] = deque()
        """Whether the next SMS reach their phones; True when empty."""
        self.delivery_duration = 0.0
        """Seconds from the sending to the status report."""
        self.late_after = 0.05
        """Seconds after which a late outcome comes."""

        self.ussd: dict[str, UssdMenu | str] = {}
        """What the network answers to a USSD code."""
        self.ussd_outcomes: deque[UssdOutcome] = deque()
        self.ussd_duration = 0.0
        self.menu_seconds = 120.0
        """Guess: how long a network waits for the reply to a menu."""

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

        self.doing: str | None = None
        """The state while an SMS or a USSD code is on its way."""
        self._state: str | None = None
        self._restarted = asyncio.Event()

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
        if self.starting:
            return "UP"
        if self.call:
            return self.call.state
        return self.doing or self._resting_state

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

    def is_limited(self, what: str) -> bool:
        """Say whether the port may not do something now. Guess: what comes of trying it."""
        return what in self.limits or "Locked" in self.limits

    @property
    def seems_ready(self) -> bool:
        """Say whether the driver hands an SMS or a USSD request to the module now."""
        return (
            self.power
            and self.status == "Up"
            and self.active
            and self.call is None
            and not (self.starting or self.locked)
            and self._resting_state == "READY"
        )

    @property
    def ready(self) -> bool:
        """Say whether the module takes an SMS, a USSD request or a call now."""
        return self.seems_ready and self.module_on

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
        # Boxes of today leave out the last blank (captures from real gateways).
        blank = "" if self.core.box is Box.TODAY else " "
        return f"{line},{blank}Standard"

    # ---- the module ----------------------------------------------------------------------

    def module_goes_off(self) -> None:
        """Lose the power. The driver of 2013 goes on to say what it said before."""
        if self.call:
            self.call.end(cause=0)
        self.module_on = False
        if self.core.box is Box.TODAY:
            self.power = False
            self.last_event = "D-Channel Down"
            self.core.driver_event("ExtraDown", self.number, "Result: Power off")

    def module_goes_on(self) -> None:
        """Get power, perhaps once more: what was under way in the module is lost."""
        self.module_on = self.power = True
        self.last_event = "D-Channel Up"
        self.core.driver_event("ExtraReady", self.number)
        self.free()

    def free(self) -> None:
        """End what the module never answered."""
        self._restarted.set()
        self._restarted = asyncio.Event()

    async def freed(self) -> None:
        """Wait until the module starts again."""
        await self._restarted.wait()
