"""The devices of a gateway and its spans: register, find and remove them.

The only room that knows the identifiers of devices.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import UNDEFINED
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import DEFAULT_PORT, DOMAIN
from .gateway import Features, Span

# A span that no poll has shown since set-up is gone after this many polls in a row
# (ten minutes): a board may take minutes to start, one span after the other.
_POLLS_UNTIL_STALE: Final = 20


def gateway_identifier(entry_id: str) -> tuple[str, str]:
    """Return the identifier of a gateway's device."""
    return (DOMAIN, entry_id)


def span_identifier(entry_id: str, span: int) -> tuple[str, str]:
    """Return the identifier of a span's device."""
    return (DOMAIN, f"{entry_id}_{span}")


def read_identifiers(
    identifiers: Iterable[tuple[str, str]],
) -> tuple[str, int | None] | None:
    """Return the entry's id and the span's number that a device stands for.

    The span is None for the gateway itself. Returns None for any other device.
    """
    for domain, identifier, *_ in identifiers:
        if domain == DOMAIN:
            entry_id, _, span = identifier.rpartition("_")
            if not entry_id:
                return identifier, None
            if span.isdecimal():
                return entry_id, int(span)
    return None


@callback
def find_gateway_device(hass: HomeAssistant, entry_id: str) -> dr.DeviceEntry | None:
    """Return the device of a gateway."""
    return dr.async_get(hass).async_get_device_by_identifier(
        gateway_identifier(entry_id), entry_id
    )


@callback
def find_span_device(
    hass: HomeAssistant, entry_id: str, span: int
) -> dr.DeviceEntry | None:
    """Return the device of a span."""
    return dr.async_get(hass).async_get_device_by_identifier(
        span_identifier(entry_id, span), entry_id
    )


@callback
def find_span_devices(hass: HomeAssistant, entry_id: str) -> dict[int, dr.DeviceEntry]:
    """Return the devices of a gateway's spans by their numbers."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    return {
        found[1]: device
        for device in devices
        if (found := read_identifiers(device.identifiers)) and found[1] is not None
    }


def imeis_of(spans: Mapping[int, Span]) -> frozenset[str]:
    """Return the IMEIs of modules, as far as they are on."""
    return frozenset(
        span.imei
        for span in spans.values()
        if span.imei.strip("0")  # guess: a module without one may have zeros
    )


@callback
def find_imeis(hass: HomeAssistant, entry_id: str) -> frozenset[str]:
    """Return the IMEIs of a gateway's modules, as they were last known."""
    return frozenset(
        device.serial_number
        for device in find_span_devices(hass, entry_id).values()
        if device.serial_number
    )


@callback
def find_entry_of(
    hass: HomeAssistant, imeis: frozenset[str], instead_of: ConfigEntry[Any]
) -> ConfigEntry[Any] | None:
    """Return another entry of which a gateway is, by most of its modules.

    None if any of them is also known of the gateway of the entry `instead_of`, or if
    none is known of that.
    """
    known = find_imeis(hass, instead_of.entry_id)
    if not known or not known.isdisjoint(imeis):
        return None
    for each in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if are_modules_of(hass, each, imeis):
            return each
    return None


@callback
def are_modules_of(
    hass: HomeAssistant, entry: ConfigEntry[Any], imeis: frozenset[str]
) -> bool:
    """Return whether a gateway is that of an entry, by most of the modules it shows.

    They may have been moved: it isn't where the entry's gateway is connected right now,
    and shows others only.
    """
    known = find_imeis(hass, entry.entry_id)
    if 2 * len(imeis & known) <= len(imeis):
        return False
    if entry.state is not ConfigEntryState.LOADED:
        return True
    # As coordinators have it, which build on this module.
    coordinator: DataUpdateCoordinator[Any] = entry.runtime_data.coordinator
    shown = imeis_of(coordinator.data.spans)
    is_elsewhere = bool(shown) and shown.isdisjoint(imeis)
    return not (coordinator.last_update_success and is_elsewhere)


class Devices:
    """Keeps the devices of one gateway up to date, poll by poll."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Start with the devices that were registered before."""
        self._hass = hass
        self._entry = entry
        self._registry = dr.async_get(hass)
        self._gateway: tuple[dict[str, Any], str] | None = None  # values, device id
        self._spans: dict[int, Span] = {}  # as they are registered
        self._has_port_in_names = False
        self._seen: set[int] = set()
        self._polls = 0  # in a row, with spans
        #: The ids of the spans' devices by the spans' numbers.
        self.span_ids: dict[int, str] = {
            span: device.id
            for span, device in find_span_devices(hass, entry.entry_id).items()
        }

    @property
    def gateway_id(self) -> str | None:
        """The id of the gateway's device; None before the first poll."""
        return self._gateway[1] if self._gateway else None

    @callback
    def update(self, spans: Mapping[int, Span], features: Features) -> bool:
        """Register what a poll has read; return whether a device was removed."""
        gateway_id = self.update_gateway(features)
        if self._has_port_in_names != self._is_further_board:
            self._has_port_in_names = self._is_further_board
            self._spans.clear()  # all names change
        translation_key = "span_on_port" if self._has_port_in_names else "span"
        port = str(self._entry.data[CONF_PORT])
        for number, span in spans.items():
            known = self._registry.async_get(self.span_ids.get(number, ""))
            if known and self._spans.get(number) is span:
                continue  # the registry is slow, and nothing has changed
            self._spans[number] = span
            self.span_ids[number] = self._registry.async_get_or_create(
                config_entry_id=self._entry.entry_id,
                identifiers={span_identifier(self._entry.entry_id, number)},
                translation_key=translation_key,
                translation_placeholders={"number": str(number), "port": port},
                # A module without power says nothing, but it's still the same one.
                manufacturer=span.manufacturer or UNDEFINED,
                model=span.model or UNDEFINED,
                sw_version=span.revision or UNDEFINED,
                serial_number=span.imei or UNDEFINED,
                via_device_id=gateway_id,
            ).id
        self._seen.update(spans)
        self._polls += bool(spans)
        return self._polls >= _POLLS_UNTIL_STALE and self._remove_stale()

    @callback
    def update_gateway(self, features: Features) -> str:
        """Register the gateway itself; return the id of its device."""
        host = self._entry.data[CONF_HOST]
        versions = {
            "Asterisk": features.asterisk_version,
            "libgsmat": features.driver_version,
        }
        # DHCP discovery makes the MAC address the entry's unique id. An entry that
        # was given another address may be another box, without the old MAC.
        mac = self._entry.unique_id
        values: dict[str, Any] = {
            "name": self._entry.title,
            "sw_version": ", ".join(f"{k} {v}" for k, v in versions.items() if v)
            or None,
            "configuration_url": f"http://[{host}]"
            if ":" in host
            else f"http://{host}",
        }
        connections = {(dr.CONNECTION_NETWORK_MAC, mac)} if mac else set()
        if self._gateway and self._gateway[0] == values | {"mac": mac}:
            return self._gateway[1]
        device = self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={gateway_identifier(self._entry.entry_id)},
            manufacturer="OpenVox",
            model="GSM gateway",
            **values,
        )
        if device.connections != connections:
            self._registry.async_update_device(device.id, new_connections=connections)
        self._gateway = (values | {"mac": mac}, device.id)
        return device.id

    @property
    def _is_further_board(self) -> bool:
        """Whether this is a board of a stack behind the first one, at another port."""
        return self._entry.data[CONF_PORT] != DEFAULT_PORT and any(
            other.data.get(CONF_HOST) == self._entry.data[CONF_HOST]
            for other in self._hass.config_entries.async_entries(
                DOMAIN, include_ignore=False
            )
            if other.entry_id != self._entry.entry_id
        )

    def _remove_stale(self) -> bool:
        """Remove spans that are gone, as after a board was taken out."""
        stale = self.span_ids.keys() - self._seen
        for number in stale:
            self._registry.async_remove_device(self.span_ids.pop(number))
        return bool(stale)

    @callback
    def connection_lost(self) -> None:
        """Count polls from the start again: the gateway may be starting."""
        self._polls = 0

    @callback
    def forget(self, device: dr.DeviceEntry, spans: Mapping[int, Span]) -> bool:
        """Forget the device of a span that's gone; return False for any other."""
        found = read_identifiers(device.identifiers)
        if found is None or found[1] is None or found[1] in spans:
            return False
        self.span_ids.pop(found[1], None)
        return True
