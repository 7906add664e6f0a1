"""Follows gateways to the addresses where DHCP sees them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from custom_components.openvox_gsm.const import CONF_TLS, DOMAIN
from custom_components.openvox_gsm.devices import find_imeis
from custom_components.openvox_gsm.issues import async_raise_new_address
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.network import is_ip_address

from .attempt import (
    accepts_connections,
    is_other_gateway,
    is_same_gateway,
    lacks_certificate,
)

MAX_ADDRESSES: Final = 8  # that are tried at a time for one gateway
_TRIED: HassKey[dict[str, set[str]]] = HassKey(f"{DOMAIN}_tried_addresses")


async def async_follow(hass: HomeAssistant, entry: ConfigEntry, host: str) -> None:
    """Follow a gateway to a new address, with all its boards.

    The boards of a stack are behind one address, each at a port of its own. An address
    that's being tried isn't tried again, and no more than `MAX_ADDRESSES` are.
    """
    old = entry.data.get(CONF_HOST, "")
    # A host name leads to the gateway wherever it is.
    if not is_ip_address(old) or old == host:
        return
    with _trying(hass, entry, host) as may_try:
        if not may_try:
            return
        await asyncio.gather(
            *(
                _follow_board(hass, each, old, host)
                for each in hass.config_entries.async_entries(
                    DOMAIN, include_ignore=False
                )
                if each.data[CONF_HOST] == old and not each.disabled_by
            )
        )


@contextmanager
def _trying(hass: HomeAssistant, entry: ConfigEntry, host: str) -> Iterator[bool]:
    """Yield whether an address may be tried for a gateway now."""
    tried = hass.data.setdefault(_TRIED, {}).setdefault(entry.entry_id, set())
    if host in tried or len(tried) == MAX_ADDRESSES:
        yield False
        return
    tried.add(host)
    try:
        yield True
    finally:
        tried.discard(host)


async def _follow_board(
    hass: HomeAssistant, entry: ConfigEntry, old: str, host: str
) -> None:
    """Follow one board to a new address, if it proves there that it's the one."""
    # Anyone can ask for an address in the gateway's name.
    if await _is_still_at(hass, entry, old):
        return
    is_same = await is_gateway_of(hass, entry, host)
    if await _is_still_at(hass, entry, old):
        return  # it was only restarting
    if not is_at(hass, entry, old):
        return  # somebody has changed or removed it meanwhile
    if not is_same:
        async_raise_new_address(hass, entry, host)
    else:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_HOST: host}
        )
        hass.config_entries.async_schedule_reload(entry.entry_id)


async def _is_still_at(hass: HomeAssistant, entry: ConfigEntry, host: str) -> bool:
    """Return whether an entry's gateway answers at its address, as far as that's known.

    A router that has forgotten its addresses may give them to other gateways: then one
    shows another certificate there, or modules of which none is known, or refuses the
    user.
    """
    if not await accepts_connections(host, entry.data[CONF_PORT]):
        return False
    data = {**entry.data, CONF_HOST: host}
    if data.get(CONF_TLS):
        return not await lacks_certificate(data)
    imeis = find_imeis(hass, entry.entry_id)
    return not (imeis and await is_other_gateway(data, imeis))


async def async_recognize(hass: HomeAssistant, entry: ConfigEntry, host: str) -> bool:
    """Return whether a gateway proves that it's the one of an entry.

    Only the address to which the entry's host leads is tried: a device that has only
    taken the gateway's name could pass the login on to the gateway, and would be logged
    in there.
    """
    with _trying(hass, entry, host) as may_try:
        return (
            may_try
            and await _leads_to(entry.data[CONF_HOST], host)
            and await is_gateway_of(hass, entry, host)
        )


async def _leads_to(name: str, address: str) -> bool:
    """Return whether a host name, or an address, leads to an address."""
    if is_ip_address(name):
        return name == address
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None)
    except OSError, UnicodeError:
        return False
    return address in {str(socket_address[0]) for *_, socket_address in found}


async def is_gateway_of(hass: HomeAssistant, entry: ConfigEntry, host: str) -> bool:
    """Return whether the gateway of an entry proves that it's at an address."""
    imeis = find_imeis(hass, entry.entry_id)
    return await is_same_gateway({**entry.data, CONF_HOST: host}, imeis)


def is_at(hass: HomeAssistant, entry: ConfigEntry, host: str) -> bool:
    """Return whether an entry is still there, and has an address."""
    known = hass.config_entries.async_get_entry(entry.entry_id)
    return known is not None and known.data[CONF_HOST] == host
