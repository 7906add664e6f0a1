"""What a person may do with a gateway or a span, by the rights to their entities."""

from homeassistant.auth.models import User
from homeassistant.auth.permissions import AbstractPermissions
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .devices import find_gateway_device, find_span_device, find_span_devices


def may(
    hass: HomeAssistant, user: User, policy: str, entry_id: str, span: int | None = None
) -> bool:
    """Return whether a user may read or control all of a span, or all of its gateway.

    `policy` is POLICY_READ or POLICY_CONTROL.
    """
    if user.permissions.access_all_entities(policy):  # as administrators have
        return True
    known = _known_answers(hass)
    question = (user.id, policy, entry_id, span)
    permissions, answer = known.get(question, (None, False))
    # Home Assistant makes new ones when the user's groups change.
    if permissions is not user.permissions:
        answer = _may_all(hass, user.permissions, policy, entry_id, span)
        known[question] = (user.permissions, answer)
    return answer


type _Answers = dict[tuple[str, str, str, int | None], tuple[AbstractPermissions, bool]]
_ANSWERS: HassKey[_Answers] = HassKey(f"{DOMAIN}_user_rights")


def _known_answers(hass: HomeAssistant) -> _Answers:
    """Return the answers since the last change of a device or an entity.

    A page asks at every event, and a gateway has up to 1,500 entities.
    """
    if _ANSWERS not in hass.data:
        answers = hass.data[_ANSWERS] = {}

        @callback
        def forget(
            _event: Event[dr.EventDeviceRegistryUpdatedData]
            | Event[er.EventEntityRegistryUpdatedData],
        ) -> None:
            answers.clear()

        # Until Home Assistant stops; called in the same step as the change.
        hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, forget)
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, forget)
    return hass.data[_ANSWERS]


def _may_all(
    hass: HomeAssistant,
    permissions: AbstractPermissions,
    policy: str,
    entry_id: str,
    span: int | None,
) -> bool:
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
