"""An OpenVox GSM gateway without hardware: stands in for one in tests, demo and benchmarks.

It is an implementation of its own and imports nothing of the integration, so that client and
simulator do not share errors. Start with `Simulator`; as a process: ``python -m simulator``.
"""

from .calls import Call
from .gateway import Simulator
from .model import (
    STOCK_READ,
    STOCK_WRITE,
    CallOutcome,
    Dialect,
    Firmware,
    Originated,
    Overrun,
    SentPart,
    SentSms,
    SmsOutcome,
    User,
    UssdMenu,
    UssdOutcome,
)
from .span import SimSpan

__all__ = [
    "STOCK_READ",
    "STOCK_WRITE",
    "Call",
    "CallOutcome",
    "Dialect",
    "Firmware",
    "Originated",
    "Overrun",
    "SentPart",
    "SentSms",
    "SimSpan",
    "Simulator",
    "SmsOutcome",
    "User",
    "UssdMenu",
    "UssdOutcome",
]
