"""Publishes what came in or went out: bus events, signals and counters."""

from collections import deque
import logging
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalType, SignalTypeFormat

from .const import (
    CONF_CALL_EVENTS,
    DOMAIN,
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from .contacts import contact_name
from .devices import find_span_device
from .gateway import (
    Assembler,
    CallEvent,
    CallEventType,
    IncomingSms,
    SendFailure,
    SendResult,
    SendStatus,
    StatusReport,
    Warner,
)
from .messages.history import MessageHistory
from .messages.incoming import IncomingMessages
from .signals import (
    SIGNAL_CALL,
    SIGNAL_SMS_DELIVERED,
    SIGNAL_SMS_FINISHED,
    SIGNAL_SMS_RECEIVED,
    SIGNAL_SMS_SENT,
    SIGNAL_SPAN_CALL,
    SIGNAL_SPAN_COUNTED,
    SIGNAL_SPAN_SMS_RECEIVED,
    SpanEvent,
)
from .store import CounterKey, GatewayStore

_LOGGER = logging.getLogger(__name__)

# What opens doors must be new: what was held for longer isn't published as news.
NEWS_TIME: Final = 600.0  # seconds since it arrived
# As many SMS as the largest gateway receives while Home Assistant starts. All of them are
# published at once, and a hostile gateway may send without end.
MAX_HELD: Final = 1000

type _News = IncomingSms | StatusReport | CallEvent
_WORDS: Final = {
    IncomingSms: "an SMS",
    StatusReport: "a delivery report",
    CallEvent: "a call",
}


class _Held(NamedTuple):
    """What can't be published yet."""

    arrived: float  # by the loop's clock: nobody sets that one
    news: _News
    message_id: str | None = None  # the SMS as it's written down


def publishes_calls(entry: ConfigEntry[Any]) -> bool:
    """Return whether calls on a gateway become events."""
    return bool(entry.options.get(CONF_CALL_EVENTS, True))


class Publisher:
    """Publishes for one gateway, as soon as automations can see it.

    It outlives a reload of the entry: what comes in during the reload is held, and half
    of a long SMS is joined with the rest that comes after it.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        store: GatewayStore,
        messages: MessageHistory,
    ) -> None:
        """Hold everything until `async_publish_from_start`."""
        self._hass = hass
        self._entry = entry
        self._store = store
        self._messages = IncomingMessages(hass, messages)
        self._is_holding = True
        self._held: deque[_Held] = deque()
        self._warner = Warner(_LOGGER)
        #: Joins the parts of long SMS; give it what the gateway receives.
        self.assembler = Assembler(
            self._sms_received,
            hass.loop.call_later,
            remembered=store.received,
            on_remembered=store.sms_remembered,
            secret=store.secret,
        )
        self._stop_listening = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._home_assistant_stops
        )

    @callback
    def async_publish_from_start(self) -> None:
        """Publish from when Home Assistant has started, until the entry is unloaded.

        Before that, automations may not be there to see it.
        """
        self._entry.async_on_unload(async_at_started(self._hass, self._publish_held))

    @callback
    def async_hold(self) -> None:
        """Hold everything again, since the entities are about to go."""
        self._is_holding = True

    @callback
    def async_close(self) -> None:
        """Publish what's left, since the entry is being removed."""
        self._stop_listening()
        self.async_publish_rest()

    @callback
    def _home_assistant_stops(self, _event: Event) -> None:
        # A gateway that is connected may still deliver something until it's stopped.
        if self._entry.state is not ConfigEntryState.LOADED:
            self.async_publish_rest()

    @callback
    def async_publish_rest(self) -> None:
        """Publish what's held, and long SMS of which parts are missing."""
        self.assembler.flush()
        self._publish_held(self._hass)

    @callback
    def _publish_held(self, _hass: HomeAssistant) -> None:
        self._is_holding = False
        while self._held:
            arrived, each, message_id = self._held.popleft()
            is_news = self._hass.loop.time() - arrived <= NEWS_TIME
            if not is_news:
                self._log_old(each)
            if isinstance(each, IncomingSms):
                if is_news:
                    self._messages.sms_in_time(message_id, each)
                self._publish_sms(each, is_news=is_news)
            elif not is_news:
                continue
            elif isinstance(each, StatusReport):
                self._publish_report(each)
            else:
                self._publish_call(each)
        self._warner.flush()

    def _hold(self, held: _Held) -> None:
        """Keep something until it can be published; the oldest goes if there's too much."""
        self._held.append(held)
        if len(self._held) <= MAX_HELD:
            return
        self._warner.warn(
            "%s: more came in than can be kept until automations see it. The oldest "
            "doesn't trigger any",
            self._entry.title,
        )
        if isinstance(oldest := self._held.popleft().news, IncomingSms):
            self._publish_sms(oldest, is_news=False)

    def _log_old(self, each: _News) -> None:
        self._warner.warn(
            "%s: %s came in on span %s while the gateway wasn't set up, more than %g "
            "minutes ago. It's too old to trigger automations",
            self._entry.title,
            _WORDS[type(each)],
            each.span,
            NEWS_TIME / 60,
        )

    # What comes in

    @callback
    def _sms_received(self, sms: IncomingSms) -> None:
        # Even if it's held, so that a crash doesn't lose it.
        message_id = self._messages.sms_received(sms, is_held=self._is_holding)
        if self._is_holding:
            # Half of a long one has waited for the rest before.
            age = (dt_util.utcnow() - sms.arrived_at).total_seconds()
            arrived = self._hass.loop.time() - max(0.0, age)
            self._hold(_Held(arrived, sms, message_id))
        else:
            self._publish_sms(sms)

    def _publish_sms(self, sms: IncomingSms, *, is_news: bool = True) -> None:
        # Those that are missing of a long message count as well.
        self._count(sms.span, CounterKey.RECEIVED, sms.parts)
        if not is_news:
            return
        data = {
            "sender": sms.sender,
            "contact": contact_name(self._hass, self._entry, sms.sender),
            "message": sms.text,
            "received_at": sms.sent_at.isoformat() if sms.sent_at else None,
            "parts": sms.parts,
            "complete": sms.complete,
        }
        self._publish(
            EVENT_SMS_RECEIVED,
            SIGNAL_SPAN_SMS_RECEIVED,
            SIGNAL_SMS_RECEIVED,
            sms.span,
            data,
        )

    @callback
    def call_changed(self, call: CallEvent) -> None:
        """Publish what happened to a call, or hold it.

        Ringing and answered calls aren't held: they would be over by the time they
        are published, and a gate must not open for someone who has left.
        """
        is_published = publishes_calls(self._entry)
        if is_published or call.order_id:
            self._messages.call_changed(call)
        if not is_published:
            return
        if not self._is_holding:
            self._publish_call(call)
        elif call.type in (CallEventType.MISSED, CallEventType.ENDED):
            self._hold(_Held(self._hass.loop.time(), call))

    def _publish_call(self, call: CallEvent) -> None:
        data = {
            "type": call.type.value,
            "caller": call.number,
            "contact": contact_name(self._hass, self._entry, call.number),
            "direction": call.direction.value,
            # Seconds of conversation once it's over; None where nobody answered.
            "duration": call.talk_time,
            "cause": call.cause_text or None,
        }
        self._publish(EVENT_CALL, SIGNAL_SPAN_CALL, SIGNAL_CALL, call.span, data)

    @callback
    def connection_lost(self) -> None:
        """Note that the end of calls under way won't be seen."""
        self._messages.connection_lost()

    @callback
    def sms_reported(self, report: StatusReport) -> None:
        """Publish whether an SMS reached its phone, or hold it."""
        self._messages.sms_reported(report)
        if self._is_holding:
            self._hold(_Held(self._hass.loop.time(), report))
        else:
            self._publish_report(report)

    def _publish_report(self, report: StatusReport) -> None:
        data: dict[str, Any] = {
            "target": report.recipient,
            "contact": contact_name(self._hass, self._entry, report.recipient),
            "delivered": report.delivered,
            "cause": report.cause,
        }
        if report.message is not None:
            data["message"] = report.message
        self._publish(
            EVENT_SMS_DELIVERED, None, SIGNAL_SMS_DELIVERED, report.span, data
        )

    def _publish(
        self,
        event: str,
        signal_of_span: SignalTypeFormat[SpanEvent] | None,
        signal: SignalType[SpanEvent],
        span: int,
        data: dict[str, Any],
    ) -> None:
        device = find_span_device(self._hass, self._entry.entry_id, span)
        span_event = SpanEvent(self._entry, span, device.id if device else None, data)
        if signal_of_span:
            name = signal_of_span.format(self._entry.entry_id, span)
            async_dispatcher_send(self._hass, name, span_event)
        async_dispatcher_send(self._hass, signal, span_event)
        self._fire(event, span, span_event.device_id, data)

    # What goes out

    @callback
    def sms_attempted(self, result: SendResult) -> None:
        """Count the result of a message on a span where it was tried.

        That the gateway couldn't be reached is no failure of the span.
        """
        if result.span is None:
            return
        self._count(result.span, CounterKey.SENT, result.parts_sent)
        if (
            result.status is SendStatus.FAILED
            and result.failure is not SendFailure.NOT_CONNECTED
        ):
            unsent = result.parts - result.parts_sent
            self._count(result.span, CounterKey.FAILED, unsent)
        async_dispatcher_send(self._hass, SIGNAL_SMS_SENT, result)

    @callback
    def sms_finished(
        self, result: SendResult, contact: str | None, context: Context | None = None
    ) -> None:
        """Publish the final result of a message; `context` says who sent it."""
        span = result.span
        device = span and find_span_device(self._hass, self._entry.entry_id, span)
        data = {
            "target": result.number,
            # The user who sent it may not be told whose number it is.
            "contact": contact or contact_name(self._hass, self._entry, result.number),
            "status": result.status.value,
            "parts": result.parts,
            "parts_sent": result.parts_sent,
            "error": result.failure.value if result.failure else None,
        }
        device_id = device.id if device else None
        span_event = SpanEvent(self._entry, span, device_id, data, context)
        async_dispatcher_send(self._hass, SIGNAL_SMS_FINISHED, span_event)
        self._fire(EVENT_SMS_SENT, span, device_id, data, context)

    def _count(self, span: int, key: CounterKey, parts: int) -> None:
        if parts:
            self._store.count(span, key, parts)
            signal = SIGNAL_SPAN_COUNTED.format(self._entry.entry_id, span)
            async_dispatcher_send(self._hass, signal, key)

    def _fire(
        self,
        event: str,
        span: int | None,
        device_id: str | None,
        data: dict[str, Any],
        context: Context | None = None,
    ) -> None:
        where = {
            "config_entry_id": self._entry.entry_id,
            "device_id": device_id,
            "span": span,
        }
        self._hass.bus.async_fire(event, where | data, context=context)


PUBLISHERS: HassKey[dict[str, Publisher]] = HassKey(f"{DOMAIN}_publishers")


@callback
def async_get_publisher(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    store: GatewayStore,
    messages: MessageHistory,
) -> Publisher:
    """Return the publisher of a gateway; the same until the entry is removed."""
    publishers = hass.data.setdefault(PUBLISHERS, {})
    if entry.entry_id not in publishers:
        publishers[entry.entry_id] = Publisher(hass, entry, store, messages)
    return publishers[entry.entry_id]


@callback
def async_close_publisher(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Close the publisher of a gateway that's being removed."""
    if publisher := hass.data.get(PUBLISHERS, {}).pop(entry.entry_id, None):
        publisher.async_close()
