"""A span: one GSM port with its module, its SIM and its driver."""

from .channels import Channel
from .core import Core
from .phone import Phone
from .power import PowerSwitch
from .sending import SmsSender
from .span_state import SpanState
from .ussd import UssdSender

RELOAD_SECONDS = 3.0
"""How long a module needs to start again after ``gsm reload span`` (recorded)."""

SIM_MISSING = "Undetected SIM Card"
PIN_ERROR = "Pin (undefined) Error"


class SimSpan(SpanState):
    """One GSM port: its state, and the parts of the driver that work on it."""

    def __init__(self, core: Core, number: int) -> None:
        """Make a span that is ready; ``number`` counts from 1."""
        super().__init__(core, number)
        self.phone = Phone(self)
        self.power_switch = PowerSwitch(self)
        self._sim = self.imsi, self.sms_center
        self._stale_status: str | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything that is under way, as a restart of the gateway does."""
        self.hung = self.locked = self.starting = False
        self.call = None
        self.doing = None
        if not self.module_on:
            self.module_on = self.power = True
        self.sms_sender = SmsSender(self)
        self.ussd_sender = UssdSender(self)

    def sms_channel(self) -> Channel:
        """Make the channel of an incoming SMS: always ``…-1``, or ``…-2`` during a call."""
        place = 2 if self.call else 1
        return self.core.new_channel(
            f"EXTRA-SMS/{self.voice_channel}-{place}", self.context, "sms"
        )

    # ---- SIM and network -----------------------------------------------------------------

    def remove_sim(self) -> None:
        """Take the SIM card out. Network and signal stay as they were (recorded)."""
        self._without_sim(SIM_MISSING, "SIM failed", "AT+CPIN?\r\n")

    def refuse_pin(self) -> None:
        """Let the SIM card want another PIN than the driver has."""
        self._without_sim(PIN_ERROR, "PIN error", 'AT+CPIN=""\r\n')

    def _without_sim(self, status: str, event: str, command: str) -> None:
        if self.imsi:
            self._sim = self.imsi, self.sms_center
        self.imsi = self.sms_center = ""
        self.status = self._stale_status = status
        self.state = None
        self.last_event, self.last_send_at = event, command
        self._report_down("SIM Not inserted")

    def insert_sim(self) -> None:
        """Put the SIM card back, with the right PIN; the module then registers."""
        if not self.imsi:
            self.imsi, self.sms_center = self._sim
        self.core.driver_event("SimInserted", self.number)
        self.find_network()

    def lose_network(self, network_status: str = "Not registered") -> None:
        """Lose the network.

        The driver never forgets a missing SIM or a wrong PIN: from then on every loss of the
        network shows as that, though the state says otherwise (recorded).
        """
        self.network_status = network_status
        self.status = self._stale_status or "Down"
        self.state = "NET REQ"
        self.last_event, self.last_send_at = "D-channel Down", "AT+CREG?\r\n"
        self._report_down(network_status)

    def find_network(self) -> None:
        """Register in the home network."""
        self.network_status = "Registered (Home network)"
        self.status = "Up"
        self.state = None
        self.last_event, self.last_send_at = "D-Channel Up", "AT+CSQ\r\n"
        self.core.driver_event("ExtraReady", self.number)

    def _report_down(self, result: str) -> None:
        self.core.driver_event("ExtraDown", self.number, f"Result: {result}")

    def lock(self) -> None:
        """Lock the port, as a box of today can."""
        self.limits.append("Locked")
        self.core.driver_event("ExtraLock", self.number)

    def unlock(self) -> None:
        """Unlock the port."""
        self.limits.remove("Locked")
        self.core.driver_event("ExtraUnlock", self.number)

    # ---- the module ----------------------------------------------------------------------

    def reload(self) -> None:
        """Start the module again without touching its power; takes 3 s (recorded)."""
        self.core.spawn(self._start_again())

    async def _start_again(self) -> None:
        after = self.last_event, self.last_send_at
        if self.status == "Up":
            after = "D-Channel Up", "AT+CSQ\r\n"
        self.free()
        self.starting = True
        self.last_event, self.last_send_at = "Detect module OK", "ATZ\r\n"
        self._report_down("Reload")
        await self.core.power_pause(RELOAD_SECONDS)
        self.starting = False
        self.last_event, self.last_send_at = after
        if self.status == "Up":
            self.core.driver_event("ExtraReady", self.number)
