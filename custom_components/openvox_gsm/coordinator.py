"""The link between one gateway and Home Assistant."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryChange
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import UNDEFINED
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .ami import (
    AmiError,
    AuthenticationError,
    CannotConnectError,
    CertificateError,
    ChallengeMissingError,
    PermissionDeniedError,
)
from .const import (
    CONF_CALL_EVENTS,
    CONF_CHALLENGE,
    CONF_LINE_BREAKS,
    CONF_ONLY_CONFIRMED,
    DOMAIN,
    EVENT_CALL,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
    SIGNAL_CALL,
    SIGNAL_SENT,
    SIGNAL_SMS,
    UPDATE_INTERVAL,
)
from .contacts import find_by_number
from .gateway import (
    SMS_TIMEOUT,
    Assembler,
    CallEvent,
    CallEventType,
    Gateway,
    IncomingSms,
    NotAnOpenVoxGatewayError,
    SendFailure,
    SendResult,
    SendStatus,
    Span,
    SpanStatus,
)
from .issues import update_call_issue, update_issues, update_limit_issue
from .limits import SmsBudget, is_allowed
from .tls import tls_of
from .ussd_query import UssdQueries

_LOGGER = logging.getLogger(__name__)

_MAX_SENDERS = 500
# Entities that are updated in one turn of the event loop, some milliseconds.
_TOLD_AT_ONCE = 100
# Polls without a break, ten minutes, after which a span that has not shown since
# set-up is gone: a board may take minutes to start, one span after the other.
_POLLS_UNTIL_STALE = 20

type OpenVoxConfigEntry = ConfigEntry[OpenVoxCoordinator]


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a poll reads. Two polls that read the same are equal."""

    spans: Mapping[int, Span]
    active_calls: int | None
    started_at: datetime | None = None


class _Memory:
    """What is known of a gateway's SMS; it outlives a reload of the entry."""

    def __init__(self, hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
        """Know nothing yet."""
        self.budget = SmsBudget(hass, entry)
        # What nothing could see yet: Home Assistant or the entry was starting.
        self.held: list[IncomingSms | CallEvent] = []
        # What senders' numbers look like, by their digits; the newest come last.
        self.senders: dict[str, str] = {}
        # Half a long SMS is joined with what comes after a reload.
        self.assembler = Assembler(self._deliver, hass.loop.call_later)
        self.receive: Callable[[IncomingSms], None] = self.held.append
        self._stop_listening = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_FINAL_WRITE, self._stop
        )

    async def async_forget(self) -> None:
        """Tell what is held, then forget all; nobody must hold on to this any more."""
        self._stop_listening()
        self.assembler.flush()
        await self.budget.async_remove()

    def _deliver(self, sms: IncomingSms) -> None:
        self.receive(sms)

    @callback
    def _stop(self, _event: Event) -> None:
        self.assembler.flush()


_MEMORIES: HassKey[dict[str, _Memory]] = HassKey(f"{DOMAIN}_memories")


def _memory_of(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> _Memory:
    memories = hass.data.setdefault(_MEMORIES, {})
    if entry.entry_id not in memories:
        memories[entry.entry_id] = _Memory(hass, entry)
    return memories[entry.entry_id]


async def async_forget_memory(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Forget what outlives a reload of the entry."""
    memory = _memory_of(hass, entry)
    del hass.data[_MEMORIES][entry.entry_id]
    await memory.async_forget()


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
        self._memory = _memory_of(hass, entry)
        self._memory.receive = self._sms_received
        self.gateway = Gateway(
            entry.data[CONF_HOST],
            entry.data[CONF_PORT],
            entry.data[CONF_USERNAME],
            entry.data[CONF_PASSWORD],
            tls=tls_of(entry.data),
            plain_login=not entry.data.get(CONF_CHALLENGE),
            on_part=self._memory.assembler.add,
            on_call=self._call_changed,
            on_attempt=self._sms_attempted,
            on_connection=self._connection_changed,
        )
        self._may_publish = False
        self._gateway_device_id: str | None = None
        self._device_ids = self._known_span_devices()
        self._registered: dict[int, dict[str, Any]] = {}  # as what, by span
        self._spans_seen: set[int] = set()
        self._polls_with_spans = 0  # since the gateway was connected
        self._sending = 0
        self._telling: asyncio.Handle | None = None
        self._untold: list[int] = []  # the listeners that have not heard the news yet
        self.budget = self._memory.budget
        self.had_call_events = self.call_events
        self.ussd_queries = UssdQueries(self)
        self._apply_options()

    @property
    def call_events(self) -> bool:
        """Whether calls are told as events."""
        return bool(self.config_entry.options.get(CONF_CALL_EVENTS, True))

    @property
    def lacks_call_right(self) -> bool:
        """Whether calls are to be told as events, and the user may not see them."""
        return self.call_events and self.gateway.features.may_see_calls is False

    def _apply_options(self) -> None:
        options = self.config_entry.options
        self.gateway.sms.line_breaks = options.get(CONF_LINE_BREAKS, False)
        self.gateway.requires_pdu = options.get(CONF_ONLY_CONFIRMED, False)

    @callback
    def async_apply_entry(self) -> None:
        """Take over what was changed in the entry's options and subentries.

        The connection stays, so no SMS is lost over it.
        """
        self.name = self.config_entry.title
        self._apply_options()
        self.ussd_queries.update()
        update_limit_issue(self)
        update_call_issue(self)
        self.async_update_listeners()

    @override
    async def _async_setup(self) -> None:
        """Connect; from then on the gateway stays connected by itself."""
        await self.budget.async_load()
        try:
            await self.gateway.start()
        except AuthenticationError as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="invalid_auth"
            ) from err
        except AmiError as err:
            raise self._failed(err) from err
        if self.gateway.was_challenged:
            # From now on nobody at its address gets the password by asking for it.
            self.hass.config_entries.async_update_entry(
                self.config_entry,
                data={**self.config_entry.data, CONF_CHALLENGE: True},
            )

    @override
    async def _async_update_data(self) -> GatewayState:
        try:
            if not self.gateway.is_connected:
                # It may answer already, but it is not back before it says so.
                raise self.gateway.connection_error or CannotConnectError(
                    "It has not come back yet"
                )
            spans = await self.gateway.spans.read()
            core = await self.gateway.read_core_status()
            state = GatewayState(
                spans=spans,
                active_calls=core.active_calls,
                # Guess: the gateway stands in Home Assistant's time zone; it tells
                # its local time only.
                started_at=core.started_at and dt_util.as_utc(core.started_at),
            )
            await self._log_in_anew_where_that_helps()
        except AmiError as err:
            if self._shutdown_requested:
                return self.data  # nobody wants it any more
            raise self._failed(err) from err
        self._register_devices(state.spans)
        self._remove_stale_devices(state.spans)
        update_issues(self)
        return state

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell the entities that there is news, so many at a time.

        A large gateway has a thousand of them; all at once would hold up whatever
        else Home Assistant does.
        """
        self._untold = list(self._listeners)
        self._tell_some()

    def _tell_some(self) -> None:
        told, self._untold = self._untold[:_TOLD_AT_ONCE], self._untold[_TOLD_AT_ONCE:]
        for number in told:
            if number not in self._listeners:
                continue  # it was removed meanwhile
            try:
                self._listeners[number][0]()
            except Exception:
                _LOGGER.exception("Unexpected error while updating an entity")
        if self._untold and (self._telling is None or self._telling.cancelled()):
            self._telling = self.hass.loop.call_soon(self._tell_more)

    def _tell_more(self) -> None:
        self._telling = None
        self._tell_some()

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, disconnect."""
        await super().async_shutdown()
        self._untold = []
        await self.gateway.stop()

    async def _log_in_anew_where_that_helps(self) -> None:
        """Reload once the user has been given a right that the session lacks."""
        features = self.gateway.features
        lacking = set()
        if features.may_see_sms is False:
            lacking.add("dialplan")
        if self.lacks_call_right:
            lacking.add("call")
        if lacking and lacking & await self.gateway.read_rights_now():
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)

    def _failed(self, error: AmiError) -> UpdateFailed:
        """Raise the issue that an error stands for, and put it in words."""
        update_issues(self, error)
        return _update_failed(error)

    @callback
    def _connection_changed(self, error: AmiError | None) -> None:
        """Make all unavailable at once, and all current again at once."""
        if error is None:
            self.config_entry.async_create_task(
                self.hass, self.async_refresh(), "OpenVox refresh after reconnection"
            )
            return
        self._polls_with_spans = 0  # it may be starting
        self.async_set_update_error(self._failed(error))
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
        # DHCP discovery gives the entry its id.
        mac = self.config_entry.unique_id
        connections = {(dr.CONNECTION_NETWORK_MAC, each) for each in (mac,) if each}
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
        self._gateway_device_id = gateway.id
        if gateway.connections != connections:
            # An entry that was given another address may be another box.
            registry.async_update_device(gateway.id, new_connections=connections)
        # Beside the spans of another gateway the number alone says too little.
        gateways = self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        span_name = "span" if len(gateways) == 1 else "span_of_gateway"
        for number, span in spans.items():
            device: dict[str, Any] = {
                "translation_key": span_name,
                "translation_placeholders": {
                    "gateway": self.config_entry.title,
                    "number": str(number),
                },
                # A module without power tells nothing; it is still the same one.
                "manufacturer": span.manufacturer or UNDEFINED,
                "model": span.model or UNDEFINED,
                "sw_version": span.revision or UNDEFINED,
                "serial_number": span.imei or UNDEFINED,
                "via_device_id": gateway.id,
            }
            known = registry.async_get(self._device_ids.get(number, ""))
            if known and self._registered.get(number) == device:
                continue  # at each poll the registry would find out the same, slowly
            self._registered[number] = device
            self._device_ids[number] = registry.async_get_or_create(
                config_entry_id=self.config_entry.entry_id,
                identifiers={self.span_identifier(number)},
                **device,
            ).id

    @callback
    def async_entries_changed(self, change: ConfigEntryChange, entry: Any) -> None:
        """Name the spans anew when another gateway comes or goes."""
        if entry.domain == DOMAIN and change is not ConfigEntryChange.UPDATED:
            self._register_devices(self.data.spans)

    def _known_span_devices(self) -> dict[int, str]:
        """Return the devices of spans that were registered before, by span."""
        entry_id = self.config_entry.entry_id
        devices = dr.async_entries_for_config_entry(dr.async_get(self.hass), entry_id)
        return {
            int(number): device.id
            for device in devices
            for domain, identifier, *_ in device.identifiers
            if domain == DOMAIN
            and (number := identifier.removeprefix(f"{entry_id}_")).isdecimal()
        }

    def _remove_stale_devices(self, spans: Collection[int]) -> None:
        """Remove the devices of spans that are gone, as after a board was taken out.

        They are those that no poll has shown since set-up, after many polls.
        """
        self._spans_seen.update(spans)
        self._polls_with_spans += bool(spans)
        if self._polls_with_spans < _POLLS_UNTIL_STALE:
            return
        stale = self._device_ids.keys() - self._spans_seen
        for number in stale:
            dr.async_get(self.hass).async_remove_device(self._device_ids.pop(number))
        if stale:
            self.async_update_listeners()

    @property
    def span_devices(self) -> Collection[int]:
        """The spans that have a device."""
        return self._device_ids.keys()

    @property
    def gateway_device_id(self) -> str | None:
        """The id of the gateway's device."""
        return self._gateway_device_id

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
        self,
        number: str,
        text: str,
        span: int | None = None,
        *,
        timeout: int = SMS_TIMEOUT,
        flash: bool = False,
        given_up: asyncio.Event | None = None,
    ) -> SendResult:
        """Send an SMS as Sender.send does, within what the options allow.

        Whoever calls this tells the bus what became of it (`async_tell_sent`).
        """
        parts = self.gateway.sms.count_parts(text, flash=flash)
        if not is_allowed(self.config_entry, number):
            return _refused(number, parts, SendFailure.NOT_ALLOWED)
        taken = self.budget.take(parts)
        update_limit_issue(self)
        if taken is None:
            return _refused(number, parts, SendFailure.LIMIT_REACHED)
        self._sending += 1
        try:
            result = await self.gateway.sms.send(
                number,
                text,
                span=span,
                timeout=timeout,
                flash=flash,
                given_up=given_up,
            )
        finally:
            self._sending -= 1
        if result.certainly_not_sent:
            self.budget.give_back(taken)
        return result

    @callback
    def _sms_attempted(self, result: SendResult) -> None:
        """Tell the entities what became of a message on a span."""
        async_dispatcher_send(self.hass, SIGNAL_SENT, self, result)

    @callback
    def async_tell_sent(self, result: SendResult) -> None:
        """Tell the bus what became of a message in the end."""
        self._fire(
            EVENT_SMS_SENT,
            result.span,
            {
                "target": result.number,
                "contact": self.contact_name(result.number),
                "status": result.status.value,
                "parts": result.parts,
                "parts_sent": result.parts_sent,
                "error": result.failure.value if result.failure else None,
            },
        )

    @property
    def load(self) -> float:
        """How many SMS are under way for each span that takes any; the less the better."""
        if self.gateway.spans.choose() is None:
            return float("inf")
        able = sum(
            span.status in (SpanStatus.READY, SpanStatus.BUSY)
            for span in self.gateway.spans.values()
        )
        return self._sending / able

    # Incoming SMS

    def known_number(self, digits: str) -> str | None:
        """Return the number of a sender with these digits, as it came in."""
        return self._memory.senders.get(digits)

    @callback
    def async_publish_from_start(self) -> None:
        """Make SMS and calls known from when Home Assistant has started.

        Until then no automation may be there to see them, so they are held; as
        they are while the entry has no entities and devices.
        """
        self.config_entry.async_on_unload(
            async_at_started(self.hass, self._publish_held)
        )

    @callback
    def async_hold(self) -> None:
        """Hold SMS and calls back again, since the entities are about to go."""
        self._may_publish = False

    @callback
    def _sms_received(self, sms: IncomingSms) -> None:
        if self._may_publish:
            self._publish_sms(sms)
        else:
            self._memory.held.append(sms)

    @callback
    def _publish_held(self, _hass: HomeAssistant) -> None:
        self._may_publish = True
        while self._memory.held:
            news = self._memory.held.pop(0)
            if isinstance(news, IncomingSms):
                self._publish_sms(news)
            else:
                self._publish_call(news)

    def _publish_sms(self, sms: IncomingSms) -> None:
        senders = self._memory.senders
        digits = sms.sender.removeprefix("+")
        senders.pop(digits, None)
        senders[digits] = sms.sender
        if len(senders) > _MAX_SENDERS:
            del senders[next(iter(senders))]
        async_dispatcher_send(self.hass, SIGNAL_SMS, self, sms)
        self._fire(EVENT_SMS_RECEIVED, sms.span, self.sms_data(sms))

    def sms_data(self, sms: IncomingSms) -> dict[str, Any]:
        """Return an SMS as automations see it."""
        return {
            "sender": sms.sender,
            "contact": self.contact_name(sms.sender),
            "message": sms.text,
            "received_at": sms.sent_at.isoformat() if sms.sent_at else None,
            "parts": sms.parts,
            "complete": sms.complete,
        }

    # Calls

    @callback
    def _call_changed(self, news: CallEvent) -> None:
        """Publish what happened to a call, or hold it.

        Not that it rings, or was answered: that is over when it is published, and
        a gate must not open when nobody stands before it any more.
        """
        if not self.call_events:
            return
        if self._may_publish:
            self._publish_call(news)
        elif news.type in (CallEventType.MISSED, CallEventType.ENDED):
            self._memory.held.append(news)

    def _publish_call(self, news: CallEvent) -> None:
        async_dispatcher_send(self.hass, SIGNAL_CALL, self, news)
        data = {"type": news.type.value, **self.call_data(news)}
        self._fire(EVENT_CALL, news.span, data)

    def call_data(self, news: CallEvent) -> dict[str, Any]:
        """Return what happened to a call as automations see it.

        The duration is that of the conversation, in seconds, once it is over.
        """
        return {
            "caller": news.number,
            "contact": self.contact_name(news.number),
            "direction": news.direction.value,
            "duration": news.talk_time,
            "cause": news.cause_text or None,
        }

    # News

    def contact_name(self, number: str) -> str | None:
        """Return the name of the contact with this number, None where there is none."""
        contact = find_by_number(self.hass, self.config_entry, number)
        return contact.name if contact else None

    def _fire(self, event: str, span: int | None, data: dict[str, Any]) -> None:
        """Fire an event of the bus that says where it happened."""
        self.hass.bus.async_fire(
            event,
            {
                "config_entry_id": self.config_entry.entry_id,
                "device_id": self.device_id(span) if span else None,
                "span": span,
                **data,
            },
        )


def _refused(number: str, parts: int, failure: SendFailure) -> SendResult:
    return SendResult(number, SendStatus.FAILED, None, parts, failure=failure)


def _update_failed(err: AmiError) -> UpdateFailed:
    """Put an error of the gateway in words that say what to do."""
    if isinstance(err, AuthenticationError):
        key = "invalid_auth"
    elif isinstance(err, PermissionDeniedError):
        key = "no_command_right"
    elif isinstance(err, NotAnOpenVoxGatewayError):
        key = "not_openvox"
    elif isinstance(err, CertificateError):
        key = "certificate"
    elif isinstance(err, ChallengeMissingError):
        key = "no_challenge"
    else:
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="cannot_connect",
            translation_placeholders={"error": str(err)},
        )
    return UpdateFailed(translation_domain=DOMAIN, translation_key=key)
