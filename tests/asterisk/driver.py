"""Stands in for the gateway's driver: brings SMS into Asterisk's dialplan."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
import itertools
import re
from typing import Final

from custom_components.openvox_gsm.ami import Session
from simulator.model.deliver import deliver
from simulator.model.driver_sms import driver_escape, driver_reading

# The channels on which the dialplan of an SMS runs here.
CHANNEL: Final = re.compile(r"Local/sms@voice-(?P<voice>[0-9]+)-[0-9a-f]{8};2")
MARK: Final = "Local/sms@voice-"
SPANS: Final = (1, 2, 3)

_numbers = itertools.count()


@dataclass(frozen=True)
class Delivery:
    """One SMS, or one part of a long one: the variables that the driver sets."""

    span: int
    variables: dict[str, bytes]


def deliveries(
    span: int, sender: str, text: str, *, with_pdu: bool = True
) -> list[Delivery]:
    """Make what the driver hands to Asterisk of a message, part by part.

    No two messages are of the same second: the network sends an SMS again whose
    receipt it has missed.
    """
    number = next(_numbers)
    parts = deliver(
        sender,
        text,
        datetime(2026, 3, 14) + timedelta(seconds=number),
        8,
        "+8613800755500",
        reference=number % 256,
    )
    made = []
    for part in parts:
        reading = driver_reading(part.pdu, "utf-8")
        variables = {
            "SMSSRC": reading.sender,
            "SMSTXT": driver_escape(reading.text),
            "SMSPDU": part.pdu if with_pdu else "",
            "SMSTIME": reading.time,
            "SMSTZ": reading.zone,
        }
        encoded = {name: value.encode("latin-1") for name, value in variables.items()}
        made.append(Delivery(span, encoded))
    return made


async def bring(session: Session, messages: Iterable[Delivery]) -> None:
    """Let SMS come in, all at about the same time."""
    for message in messages:
        # Dial hands variables on in the reverse order.
        steps = [_set(*each) for each in reversed(message.variables.items())]
        await session.action(
            "Originate",
            [
                ("Channel", f"Local/{2 * message.span - 1}@driver/n"),
                ("Application", "NoOp"),
                ("Async", "true"),
                *(("Variable", f"SET_{n}={step}") for n, step in enumerate(steps, 1)),
            ],
        )


def _set(name: str, value: bytes) -> str:
    """Return the dialplan's step that sets a variable to any bytes."""
    decoded = f"${{BASE64_DECODE({base64.b64encode(value).decode()})}}"
    return f"Set(_{name}={decoded if value else ''})"
