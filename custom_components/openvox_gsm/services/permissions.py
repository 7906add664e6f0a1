"""What the caller of an action may do: people need permission, automations don't."""

from dataclasses import dataclass
from typing import Self

from custom_components.openvox_gsm.const import CONF_CODES_FOR_ALL
from custom_components.openvox_gsm.devices import (
    find_gateway_device,
    find_span_device,
    find_span_devices,
)
from custom_components.openvox_gsm.errors import forbidden
from custom_components.openvox_gsm.sending import Route
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import UnknownUser
from homeassistant.helpers import entity_registry as er


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
        if self.user is None or self.user.is_admin:
            return True
        permissions = self.user.permissions
        if permissions.access_all_entities(POLICY_CONTROL):
            return True
        entities = _entity_ids(self.hass, route)
        return bool(entities) and all(
            permissions.check_entity(each, POLICY_CONTROL) for each in entities
        )


def _entity_ids(hass: HomeAssistant, route: Route) -> list[str]:
    """Return the enabled entities of a span, or of a gateway and all its spans."""
    entry_id = route.entry.entry_id
    device = route.span and find_span_device(hass, entry_id, route.span)
    devices = (
        [device]
        if device
        else [
            find_gateway_device(hass, entry_id),
            *find_span_devices(hass, entry_id).values(),
        ]
    )
    registry = er.async_get(hass)
    return [
        entity.entity_id
        for each in devices
        if each
        for entity in er.async_entries_for_device(registry, each.id)
    ]
