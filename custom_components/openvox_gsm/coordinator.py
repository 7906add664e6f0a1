"""Polls a gateway, and knows whether it's there."""

from collections.abc import Mapping
from datetime import datetime
import logging
from typing import Any, Final, NamedTuple, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .ami import AmiError, AuthenticationError, CannotConnectError
from .connecting.attempt import tls_of
from .const import (
    CONF_CHALLENGE,
    CONF_LINE_BREAKS,
    CONF_ONLY_CONFIRMED,
    SMS_RECEIVED_INTERVAL,
    UPDATE_INTERVAL,
)
from .devices import Devices, find_entry_of, imeis_of
from .errors import auth_failed, update_failed
from .gateway import Gateway, OtherGatewayError, Span
from .issues import Issues
from .limits.sims import Sims
from .publisher import Publisher, publishes_calls
from .store import GatewayStore

_LOGGER = logging.getLogger(__name__)

# Between two polls that something on a span asks for.
_POLL_COOLDOWN: Final = 5.0  # seconds


class GatewayState(NamedTuple):
    """What a poll reads. Two polls that read the same are equal."""

    spans: Mapping[int, Span]
    active_calls: int | None
    started_at: datetime | None = None


class OpenVoxCoordinator(DataUpdateCoordinator[GatewayState]):
    """Owns a gateway: connects to it, polls it, and says when it's gone."""

    config_entry: ConfigEntry[Any]

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        publisher: Publisher,
        devices: Devices,
        issues: Issues,
        store: GatewayStore,
        sims: Sims,
    ) -> None:
        """Prepare; the first refresh connects."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=UPDATE_INTERVAL,
            # A poll that finds nothing new writes no state.
            always_update=False,
            request_refresh_debouncer=Debouncer(
                hass, _LOGGER, cooldown=_POLL_COOLDOWN, immediate=True
            ),
        )
        self.gateway = Gateway(
            entry.data[CONF_HOST],
            entry.data[CONF_PORT],
            entry.data[CONF_USERNAME],
            entry.data[CONF_PASSWORD],
            tls=tls_of(entry.data),
            plain_login=not entry.data.get(CONF_CHALLENGE),
            on_part=publisher.assembler.add,
            on_call=publisher.call_changed,
            on_attempt=publisher.sms_attempted,
            on_report=publisher.sms_reported,
            on_ussd_unit=store.set_ussd_in_milliseconds,
            ussd_in_milliseconds=store.ussd_in_milliseconds,
            on_connection=self._connection_changed,
            on_span_news=self._poll_soon,
            on_power=store.power_changed,
            switched_off=store.switched_off,
            rests=store.rests,
        )
        self._publisher = publisher
        self._devices = devices
        self._issues = issues
        self._sims = sims
        self._is_shut_down = False
        self._own_imeis: frozenset[str] = frozenset()
        self._next_look = dt_util.utcnow() + SMS_RECEIVED_INTERVAL
        self.async_apply_options()

    @callback
    def async_apply_options(self) -> None:
        """Apply the entry's title and options, which need no new connection."""
        self.name = self.config_entry.title
        options = self.config_entry.options
        self.gateway.sms.line_breaks = options.get(CONF_LINE_BREAKS, False)
        self.gateway.requires_pdu = options.get(CONF_ONLY_CONFIRMED, False)

    @override
    async def _async_setup(self) -> None:
        """Connect; from then on the gateway stays connected by itself."""
        try:
            await self.gateway.start()
        except AuthenticationError as err:
            raise auth_failed() from err
        except AmiError as err:
            self._issues.poll_failed(err)
            raise update_failed(err) from err
        if self.gateway.was_challenged:
            # From now on, whatever answers at its address can't ask for the password.
            self.hass.config_entries.async_update_entry(
                self.config_entry,
                data={**self.config_entry.data, CONF_CHALLENGE: True},
            )

    @override
    async def _async_update_data(self) -> GatewayState:
        gateway = self.gateway
        try:
            if not gateway.is_connected:
                # It may answer already, but it isn't back before it's logged in.
                raise gateway.connection_error or CannotConnectError(
                    "It has not come back yet"
                )
            spans = await gateway.spans.read()
            self._require_own_gateway()
            core = await gateway.read_core_status()
            await self._reload_for_new_rights()
            await self._look_for_sms_received()
        except AmiError as err:
            if self._is_shut_down:
                return self.data  # nothing waits for it any more
            self._issues.poll_failed(err)
            if isinstance(err, AuthenticationError):
                # Again, in case that somebody has dismissed the question.
                self.config_entry.async_start_reauth(self.hass)
            raise update_failed(err) from err
        if self._devices.update(spans, gateway.features):
            self.async_update_listeners()
        self._sims.polled(self.config_entry.entry_id, spans)
        self._issues.poll_succeeded(gateway)
        return GatewayState(
            spans=spans,
            active_calls=core.active_calls,
            # Guess: the gateway is in Home Assistant's time zone; it only gives its
            # local time.
            started_at=core.started_at and dt_util.as_utc(core.started_at),
        )

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, and disconnect."""
        self._is_shut_down = True
        await super().async_shutdown()
        await self.gateway.stop()

    @callback
    def _require_own_gateway(self) -> None:
        """Raise OtherGatewayError if the gateway is that of another entry.

        A router that has forgotten its addresses may mix them up. Then each SMS would
        come in under the wrong gateway, or twice. Without this one set up, nothing
        comes in or goes out, and the next attempt may find the right one.
        """
        imeis = imeis_of(self.gateway.spans)
        if imeis == self._own_imeis:
            return
        entry = self.config_entry
        if other := find_entry_of(self.hass, imeis, instead_of=entry):
            if entry.state is ConfigEntryState.LOADED:
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
            raise OtherGatewayError(other.title)
        self._own_imeis = imeis

    async def _reload_for_new_rights(self) -> None:
        """Reload once the user has a right that the session lacks."""
        features = self.gateway.features
        lacking = set()
        if features.may_see_sms is False:
            lacking.add("dialplan")
        if features.may_see_calls is False and publishes_calls(self.config_entry):
            lacking.add("call")
        if lacking and lacking & await self.gateway.read_rights_now():
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)

    async def _look_for_sms_received(self) -> None:
        """Look now and then whether the gateway hands over incoming SMS by now."""
        now = dt_util.utcnow()
        if self.gateway.features.receives_sms is False and now >= self._next_look:
            self._next_look = now + SMS_RECEIVED_INTERVAL
            await self.gateway.read_sms_steps()

    @callback
    def _poll_soon(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self.async_request_refresh(), "OpenVox refresh after an event"
        )

    @callback
    def _connection_changed(self, error: AmiError | None) -> None:
        """Make everything unavailable at once, and current again at once."""
        if error is None:
            self.config_entry.async_create_task(
                self.hass, self.async_refresh(), "OpenVox refresh after reconnection"
            )
            return
        self._devices.connection_lost()
        self._publisher.connection_lost()
        self._issues.poll_failed(error)
        self.async_set_update_error(update_failed(error))
        if isinstance(error, AuthenticationError):
            self.config_entry.async_start_reauth(self.hass)
