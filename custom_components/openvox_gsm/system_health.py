"""How the gateways are, on the system health page."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .runtime import loaded_gateways


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register the page's information."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    """Count gateways and spans, those that work and all."""
    gateways = [runtime.gateway for runtime in loaded_gateways(hass)]
    spans = [
        span.can_send and gateway.is_connected
        for gateway in gateways
        for span in gateway.spans.values()
    ]
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    return {
        "gateways": len(entries),
        "gateways_connected": sum(gateway.is_connected for gateway in gateways),
        "spans": len(spans),
        "spans_ready": sum(spans),
    }
