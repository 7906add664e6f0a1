"""The page in the sidebar."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.openvox_gsm.const import (
    CONF_MESSAGES_FOR_ALL,
    CONF_MESSAGES_KEPT,
)
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, DATA_PANELS
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from tests.common import set_options, settle

PATH = "openvox-gsm-messages"


@pytest.fixture
async def frontend(hass: HomeAssistant) -> None:
    """Home Assistant with its frontend."""
    assert await async_setup_component(hass, "frontend", {})


def page(hass: HomeAssistant) -> dict[str, Any] | None:
    """Return the page as the frontend gets it."""
    panel = hass.data.get(DATA_PANELS, {}).get(PATH)
    return dict(panel.to_response()) if panel else None


async def test_without_a_frontend(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """There's no page, and the gateway works."""
    assert page(hass) is None


@pytest.mark.usefixtures("frontend")
async def test_the_page(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """It's in the sidebar for administrators, and its module is there to be loaded."""
    shown = page(hass)

    assert shown
    assert (shown["title"], shown["icon"]) == ("Messages", "mdi:message-text")
    assert shown["require_admin"] is True
    config = shown["config"]["_panel_custom"]
    assert config["name"] == "openvox-gsm-messages-panel"
    [url] = [each for each in hass.data[DATA_EXTRA_MODULE_URL].urls if PATH[:7] in each]
    assert config["module_url"] == url
    module = await (await hass_client()).get(url)
    assert module.status == 200
    assert "javascript" in module.headers["Content-Type"]
    assert "openvox-gsm-messages-panel" in await module.text()


async def test_a_frontend_that_comes_later(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The page appears as soon as it's there."""
    assert await async_setup_component(hass, "frontend", {})
    await settle(hass)
    assert page(hass)


@pytest.mark.usefixtures("frontend")
async def test_the_option_shows_it_to_all(
    hass: HomeAssistant, loaded: MockConfigEntry, other_loaded: MockConfigEntry
) -> None:
    """One gateway is enough."""
    await set_options(hass, other_loaded, **{CONF_MESSAGES_FOR_ALL: True})
    shown = page(hass)
    assert shown
    assert shown["require_admin"] is False

    await set_options(hass, other_loaded)
    shown = page(hass)
    assert shown
    assert shown["require_admin"] is True


@pytest.mark.usefixtures("frontend")
async def test_no_gateway_keeps_messages(
    hass: HomeAssistant, loaded: MockConfigEntry, other_loaded: MockConfigEntry
) -> None:
    """The page goes with the last one that does, and comes back with the first.

    Its module stays, as a card would be a configuration error without it.
    """
    modules = hass.data[DATA_EXTRA_MODULE_URL].urls
    assert len(modules) == 1
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 0})
    assert page(hass)

    await set_options(hass, other_loaded, **{CONF_MESSAGES_KEPT: 0})
    assert page(hass) is None
    assert hass.data[DATA_EXTRA_MODULE_URL].urls == modules

    await set_options(hass, loaded)
    assert page(hass)


@pytest.mark.usefixtures("frontend")
async def test_a_gateway_that_is_disabled_or_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Its page goes; a reload doesn't touch it."""
    shown = hass.data[DATA_PANELS][PATH]
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert hass.data[DATA_PANELS][PATH] is shown

    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    await settle(hass)
    assert page(hass) is None

    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    await settle(hass)
    assert page(hass)
    await hass.config_entries.async_remove(loaded.entry_id)
    await settle(hass)
    assert page(hass) is None


@pytest.mark.usefixtures("frontend")
async def test_its_title_is_in_the_language_of_the_server(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Also after it was changed."""
    await hass.config.async_update(language="de")
    await settle(hass)

    shown = page(hass)
    assert shown
    assert shown["title"] == "Nachrichten"
