"""A span: one GSM port with its module, its SIM and its driver."""

from .channels import Channel
from .core import Core
from .phone import Phone
from .power import PowerSwitch
from .sending import SmsSender
from .span_state import SpanState
from .ussd import UssdSender


class SimSpan(SpanState):
    """One GSM port: its state, and the parts of the driver that work on it."""

    def __init__(self, core: Core, number: int) -> None:
        """Make a span that is ready; ``number`` counts from 1."""
        super().__init__(core, number)
        self.phone = Phone(self)
        self.power_switch = PowerSwitch(self)
        self.reset()

    def reset(self) -> None:
        """Forget everything that is under way, as a restart of the gateway does."""
        self.hung = False
        self.call = None
        self.doing = None
        self.power_switch.bring_back()
        self.sms_sender = SmsSender(self)
        self.ussd_sender = UssdSender(self)

    def sms_channel(self) -> Channel:
        """Make the channel of an incoming SMS: always ``…-1``, or ``…-2`` during a call."""
        place = 2 if self.call else 1
        return self.core.new_channel(
            f"EXTRA-SMS/{self.voice_channel}-{place}", self.context, "sms"
        )
