"""The link between one gateway and Home Assistant."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import UNDEFINED
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util.hass_dict import HassKey

from .ami import (
    AmiError,
    AuthenticationError,
    CannotConnectError,
    PermissionDeniedError,
)
from .const import CONF_LINE_BREAKS, DOMAIN, EVENT_SMS_RECEIVED, UPDATE_INTERVAL
from .gateway import (
    Gateway,
    IncomingSms,
    NotAnOpenVoxGatewayError,
    SendResult,
    Span,
    SpanStatus,
)

_LOGGER = logging.getLogger(__name__)

_MAX_SENDERS = 500
# As long as the gateway package remembers what it delivered.
_REPETITION_WINDOW = timedelta(minutes=5)

type OpenVoxConfigEntry = ConfigEntry[OpenVoxCoordinator]


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a poll reads. Two polls that read the same are equal."""

    spans: Mapping[int, Span]
    active_calls: int | None


@dataclass(slots=True)
class _Memory:
    """What is known of a gateway's SMS; it outlives a reload of the entry."""

    # SMS that nothing could see yet: Home Assistant or the entry was starting.
    held: list[IncomingSms] = field(default_factory=list)
    # What senders' numbers look like, by their digits; the newest come last.
    senders: dict[str, str] = field(default_factory=dict)
    published: dict[tuple[int, str, str, datetime], datetime] = field(
        default_factory=dict
    )


_MEMORIES: HassKey[dict[str, _Memory]] = HassKey(f"{DOMAIN}_memories")


class OpenVoxCoordinator(DataUpdateCoordinator[GatewayState]):
    """Owns a gateway: polls it, and turns its news into Home Assistant's."""

    config_entry: OpenVoxConfigEntry

    def __init__(self, hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
        """Prepare; the first refresh connects."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=UPDATE_INTERVAL,
            # A poll that finds nothing new writes no state.
            always_update=False,
        )
        self.gateway = Gateway(
            entry.data[CONF_HOST],
            entry.data[CONF_PORT],
            entry.data[CONF_USERNAME],
            entry.data[CONF_PASSWORD],
            line_breaks=entry.options.get(CONF_LINE_BREAKS, False),
            on_sms=self._sms_received,
            on_connection=self._connection_changed,
        )
        self._sms_listeners: list[Callable[[IncomingSms], None]] = []
        self._memory = hass.data.setdefault(_MEMORIES, {}).setdefault(
            entry.entry_id, _Memory()
        )
        self._may_publish = False
        self._device_ids: dict[int, str] = {}
        self._sending = 0

    @override
    async def _async_setup(self) -> None:
        """Connect; from then on the gateway stays connected by itself."""
        try:
            await self.gateway.start()
        except AuthenticationError as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="invalid_auth"
            ) from err
        except AmiError as err:
            raise _update_failed(err) from err

    @override
    async def _async_update_data(self) -> GatewayState:
        try:
            if not self.gateway.is_connected:
                # It may answer already, but it is not back before it says so.
                raise CannotConnectError("The gateway is not connected")
            state = GatewayState(
                spans=await self.gateway.read_spans(),
                active_calls=await self.gateway.read_active_calls(),
            )
        except AmiError as err:
            raise _update_failed(err) from err
        self._register_devices(state.spans)
        return state

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, disconnect."""
        await super().async_shutdown()
        await self.gateway.stop()

    @callback
    def _connection_changed(self, error: AmiError | None) -> None:
        """Make all unavailable at once, and all current again at once."""
        if error is None:
            self.config_entry.async_create_task(
                self.hass, self.async_refresh(), "OpenVox refresh after reconnection"
            )
            return
        self.async_set_update_error(_update_failed(error))
        if isinstance(error, AuthenticationError):
            self.config_entry.async_start_reauth(self.hass)

    # Devices

    @property
    def gateway_identifier(self) -> tuple[str, str]:
        """What the gateway's device is registered by."""
        return (DOMAIN, self.config_entry.entry_id)

    def span_identifier(self, span: int) -> tuple[str, str]:
        """What a span's device is registered by."""
        return (DOMAIN, f"{self.config_entry.entry_id}_{span}")

    def _register_devices(self, spans: Mapping[int, Span]) -> None:
        """Keep the gateway's and the spans' devices up to date."""
        registry = dr.async_get(self.hass)
        features = self.gateway.features
        host = self.config_entry.data[CONF_HOST]
        gateway = registry.async_get_or_create(
            config_entry_id=self.config_entry.entry_id,
            identifiers={self.gateway_identifier},
            manufacturer="OpenVox",
            model="GSM gateway",
            name=self.config_entry.title,
            sw_version=", ".join(
                f"{name} {version}"
                for name, version in (
                    ("Asterisk", features.asterisk_version),
                    ("libgsmat", features.driver_version),
                )
                if version
            )
            or None,
            configuration_url=f"http://[{host}]" if ":" in host else f"http://{host}",
        )
        for number, span in spans.items():
            self._device_ids[number] = registry.async_get_or_create(
                config_entry_id=self.config_entry.entry_id,
                identifiers={self.span_identifier(number)},
                translation_key="span",
                translation_placeholders={"number": str(number)},
                # A module without power tells nothing; it is still the same one.
                manufacturer=span.manufacturer or UNDEFINED,
                model=span.model or UNDEFINED,
                sw_version=span.revision or UNDEFINED,
                serial_number=span.imei or UNDEFINED,
                via_device_id=gateway.id,
            ).id

    @property
    def span_devices(self) -> Collection[int]:
        """The spans that have a device."""
        return self._device_ids.keys()

    def device_id(self, span: int) -> str | None:
        """Return the id of a span's device, None where it has none yet."""
        return self._device_ids.get(span)

    @callback
    def async_forget_device(self, device: dr.DeviceEntry) -> bool:
        """Forget the device of a span that is gone; says whether it was one."""
        if any(
            identifier in device.identifiers
            for identifier in (
                self.gateway_identifier,
                *map(self.span_identifier, self.data.spans),
            )
        ):
            return False
        self._device_ids = {
            number: device_id
            for number, device_id in self._device_ids.items()
            if device_id != device.id
        }
        self.async_update_listeners()
        return True

    # Outgoing SMS

    async def async_send_sms(
        self, number: str, text: str, span: int | None
    ) -> SendResult:
        """Send an SMS as Gateway.send_sms does."""
        self._sending += 1
        try:
            return await self.gateway.send_sms(number, text, span=span)
        finally:
            self._sending -= 1

    @property
    def load(self) -> float:
        """How many SMS are under way for each span that takes any; the less the better."""
        if self.gateway.choose_span() is None:
            return float("inf")
        able = sum(
            span.status in (SpanStatus.READY, SpanStatus.BUSY)
            for span in self.gateway.spans.values()
        )
        return self._sending / able

    # Incoming SMS

    @callback
    def async_listen_sms(
        self, listener: Callable[[IncomingSms], None]
    ) -> CALLBACK_TYPE:
        """Call `listener` with each SMS that comes in; returns what ends that."""
        self._sms_listeners.append(listener)

        def remove() -> None:
            self._sms_listeners.remove(listener)

        return remove

    def known_number(self, digits: str) -> str | None:
        """Return the number of a sender with these digits, as it came in."""
        return self._memory.senders.get(digits)

    @callback
    def async_publish_from_start(self) -> None:
        """Make SMS known from when Home Assistant has started.

        Until then no automation may be there to see them, so they are held; as
        they are while the entry has no entities and devices.
        """
        self.config_entry.async_on_unload(
            async_at_started(self.hass, self._publish_held_sms)
        )

    @callback
    def _sms_received(self, sms: IncomingSms) -> None:
        if self._may_publish:
            self._publish_sms(sms)
        else:
            self._memory.held.append(sms)

    @callback
    def _publish_held_sms(self, _hass: HomeAssistant) -> None:
        self._may_publish = True
        while self._memory.held:
            self._publish_sms(self._memory.held.pop(0))

    def _is_repetition(self, sms: IncomingSms) -> bool:
        """Tell whether this very SMS was published a few minutes ago.

        The gateway package drops repetitions, but remembers nothing over a reload.
        """
        if sms.sent_at is None:
            return False
        published = self._memory.published
        oldest = datetime.now(UTC) - _REPETITION_WINDOW
        for key, when in list(published.items()):
            if when < oldest:
                del published[key]
        identity = (sms.span, sms.sender, sms.text, sms.sent_at)
        if identity in published:
            return True
        published[identity] = sms.arrived_at
        return False

    def _publish_sms(self, sms: IncomingSms) -> None:
        if self._is_repetition(sms):
            return
        senders = self._memory.senders
        digits = sms.sender.removeprefix("+")
        senders.pop(digits, None)
        senders[digits] = sms.sender
        if len(senders) > _MAX_SENDERS:
            del senders[next(iter(senders))]
        for listener in tuple(self._sms_listeners):
            listener(sms)
        self.hass.bus.async_fire(
            EVENT_SMS_RECEIVED,
            {
                "config_entry_id": self.config_entry.entry_id,
                "device_id": self.device_id(sms.span),
                "span": sms.span,
                "sender": sms.sender,
                "message": sms.text,
                "received_at": sms.sent_at.isoformat() if sms.sent_at else None,
                "parts": sms.parts,
                "complete": sms.complete,
            },
        )


def _update_failed(err: AmiError) -> UpdateFailed:
    """Put an error of the gateway in words that say what to do."""
    if isinstance(err, AuthenticationError):
        key = "invalid_auth"
    elif isinstance(err, PermissionDeniedError):
        key = "no_command_right"
    elif isinstance(err, NotAnOpenVoxGatewayError):
        key = "not_openvox"
    else:
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="cannot_connect",
            translation_placeholders={"error": str(err)},
        )
    return UpdateFailed(translation_domain=DOMAIN, translation_key=key)
