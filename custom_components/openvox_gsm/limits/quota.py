"""What one message uses up of the limits."""

from typing import override

from custom_components.openvox_gsm.gateway import Quota, SendFailure, SendResult
from custom_components.openvox_gsm.runtime import OpenVoxRuntime
from custom_components.openvox_gsm.signals import SIGNAL_SMS_RESERVED
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .budget import Reservation, Room, SmsBudget


class MessageQuota(Quota):
    """The limits of a gateway and its SIMs, as far as one message uses them up."""

    def __init__(self, hass: HomeAssistant, runtime: OpenVoxRuntime) -> None:
        """Reserve nothing yet."""
        self._hass = hass
        self._runtime = runtime
        self._gateway = runtime.store.budget
        self._reserved: dict[int, list[tuple[SmsBudget, Reservation]]] = {}  # by span

    @override
    def reserve(self, span: int, parts: int) -> SendFailure | None:
        sim = self._sim(span)
        if sim and not sim.has_room(parts):
            return SendFailure.SIM_LIMIT_REACHED
        reservation = self._gateway.reserve(parts)
        self._runtime.issues.budget_changed()
        if reservation is None:
            return SendFailure.LIMIT_REACHED
        self._reserved[span] = [(self._gateway, reservation)]
        if sim and (of_sim := sim.reserve(parts)):
            self._reserved[span].append((sim, of_sim))
        self._changed()
        return None

    @override
    def cancel(self, span: int) -> None:
        for budget, reservation in self._reserved.pop(span):
            budget.cancel(reservation)
        self._changed()

    def room(self, result: SendResult) -> Room:
        """Return from when the limit that a message has reached has room for it."""
        budget = self._gateway
        if result.span and result.failure is SendFailure.SIM_LIMIT_REACHED:
            budget = self._sim(result.span) or budget
        return budget.room(result.parts)

    def _sim(self, span: int) -> SmsBudget | None:
        """Return the budget of the SIM in a span, None if it has no limit."""
        runtime = self._runtime
        return runtime.sims.budgets(runtime.entry, span).get(span)

    def _changed(self) -> None:
        signal = SIGNAL_SMS_RESERVED.format(self._runtime.entry.entry_id)
        async_dispatcher_send(self._hass, signal)
