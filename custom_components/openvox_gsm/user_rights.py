"""What a person may do with a gateway or a span, by the rights to their entities."""

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .devices import find_gateway_device, find_span_device, find_span_devices


def may(
    hass: HomeAssistant, user: User, policy: str, entry_id: str, span: int | None = None
) -> bool:
    """Return whether a user may read or control all of a span, or all of its gateway.

    `policy` is POLICY_READ or POLICY_CONTROL.
    """
    if user.is_admin:
        return True
    permissions = user.permissions
    if permissions.access_all_entities(policy):
        return True
    entities = _entity_ids(hass, entry_id, span)
    return bool(entities) and all(
        permissions.check_entity(each, policy) for each in entities
    )


def _entity_ids(hass: HomeAssistant, entry_id: str, span: int | None) -> list[str]:
    """Return the enabled entities of a span, or of a gateway and all its spans."""
    device = span and find_span_device(hass, entry_id, span)
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
