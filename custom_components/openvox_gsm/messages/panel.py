"""Puts the page *Messages* into the sidebar, and its card among the cards."""

from pathlib import Path
from typing import Final, NamedTuple

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration

from .history import HISTORIES

_PATH: Final = "openvox-gsm-messages"
_ELEMENT: Final = "openvox-gsm-messages-panel"
_FOLDER: Final = Path(__file__).parents[1] / "frontend"


class _Panel(NamedTuple):
    title: str
    require_admin: bool


class MessagesPanel:
    """The page in the sidebar, there for as long as any gateway keeps messages.

    Create it once the frontend is set up. Its module is loaded all the time, or a card
    on a dashboard would be an error while no gateway keeps messages.
    """

    def __init__(self, hass: HomeAssistant, module_url: str) -> None:
        """Create it; nothing is in the sidebar yet."""
        self._hass = hass
        self._module_url = module_url
        self._shown: _Panel | None = None
        frontend.add_extra_js_url(hass, module_url)

    async def async_update(self) -> None:
        """Show the page, hide it, or change its title or who sees it."""
        texts = await async_get_translations(
            self._hass, self._hass.config.language, "config_panel", {DOMAIN}
        )
        # No waiting from here on, so two updates don't mix.
        title = texts.get(f"component.{DOMAIN}.config_panel.sidebar.title", "Messages")
        keeping = [
            history
            for history in self._hass.data.get(HISTORIES, {}).values()
            if history.limit and not history.entry.disabled_by
        ]
        wanted = None
        if keeping:
            wanted = _Panel(title, not any(each.is_for_all for each in keeping))
        if wanted == self._shown:
            return
        if self._shown:
            frontend.async_remove_panel(self._hass, _PATH)
        self._shown = wanted
        if wanted:
            await panel_custom.async_register_panel(
                self._hass,
                _PATH,
                _ELEMENT,
                sidebar_title=wanted.title,
                sidebar_icon="mdi:message-text",
                module_url=self._module_url,
                require_admin=wanted.require_admin,
            )


async def async_create_panel(hass: HomeAssistant) -> MessagesPanel:
    """Serve the files of the page, and return it."""
    integration = await async_get_integration(hass, DOMAIN)
    # The version is part of every module's address, as they import each other by relative
    # ones: no browser mixes old and new ones after an update.
    url = f"/{DOMAIN}/{integration.version}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(_FOLDER), cache_headers=False)]
    )
    return MessagesPanel(hass, f"{url}/messages.js")
