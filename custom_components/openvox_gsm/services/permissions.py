"""What the caller of an action may do: people need permission, automations don't."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from custom_components.openvox_gsm.const import CONF_CODES_FOR_ALL
from custom_components.openvox_gsm.devices import find_span_devices
from custom_components.openvox_gsm.errors import forbidden
from custom_components.openvox_gsm.sending import Route
from custom_components.openvox_gsm.user_rights import may
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.config_entries import ConfigEntry
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

    def usable(self, routes: Sequence[Route]) -> tuple[Route, ...]:
        """Return the routes of which the caller may control all, or some spans.

        Ask for them first of all, as the rest takes its time, asks gateways, and says
        what is wrong with them. Raises Unauthorized where there is none.
        """
        return self._permitted(
            routes,
            [
                route
                for route in routes
                if self._may_control(route)
                or (route.span is None and self.may_use(route.entry))
            ],
        )

    def controlled(self, *routes: Route) -> tuple[Route, ...]:
        """Return the routes whose entities the caller may control.

        Raises Unauthorized where there is none.
        """
        return self._permitted(routes, list(filter(self._may_control, routes)))

    def _permitted(
        self, routes: Sequence[Route], allowed: list[Route]
    ) -> tuple[Route, ...]:
        if not allowed:
            raise forbidden("not_permitted", routes[0].entry, self.context)
        return tuple(allowed)

    def may_use(self, entry: ConfigEntry[Any]) -> bool:
        """Return whether the caller may control a gateway or any of its spans.

        Only then may the caller learn anything of it, such as its contacts.
        """
        entry_id = entry.entry_id
        return self._may(entry_id, None) or any(
            self._may(entry_id, span) for span in find_span_devices(self.hass, entry_id)
        )

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
        return self._may(route.entry.entry_id, route.span)

    def _may(self, entry_id: str, span: int | None) -> bool:
        return self.user is None or may(
            self.hass, self.user, POLICY_CONTROL, entry_id, span
        )
