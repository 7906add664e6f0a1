"""What several tests do."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
import logging
from types import MappingProxyType
from typing import Any

import freezegun.api
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.openvox_gsm.const import (
    CONF_NUMBER,
    DOMAIN,
    SUBENTRY_CONTACT,
    UPDATE_INTERVAL,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResult
from homeassistant.helpers import device_registry as dr, entity_registry as er
from simulator import Simulator

PHONE = "+4915112345678"
OTHER_PHONE = "+4915187654321"


def named(event: str) -> Callable[[bytes], bool]:
    """Return a test of bytes that passes the events of one name."""
    return lambda raw: raw.split(b"\r\n")[0] == f"Event: {event}".encode()


async def until(condition: Callable[[], object]) -> None:
    """Let everything run until a condition holds; TimeoutError if it never does."""
    # The loop's own clock stands still while a test has frozen time.
    deadline = freezegun.api.real_monotonic() + 5
    while not condition():
        if freezegun.api.real_monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0)


async def until_later(
    freezer: FrozenDateTimeFactory, condition: Callable[[], object]
) -> None:
    """Let frozen time pass until a condition holds, at most six minutes.

    Each second is long enough for what answers at once.
    """
    for _ in range(360):
        freezer.tick(1)
        deadline = freezegun.api.real_monotonic() + 0.01
        while freezegun.api.real_monotonic() < deadline:
            if condition():
                return
            await asyncio.sleep(0)
    raise TimeoutError


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    """Let time pass, and all that it sets off come to an end."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let the time of one poll pass."""
    await pass_time(hass, freezer, UPDATE_INTERVAL.total_seconds() + 1)


async def settle(hass: HomeAssistant) -> None:
    """Wait until all that is under way has come to an end."""
    await hass.async_block_till_done(wait_background_tasks=True)


def give_other_modules(gateway: Simulator) -> None:
    """Make a gateway another one: simulators have the same modules."""
    for span in gateway.spans.values():
        span.imei = f"3520990017614{span.number:02d}"


def set_rights(gateway: Simulator, *, without: str) -> None:
    """Take a right from the gateway's user."""
    user = gateway.users["admin"]
    gateway.users["admin"] = replace(
        user,
        read=set(user.read) - {without},
        write=set(user.write) - {without},
    )


def give_rights_back(gateway: Simulator) -> None:
    """Give the gateway's user all rights."""
    gateway.users["admin"] = replace(
        gateway.users["admin"], read={"all"}, write={"all"}
    )


def gateway_device(hass: HomeAssistant, entry: MockConfigEntry) -> dr.DeviceEntry:
    """Return the device of the gateway."""
    return _device(hass, entry, entry.entry_id)


def span_device(
    hass: HomeAssistant, entry: MockConfigEntry, span: int
) -> dr.DeviceEntry:
    """Return the device of a span."""
    return _device(hass, entry, f"{entry.entry_id}_{span}")


def _device(
    hass: HomeAssistant, entry: MockConfigEntry, identifier: str
) -> dr.DeviceEntry:
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if (DOMAIN, identifier) in device.identifiers:
            return device
    raise LookupError(identifier)


def span_names(hass: HomeAssistant, entry: MockConfigEntry) -> set[str | None]:
    """Return the names of the devices of spans."""
    gateway = gateway_device(hass, entry)
    return {
        device.name
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if device.id != gateway.id
    }


def add_contact(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, number: str
) -> None:
    """Add a contact to a gateway that is not set up yet."""
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType({CONF_NUMBER: number}),
            subentry_type=SUBENTRY_CONTACT,
            title=name,
            unique_id=None,
        ),
    )


TYPED = {"number": {"step": 1, "mode": "box"}}
"""How a form looks that has a whole number typed."""


def shown(form: FlowResult[Any, Any]) -> dict[str, Any]:
    """Return what the fields of a form hold."""
    schema = form["data_schema"]
    assert schema
    return {
        str(key): (key.description or {}).get("suggested_value")
        for key in schema.schema
    }


def looks(form: FlowResult[Any, Any]) -> dict[str, dict[str, Any]]:
    """Return how the frontend asks for each field of a form: kind, and its options.

    Options that are off are left out.
    """
    schema = form["data_schema"]
    assert schema
    fields = {
        str(key): getattr(field, "validators", [field])[0].serialize()["selector"]
        for key, field in schema.schema.items()
    }
    return {
        field: {
            kind: {
                option: value for option, value in options.items() if value is not False
            }
            for kind, options in selector.items()
        }
        for field, selector in fields.items()
    }


async def set_options(
    hass: HomeAssistant, entry: MockConfigEntry, **options: Any
) -> None:
    """Set options of a gateway."""
    hass.config_entries.async_update_entry(entry, options=options)
    await settle(hass)


def entity_states(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the states of all entities of an entry that are not disabled."""
    states = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if entity.disabled:
            continue
        state = hass.states.get(entity.entity_id)
        assert state
        states[entity.entity_id] = state.state
    return states


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return what the integration logged, from a level up."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.openvox_gsm")
        and record.levelno >= level
    ]
