"""What the caller of an action may do: people need permission, automations don't."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from custom_components.openvox_gsm.const import CONF_CODES_FOR_ALL
from custom_components.openvox_gsm.devices import find_span_devices
from custom_components.openvox_gsm.errors import forbidden
from custom_components.openvox_gsm.sending import Route
from custom_components.openvox_gsm.user_rights import may
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import UnknownUser


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls an action; `user` is None for an automation."""

    hass: HomeAssistant
    context: Context
    user: User | None

    @classmethod
    async def of(cls, call: ServiceCall) -> Self:
        """Return the caller of an action; raises UnknownUser."""
        user = None
        if user_id := call.context.user_id:
            user = await call.hass.auth.async_get_user(user_id)
            if user is None:
                raise UnknownUser(context=call.context)
        return cls(call.hass, call.context, user)

    def require_any(self, routes: Sequence[Route]) -> None:
        """Refuse a caller who may use none of the routes, nor any span of them.

        First of all, as the rest takes its time, asks gateways, and says what is wrong.
        Raises Unauthorized.
        """
        self.controlled(*routes, *self._spans(routes))

    def _spans(self, routes: Sequence[Route]) -> Iterator[Route]:
        """Yield the spans of those routes that may use any."""
        for route in routes:
            if route.span is None:
                for span in find_span_devices(self.hass, route.entry.entry_id):
                    yield replace(route, span=span)

    def controlled(self, *routes: Route) -> tuple[Route, ...]:
        """Return the routes whose entities the caller may control.

        Raises Unauthorized where there is none.
        """
        allowed = tuple(filter(self._may_control, routes))
        if not allowed:
            raise forbidden("not_permitted", routes[0].entry, self.context)
        return allowed

    def with_codes(self, *routes: Route) -> tuple[Route, ...]:
        """Return the routes by which the caller may send codes of the network.

        These move credit and set call forwarding. Raises Unauthorized where there
        is none.
        """
        allowed = tuple(
            route
            for route in routes
            if self.user is None
            or self.user.is_admin
            or route.entry.options.get(CONF_CODES_FOR_ALL)
        )
        if not allowed:
            raise forbidden("codes_for_admins", routes[0].entry, self.context)
        return allowed

    def _may_control(self, route: Route) -> bool:
        """Return whether the caller controls all of a span, or all of its gateway."""
        return self.user is None or may(
            self.hass, self.user, POLICY_CONTROL, route.entry.entry_id, route.span
        )
