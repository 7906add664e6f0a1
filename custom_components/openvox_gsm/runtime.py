"""What belongs to a gateway that is set up."""

from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import OpenVoxCoordinator
from .devices import Devices
from .gateway import Gateway
from .issues import Issues
from .limits.sims import Sims
from .messages.history import MessageHistory
from .publisher import Publisher
from .store import GatewayStore
from .ussd.query import UssdQueries


@dataclass(eq=False)
class OpenVoxRuntime:
    """The rooms of one gateway, each with its own job."""

    entry: ConfigEntry[Any]
    coordinator: OpenVoxCoordinator
    devices: Devices
    issues: Issues
    publisher: Publisher
    store: GatewayStore
    sims: Sims
    messages: MessageHistory
    ussd_queries: UssdQueries
    publishes_calls: bool  # when it was set up
    is_self_testing: bool = False

    @property
    def gateway(self) -> Gateway:
        """The gateway itself."""
        return self.coordinator.gateway


type OpenVoxConfigEntry = ConfigEntry[OpenVoxRuntime]


@callback
def loaded_gateways(hass: HomeAssistant) -> list[OpenVoxRuntime]:
    """Return the gateways that are set up."""
    entries: list[OpenVoxConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    return [entry.runtime_data for entry in entries]
