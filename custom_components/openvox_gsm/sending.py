"""The one door by which SMS leave: who may get them, how many, through which span."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NewType

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant

from .const import CONF_ALLOWED, CONF_FLASH
from .contacts import country_of
from .errors import exception_text, invalid, sentences, sms_reason, text_error, text_of
from .gateway import (
    SMS_TIMEOUT,
    InvalidTextError,
    SendFailure,
    SendResult,
    SendStatus,
    Work,
)
from .limits.quota import MessageQuota
from .messages.outgoing import OutgoingMessage
from .messages.record import Kind
from .phone_numbers import InvalidPhoneNumberError, parse_prefix
from .runtime import OpenVoxRuntime

# The results of a gateway that didn't even try, and how little they say.
_NOT_TRIED: Final[Mapping[SendFailure | None, int]] = {
    SendFailure.LIMIT_REACHED: 1,
    SendFailure.SIM_LIMIT_REACHED: 1,
    SendFailure.NO_SPAN_READY: 2,
    SendFailure.NOT_CONNECTED: 2,
    SendFailure.NOT_RESPONDING: 2,
}


@dataclass(frozen=True)
class Route:
    """A gateway, and the span of it if only one will do."""

    runtime: OpenVoxRuntime
    span: int | None = None

    @property
    def entry(self) -> ConfigEntry[Any]:
        """The gateway's entry."""
        return self.runtime.entry


@dataclass(frozen=True)
class Recipient:
    """A number in its one form, its contact, and the routes to it."""

    number: str = field(repr=False)
    contact: str | None
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class SmsOrder:
    """A text for one recipient; `timeout` is in seconds, for each part.

    `context` says who sends it: a person, or which automation.
    """

    recipient: Recipient
    text: str = field(repr=False)
    timeout: int = SMS_TIMEOUT
    flash: bool = False
    context: Context | None = None


# An order that `prepare` has let through: the type checker refuses to send any other.
PreparedOrder = NewType("PreparedOrder", SmsOrder)


@dataclass(frozen=True)
class SmsOutcome:
    """The result of a message, its gateway, and the reason in words."""

    order: SmsOrder
    entry: ConfigEntry[Any]
    result: SendResult
    reason: str | None

    @property
    def is_sent(self) -> bool:
        """Whether the network took all of it."""
        return self.result.status is SendStatus.SENT


# Who may get it, and through which gateways


def require_allowed(hass: HomeAssistant, recipient: Recipient) -> Recipient:
    """Keep the routes whose gateways may reach the number.

    SMS and calls ask here, and nowhere else. Raises ServiceValidationError where no
    route is left.
    """
    routes = tuple(
        route
        for route in recipient.routes
        if _is_allowed(hass, route.entry, recipient.number)
    )
    if not routes:
        raise invalid(
            "destination_not_allowed",
            recipient.routes[0].entry,
            # Not everyone who may use a contact may know its number.
            number=recipient.contact or recipient.number,
        )
    return replace(recipient, routes=routes)


def _is_allowed(hass: HomeAssistant, entry: ConfigEntry[Any], number: str) -> bool:
    """Return whether the options allow a number; they allow all where none is named."""
    allowed = entry.options.get(CONF_ALLOWED)
    if not allowed:
        return True
    country = country_of(hass, entry)
    for each in allowed:
        try:
            beginning = parse_prefix(each, country)
        except InvalidPhoneNumberError:
            continue  # it needs a country, which is no longer set; nothing matches it
        if number.startswith(beginning):
            return True
    return False


def prepare(hass: HomeAssistant, order: SmsOrder) -> PreparedOrder:
    """Check an order, and keep the routes that may carry it.

    Raises ServiceValidationError where there is none, or where a gateway cannot send
    the text.
    """
    recipient = require_allowed(hass, order.recipient)
    if order.flash:
        recipient = replace(recipient, routes=_routes_for_flash(recipient))
    try:
        for route in recipient.routes:
            route.runtime.gateway.sms.count_parts(order.text, flash=order.flash)
    except InvalidTextError as err:
        raise text_error(err) from err
    return PreparedOrder(replace(order, recipient=recipient))


def _routes_for_flash(recipient: Recipient) -> tuple[Route, ...]:
    switched_on = [r for r in recipient.routes if r.entry.options.get(CONF_FLASH)]
    if not switched_on:
        raise invalid("flash_is_off", recipient.routes[0].entry)
    routes = tuple(r for r in switched_on if r.runtime.gateway.features.flash)
    if not routes:
        raise invalid("no_flash", switched_on[0].entry)
    return routes


# Sending


async def async_send(hass: HomeAssistant, order: PreparedOrder) -> SmsOutcome:
    """Send an order through one gateway, the next where it wasn't sent.

    If the caller is cancelled, nothing more is started. A part that is under way can't
    be stopped: it goes on, and the bus event has its result.

    Raises ServiceValidationError where a gateway can no longer send the text, because
    its firmware has changed since `prepare`.
    """
    abandoned = asyncio.Event()
    sending = hass.async_create_task(_send(hass, order, abandoned), "OpenVox SMS")
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        abandoned.set()
        raise
    except InvalidTextError as err:
        raise text_error(err) from err


async def _send(
    hass: HomeAssistant, order: PreparedOrder, abandoned: asyncio.Event
) -> SmsOutcome:
    untried = list(order.recipient.routes)
    message = _write_down(order, in_turn(untried)[0])
    outcomes: list[tuple[Route, SmsOutcome]] = []
    while untried and not abandoned.is_set():
        route = in_turn(untried)[0]
        untried.remove(route)
        message.move(route.runtime.messages)
        try:
            outcome = await _send_through(hass, order, route, abandoned, message.id)
        except InvalidTextError as err:
            message.not_made(text_of(hass, text_error(err)))
            raise
        except Exception:  # a bug, and it may have been sent
            message.lost(exception_text(hass, "sms_unexpected_error"))
            raise
        outcomes.append((route, outcome))
        if not outcome.result.certainly_not_sent:
            break
    # The last one may have sent it; a result of a gateway that tried is worth more.
    route, outcome = min(
        reversed(outcomes),
        key=lambda each: _NOT_TRIED.get(each[1].result.failure, 0),
    )
    if outcome.result.failure in _NOT_TRIED:
        reasons = [each.reason for _, each in outcomes if each.reason]
        outcome = replace(outcome, reason=sentences(reasons))
    publisher, contact = route.runtime.publisher, order.recipient.contact
    message.move(route.runtime.messages)
    message.sent(outcome.result, outcome.reason)

    def finished(settled: asyncio.Future[SendResult]) -> None:
        result = settled.result()
        message.sent(
            result, sms_reason(hass, route.entry, route.runtime.gateway, result, None)
        )
        publisher.sms_finished(result, contact, order.context)

    if outcome.result.settled:
        # It may turn out what became of it, and automations need to see that once.
        outcome.result.settled.add_done_callback(finished)
    else:
        publisher.sms_finished(outcome.result, contact, order.context)
    return outcome


def _write_down(order: PreparedOrder, route: Route) -> OutgoingMessage:
    """Keep an order as a message of the gateway that tries it first."""
    return OutgoingMessage(
        route.runtime.messages,
        Kind.SMS,
        order.recipient.number,
        order.text,
        span=route.span,
        parts=route.runtime.gateway.sms.count_parts(order.text, flash=order.flash),
    )


async def _send_through(
    hass: HomeAssistant,
    order: PreparedOrder,
    route: Route,
    abandoned: asyncio.Event,
    message_id: str,
) -> SmsOutcome:
    """Send an order through one gateway, within its limits."""
    quota = MessageQuota(hass, route.runtime)
    result = await route.runtime.gateway.sms.send(
        order.recipient.number,
        order.text,
        span=route.span,
        timeout=order.timeout,
        flash=order.flash,
        given_up=abandoned,
        quota=quota,
        order_id=message_id,
    )
    reason = sms_reason(
        hass,
        route.entry,
        route.runtime.gateway,
        result,
        quota.room(result),
    )
    return SmsOutcome(order, route.entry, result, reason)


# Whose turn it is


def in_turn(routes: Sequence[Route], work: Work = Work.SMS) -> list[Route]:
    """Return the routes, the one whose turn it is first.

    That's the one with the span that was used longest ago. Gateways where no span may
    do it now come last.
    """
    return sorted(routes, key=lambda route: _turn(route, work))


def _turn(route: Route, work: Work) -> tuple[float, ...]:
    gateway = route.runtime.gateway
    if (span := route.span) is None:
        used_up = _at_limit(route.runtime) if work is Work.SMS else frozenset()
        span = gateway.spans.choose(used_up, work)
    if span is None or not gateway.is_connected:
        return (True,)
    return (False, *gateway.spans.turn(span))


def _at_limit(runtime: OpenVoxRuntime) -> frozenset[int]:
    """Return the spans whose SIMs may send no more."""
    budgets = runtime.sims.budgets(runtime.entry, *runtime.gateway.spans)
    return frozenset(span for span, budget in budgets.items() if not budget.has_room(1))
