"""Sends a message by the gateways that may have it, and tells what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import OpenVoxCoordinator
from .gateway import SMS_TIMEOUT, InvalidTextError, SendFailure, SendResult

# What comes from a gateway that did not even try.
_NOT_TRIED: Final = (SendFailure.NO_SPAN_READY, SendFailure.NOT_CONNECTED)


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """A text for one number; `timeout` is in seconds, for each part."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    span: int | None = None
    timeout: int = SMS_TIMEOUT
    flash: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, and by which gateway."""

    coordinator: OpenVoxCoordinator
    result: SendResult

    @property
    def reason(self) -> str | None:
        """Why it was not sent, in the server's language; None where it was."""
        result = self.result
        if result.failure is None:
            return None
        hass = self.coordinator.hass
        texts = async_get_cached_translations(
            hass, hass.config.language, "exceptions", DOMAIN
        )

        def text(key: str, **placeholders: object) -> str:
            form = texts[f"component.{DOMAIN}.exceptions.{key}.message"]
            return form.format(**placeholders)

        key, room = f"sms_{result.failure}", None
        if result.failure is SendFailure.LIMIT_REACHED:
            room = self.coordinator.budget.room_from(result.parts)
            key = "sms_limit_reached" if room else "sms_over_limit"
        reason = text(
            key,
            gateway=self.coordinator.config_entry.title,
            span=result.span,
            parts=result.parts,
            time=room and _clock(room),
        )
        if result.parts_sent:
            sent = text("sms_parts_sent", sent=result.parts_sent, parts=result.parts)
            reason += f" ({sent})"
        return f"{reason}: {result.detail}" if result.detail else reason


def _clock(time: datetime) -> str:
    """Write a local time that is at most a day away; with the date unless today's."""
    return (
        f"{time:%H:%M}" if time.date() == dt_util.now().date() else f"{time:%F %H:%M}"
    )


def text_error(err: InvalidTextError) -> ServiceValidationError:
    """Say in words for a person why a text cannot be sent."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=f"text_{err.fault}",
        translation_placeholders={"detail": err.detail},
    )


async def async_send(
    sms: OutgoingSms, coordinators: Sequence[OpenVoxCoordinator]
) -> Outcome:
    """Send a message by one gateway, by the next where it certainly was not sent.

    Whoever gives this up ends the message. What is under way cannot be taken back:
    it goes on, and the bus is told of it when its fate is known.

    Raises InvalidTextError; nothing was sent then.
    """
    given_up = asyncio.Event()
    sending = coordinators[0].hass.async_create_task(
        _send(sms, coordinators, given_up), "OpenVox SMS"
    )
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        given_up.set()
        raise


async def _send(
    sms: OutgoingSms,
    coordinators: Sequence[OpenVoxCoordinator],
    given_up: asyncio.Event,
) -> Outcome:
    untried = list(coordinators)
    outcomes: list[Outcome] = []
    while untried and not given_up.is_set():
        coordinator = min(untried, key=lambda each: each.load)
        untried.remove(coordinator)
        result = await coordinator.async_send_sms(
            sms.number,
            sms.text,
            sms.span,
            timeout=sms.timeout,
            flash=sms.flash,
            given_up=given_up,
        )
        outcomes.append(Outcome(coordinator, result))
        if not result.certainly_not_sent:
            break
    # The last one may have sent it; a gateway that tried says more than others.
    outcome = min(
        reversed(outcomes), key=lambda each: each.result.failure in _NOT_TRIED
    )
    outcome.coordinator.async_tell_sent(outcome.result)
    return outcome
