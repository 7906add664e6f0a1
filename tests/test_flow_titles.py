"""What Home Assistant's frontend makes of the texts of a flow, in every language."""

from collections.abc import Awaitable, Callable, Mapping
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import openvox_gsm
from custom_components.openvox_gsm.const import (
    DOMAIN,
    SUBENTRY_CONTACT,
    SUBENTRY_USSD_QUERY,
)
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigFlowResult,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from simulator import Simulator

from .common import settle

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

ROOT = Path(openvox_gsm.__file__).parent
NAME = json.loads((ROOT / "manifest.json").read_text("utf-8"))["name"]
TEXTS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted(ROOT.glob("translations/*.json"))
}

type Flow = ConfigFlowResult | SubentryFlowResult
type Begin = Callable[[HomeAssistant, MockConfigEntry], Awaitable[Flow]]


def fill_in(text: str, placeholders: Mapping[str, str] | None) -> str:
    """Fill in placeholders; one that isn't given raises, as it does in the frontend."""
    return text.format_map(placeholders or {})


def card_title(texts: dict[str, Any], placeholders: Mapping[str, str] | None) -> str:
    """Return the title of a flow's card, as the frontend chooses it."""
    if not placeholders:
        return str(NAME)
    if text := texts["config"].get("flow_title"):
        return fill_in(text, placeholders)
    return placeholders.get("name", str(NAME))


async def _user(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def _dhcp(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    info = DhcpServiceInfo(ip="192.0.2.7", hostname="gsm", macaddress="a09805000001")
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_DHCP}, data=info
    )


async def _reauth(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    entry.async_start_reauth(hass)
    await settle(hass)
    [flow] = hass.config_entries.flow.async_progress()
    return await hass.config_entries.flow.async_configure(flow["flow_id"])


async def _reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


@pytest.mark.parametrize(
    ("begin", "step", "card"),
    [
        (_user, "user", NAME),
        (_dhcp, "discovery_confirm", "OpenVox 192.0.2.7"),
        (_reauth, "reauth_confirm", "Cellar"),
        (_reconfigure, "reconfigure", NAME),
    ],
    ids=["user", "dhcp", "reauth", "reconfigure"],
)
async def test_a_flow(
    hass: HomeAssistant, loaded: MockConfigEntry, begin: Begin, step: str, card: str
) -> None:
    """Its card and its form have their titles, with what the flow really gives."""
    hass.config_entries.async_update_entry(loaded, title="Cellar")

    form = await begin(hass, loaded)

    assert form["step_id"] == step
    [flow] = hass.config_entries.flow.async_progress()
    for texts in TEXTS.values():
        assert card_title(texts, flow["context"].get("title_placeholders")) == card
        shown = texts["config"]["step"][step]
        assert fill_in(shown["title"], form["description_placeholders"])
        assert fill_in(shown.get("description", " "), form["description_placeholders"])


@pytest.mark.parametrize("kind", [SUBENTRY_CONTACT, SUBENTRY_USSD_QUERY])
@pytest.mark.parametrize("source", [SOURCE_USER, SOURCE_RECONFIGURE])
async def test_a_flow_of_a_contact_or_a_query(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    kind: str,
    source: str,
) -> None:
    """It has no card; its button and its form have their titles."""
    flows = hass.config_entries.subentries
    form = await flows.async_init(
        (loaded.entry_id, kind), context={"source": SOURCE_USER}
    )
    if source == SOURCE_RECONFIGURE:
        given = {"number": "+49 151 12345678"} if kind == SUBENTRY_CONTACT else QUERY
        await flows.async_configure(form["flow_id"], {"name": "Anna", **given})
        await settle(hass)
        [subentry_id] = loaded.subentries
        form = await loaded.start_subentry_reconfigure_flow(hass, subentry_id)

    assert form["step_id"] == source
    for texts in TEXTS.values():
        words = texts["config_subentries"][kind]
        assert words["initiate_flow"][source]
        assert words["entry_type"]
        shown = words["step"][source]
        assert fill_in(shown["title"], form["description_placeholders"])
        assert fill_in(shown.get("description", " "), form["description_placeholders"])


QUERY = {"span": "1", "code": "*100#"}


async def test_a_name_is_never_read_as_a_placeholder(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A gateway may be called anything."""
    hass.config_entries.async_update_entry(loaded, title="{host} {0}")

    await _reauth(hass, loaded)

    [flow] = hass.config_entries.flow.async_progress()
    for texts in TEXTS.values():
        title = card_title(texts, flow["context"].get("title_placeholders"))
        assert title == "{host} {0}"
