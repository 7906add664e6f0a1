"""Which way an action goes: through which gateways, on which span."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.coordinator import (
    OpenVoxConfigEntry,
    OpenVoxCoordinator,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr

ATTR_SPAN: Final = "span"


def _only_one(value: Any) -> Any:
    """Take the device out of the list that the `target` of an action makes of it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


# What a script leaves out may come as None or as an empty text.
GATEWAY_FIELDS: Final = {
    vol.Optional(ATTR_DEVICE_ID): vol.Any(None, vol.All(_only_one, cv.string)),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): vol.Any(None, cv.string),
}
WAY_FIELDS: Final = {
    **GATEWAY_FIELDS,
    vol.Optional(ATTR_SPAN): vol.Any(
        None, "", vol.All(vol.Coerce(int), vol.Range(min=1))
    ),
}


@dataclass(frozen=True, slots=True)
class Way:
    """Through one of these gateways, on this span.

    `is_given` is False where nothing was said of either: then all gateways will do.
    """

    coordinators: tuple[OpenVoxCoordinator, ...]
    span: int | None = None
    is_given: bool = True

    def by_load(self) -> list[OpenVoxCoordinator]:
        """Return the gateways, the one with the least to do first."""
        return sorted(self.coordinators, key=lambda each: each.load)

    def one_gateway(self) -> OpenVoxCoordinator:
        """Return the only gateway; raises ServiceValidationError if there are more."""
        if len(self.coordinators) > 1:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="several_gateways"
            )
        return self.coordinators[0]


def find_way(hass: HomeAssistant, data: Mapping[str, Any]) -> Way:
    """Find the gateways and the span that a call names; all where it names none."""
    entry_id, span = data.get(ATTR_CONFIG_ENTRY_ID), data.get(ATTR_SPAN) or None
    if device_id := data.get(ATTR_DEVICE_ID):
        entry_id, span = _way_of_device(hass, device_id, entry_id, span)
    if entry_id:
        return Way((_loaded(hass, entry_id),), span)
    coordinators = loaded_gateways(hass)
    if not coordinators:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_gateway"
        )
    if span is not None and len(coordinators) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_gateway"
        )
    return Way(coordinators, span, is_given=span is not None)


def loaded_gateways(hass: HomeAssistant) -> tuple[OpenVoxCoordinator, ...]:
    """Return all gateways that are set up and running."""
    entries: list[OpenVoxConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    return tuple(entry.runtime_data for entry in entries)


def _way_of_device(
    hass: HomeAssistant, device_id: str, entry_id: str | None, span: int | None
) -> tuple[str, int | None]:
    """Return the entry and the span that a device stands for."""
    device_entry, device_span = _entry_and_span(hass, device_id)
    if (entry_id or device_entry) != device_entry or (
        span is not None and device_span not in (None, span)
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="contradictory_way"
        )
    return device_entry, device_span or span


def _entry_and_span(hass: HomeAssistant, device_id: str) -> tuple[str, int | None]:
    device = dr.async_get(hass).async_get(device_id)
    for domain, *rest in device.identifiers if device else ():
        for entry in hass.config_entries.async_entries(DOMAIN):
            if domain == DOMAIN and rest[0].startswith(entry.entry_id):
                span = rest[0].removeprefix(entry.entry_id).removeprefix("_")
                return entry.entry_id, int(span) if span else None
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="not_our_device"
    )


def _loaded(hass: HomeAssistant, entry_id: str) -> OpenVoxCoordinator:
    entry: OpenVoxConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="not_our_entry"
        )
    if entry.state is not ConfigEntryState.LOADED:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_loaded",
            translation_placeholders={"gateway": entry.title},
        )
    return entry.runtime_data


async def only_ready_span(way: Way) -> tuple[OpenVoxCoordinator, int]:
    """Return the span of a way; it may be left out where one alone is ready.

    Each SIM has a balance and menus of its own, so none is chosen by chance.
    """
    if way.span is not None:
        return way.one_gateway(), way.span
    ready: list[tuple[OpenVoxCoordinator, int]] = []
    for coordinator in way.coordinators:
        try:
            spans = await coordinator.gateway.spans.read()
        except AmiError:
            continue  # what is not connected is not ready
        ready += [
            (coordinator, number) for number, span in spans.items() if span.can_send
        ]
    if not ready:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="no_span_ready"
        )
    if len(ready) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_span"
        )
    return ready[0]
