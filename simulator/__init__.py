"""An OpenVox GSM gateway without hardware: stands in for one in tests, demo and benchmarks.

It is an implementation of its own and imports nothing of the integration, so that client and
simulator do not share errors. Start with `Simulator`; as a process: ``python -m simulator``.

From the outside in, each room knows only those below it::

    stack.py      several boards behind one address
    server.py     the port that clients connect to          faults.py   what goes wrong there
    listener.py   accepts connections
    manager/      sessions of the manager interface (AMI), and its actions
    cli/          the command line: Asterisk's commands, and the driver's ``gsm …``
    model/        spans with their SIMs, SMS, USSD and calls, on Asterisk's channels
    wire.py       bytes

Beside them: `demo` and `noise` fill a gateway, `control`, `options` and ``__main__`` make it a
process that can be steered.
"""

from .model.box import Box, Dialect
from .model.calls import Call
from .model.journal import Originated, Overrun, SentPart, SentSms
from .model.outcomes import CallOutcome, SmsOutcome, UssdMenu, UssdOutcome
from .model.span import SimSpan
from .model.users import STOCK_READ, STOCK_WRITE, User
from .server import Simulator
from .stack import Stack

__all__ = [
    "STOCK_READ",
    "STOCK_WRITE",
    "Box",
    "Call",
    "CallOutcome",
    "Dialect",
    "Originated",
    "Overrun",
    "SentPart",
    "SentSms",
    "SimSpan",
    "Simulator",
    "SmsOutcome",
    "Stack",
    "User",
    "UssdMenu",
    "UssdOutcome",
]
