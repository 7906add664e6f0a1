"""The devices of a gateway and its spans."""

from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import CONF_HOST, CONF_PORT, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from simulator import Simulator

from .common import gateway_device, poll, set_rights, settle, span_device, span_names

CONNECTED = "binary_sensor.openvox_connectivity"
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    if not hass.config_entries.async_get_entry(entry.entry_id):
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def test_the_gateway_and_its_spans_are_devices(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With versions, models and serial numbers; a span is reached by its gateway."""
    gateway = gateway_device(hass, loaded)
    assert (gateway.manufacturer, gateway.model, gateway.name) == (
        "OpenVox",
        "GSM gateway",
        "OpenVox",
    )
    assert gateway.sw_version == "Asterisk 1.8.20.0, libgsmat 2.0.8"
    assert gateway.configuration_url == "http://127.0.0.1"
    assert gateway.via_device_id is None

    span = span_device(hass, loaded, 2)
    assert (span.name, span.manufacturer, span.model) == (
        "GSM 2",
        "SIMCOM_Ltd",
        "SIMCOM_SIM840W",
    )
    assert span.sw_version
    assert "1224B02SIM840W16" in span.sw_version
    assert span.serial_number == "860041020985602"
    assert span.via_device_id == gateway.id
    assert span_names(hass, loaded) == {"GSM 1", "GSM 2", "GSM 3", "GSM 4"}


async def test_a_new_name(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """It reaches the device at once, not with the next poll."""
    hass.config_entries.async_update_entry(loaded, title="Basement")
    await settle(hass)
    assert gateway_device(hass, loaded).name == "Basement"


async def test_the_spans_of_two_boards(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Their gateways share an address, so their names say the port."""
    for entry in (loaded, other_loaded):
        port = entry.data[CONF_PORT]
        await poll(hass, freezer)
        assert f"GSM 1 (port {port})" in span_names(hass, entry)


async def test_the_first_board(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It's the one at the usual port, and keeps its names."""
    hass.config_entries.async_update_entry(
        other_loaded, data={**other_loaded.data, CONF_PORT: 5038}
    )
    await poll(hass, freezer)
    assert span_names(hass, other_loaded) == {"GSM 1"}


async def test_the_spans_of_two_gateways(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """A span is called the same whether there's another gateway or not.

    Its device says which gateway it belongs to.
    """
    hass.config_entries.async_update_entry(
        other_loaded, data={**other_loaded.data, CONF_HOST: "localhost"}
    )
    await poll(hass, freezer)
    assert span_names(hass, loaded) == {f"GSM {number}" for number in (1, 2, 3, 4)}
    assert span_names(hass, other_loaded) == {"GSM 1"}
    for entry in (loaded, other_loaded):
        gateway = gateway_device(hass, entry)
        assert span_device(hass, entry, 1).via_device_id == gateway.id


async def test_a_gateway_that_tells_no_versions(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then its device has none; an IPv6 address makes a link, too."""
    set_rights(gateway, without="system")
    set_rights(gateway, without="reporting")
    gateway.cli.leave_out("gsm show version")
    connect = hass.loop.create_connection

    async def by_ipv4(factory: Any, host: str, port: int, **options: Any) -> Any:
        assert host == "fd00::5"
        return await connect(factory, gateway.host, port, **options)

    monkeypatch.setattr(hass.loop, "create_connection", by_ipv4)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "fd00::5"}
    )

    await set_up(hass, entry)

    device = gateway_device(hass, entry)
    assert device.sw_version is None
    assert device.configuration_url == "http://[fd00::5]"


async def test_a_span_appears_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It gets its device and entities without a restart, and goes when it goes."""
    gateway.add_span(7).signal = 31

    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_7_signal_strength", "-51")
    assert span_device(hass, loaded, 7).name == "GSM 7"

    gateway.remove_span(7)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_7_signal_strength", STATE_UNAVAILABLE)
    assert hass.states.is_state("sensor.gsm_1_signal_strength", "-73")


async def test_a_module_without_power_is_still_the_same(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What it no longer reports is kept; what it newly reports replaces it."""
    span = gateway.spans[1]
    before = span_device(hass, loaded, 1)
    span.manufacturer = span.model = span.imei = span.revision = ""
    await poll(hass, freezer)
    after = span_device(hass, loaded, 1)
    for key in ("manufacturer", "model", "serial_number", "sw_version"):
        assert getattr(after, key) == getattr(before, key), key

    span.imei = "860041020985699"
    await poll(hass, freezer)
    assert span_device(hass, loaded, 1).serial_number == "860041020985699"


async def test_the_device_registry_is_asked_nothing_outdated(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant complains of what will stop working."""
    assert dr.async_get(hass)
    assert "Detected that custom integration" not in caplog.text
