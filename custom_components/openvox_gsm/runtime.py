"""What belongs to a gateway that is set up."""

from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import OpenVoxCoordinator
from .devices import Devices
from .gateway import Gateway, SpanStatus
from .issues import Issues
from .messages.history import MessageHistory
from .publisher import Publisher
from .store import GatewayStore
from .ussd_query import UssdQueries


@dataclass(eq=False)
class OpenVoxRuntime:
    """The rooms of one gateway, each with its own job."""

    entry: ConfigEntry[Any]
    coordinator: OpenVoxCoordinator
    devices: Devices
    issues: Issues
    publisher: Publisher
    store: GatewayStore
    messages: MessageHistory
    ussd_queries: UssdQueries
    publishes_calls: bool  # when it was set up
    sms_under_way: int = 0

    @property
    def gateway(self) -> Gateway:
        """The gateway itself."""
        return self.coordinator.gateway

    @property
    def load(self) -> float:
        """How many SMS are under way for each span that can send; infinite for none."""
        spans = self.gateway.spans
        if spans.choose() is None:
            return float("inf")
        able = sum(
            span.can_send or span.status is SpanStatus.BUSY for span in spans.values()
        )
        return self.sms_under_way / able


type OpenVoxConfigEntry = ConfigEntry[OpenVoxRuntime]


@callback
def loaded_gateways(hass: HomeAssistant) -> list[OpenVoxRuntime]:
    """Return the gateways that are set up."""
    entries: list[OpenVoxConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    return [entry.runtime_data for entry in entries]
