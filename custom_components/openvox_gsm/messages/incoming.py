"""Writes down what happens on a gateway: SMS, delivery reports, calls."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from custom_components.openvox_gsm.contacts import country_of
from custom_components.openvox_gsm.errors import error, text_of
from custom_components.openvox_gsm.gateway import (
    CallDirection,
    CallEvent,
    CallEventType,
    IncomingSms,
    StatusReport,
)
from custom_components.openvox_gsm.phone_numbers import shown_sender
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .history import MessageHistory, call_not_seen
from .record import OPEN, Direction, Kind, MessageRecord, Status, conversation_of

# Guess: by then a network has reported, if it reports at all.
_REPORT_TIME: Final = timedelta(days=1)
_MAX_CALLS: Final = 200  # under way at a time
# Why an outgoing call ended that nobody answered (Q.850). Guess: 16 is a caller who hung
# up while it rang.
_UNANSWERED: Final = {
    16: Status.NO_ANSWER,
    17: Status.BUSY,
    18: Status.NO_ANSWER,
    19: Status.NO_ANSWER,
}


class IncomingMessages:
    """Writes down what one gateway reports."""

    def __init__(self, hass: HomeAssistant, history: MessageHistory) -> None:
        """Write into `history`."""
        self._hass = hass
        self._history = history
        # The messages of calls that aren't over, by `CallEvent.call_id`.
        self._calls: dict[str, str] = {}

    @callback
    def sms_received(self, sms: IncomingSms, *, is_held: bool) -> str:
        """Write down an SMS; return the ID of its message.

        One that's held counts as late, in case Home Assistant ends before automations
        see it.
        """
        message_id = self._history.new_id(sms.arrived_at)
        self._history.add(
            MessageRecord(
                id=message_id,
                kind=Kind.SMS,
                direction=Direction.IN,
                number=self._shown(sms.sender),
                text=sms.text,
                time=sms.arrived_at,
                span=sms.span,
                parts=sms.parts,
                status=Status.LATE if is_held else _received(sms),
            )
        )
        return message_id

    @callback
    def sms_in_time(self, message_id: str | None, sms: IncomingSms) -> None:
        """Write down that automations see an SMS that was held."""
        self._history.change(message_id, status=_received(sms))

    @callback
    def sms_reported(self, report: StatusReport) -> None:
        """Write down whether an SMS reached its phone, where it's certain which."""
        status = Status.DELIVERED if report.delivered else Status.UNDELIVERED
        for message_id in report.order_ids or self._only_one_sent(report):
            self._history.change(message_id, status=status, reason=report.cause)

    def _only_one_sent(self, report: StatusReport) -> tuple[str, ...]:
        """Return the only message that a report after a restart can be about.

        The gateway's own memory ends with the connection. One of several parts has
        several reports, so it's left out.
        """
        conversation = conversation_of(self._shown(report.recipient))
        ids = self._history.conversations.get(conversation, ())
        oldest = dt_util.utcnow() - _REPORT_TIME
        lately = takewhile(
            lambda record: record.time > oldest, self._history.newest_first(ids)
        )
        sent = [
            record
            for record in lately
            if record.status in (Status.SENT, Status.UNKNOWN)
            and record.span == report.span
        ]
        return (sent[0].id,) if len(sent) == 1 and sent[0].parts == 1 else ()

    @callback
    def call_changed(self, call: CallEvent) -> None:
        """Write down what happened to a call: one message for all of it."""
        number, changes = self._shown(call.number), self._changes(call)
        known = call.order_id or self._calls.get(call.call_id)
        if known is None:
            now = dt_util.utcnow()
            known = self._calls[call.call_id] = self._history.new_id(now)
            self._history.add(self._new_call(known, now, call, number, changes))
            if len(self._calls) > _MAX_CALLS:
                self._lose(next(iter(self._calls)))
        elif self._is_open(known) or call.talk_time is not None:
            # The number may come later than the first ring.
            changes |= {"span": call.span} | ({"number": number} if number else {})
            self._history.change(known, **changes)
        if call.type in (CallEventType.MISSED, CallEventType.ENDED):
            self._calls.pop(call.call_id, None)

    def _new_call(
        self,
        message_id: str,
        time: datetime,
        call: CallEvent,
        number: str | None,
        changes: dict[str, Any],
    ) -> MessageRecord:
        is_incoming = call.direction is CallDirection.INCOMING
        return MessageRecord(
            id=message_id,
            kind=Kind.CALL,
            direction=Direction.IN if is_incoming else Direction.OUT,
            number=number,
            text=None,
            time=time,
            span=call.span,
            parts=0,
            **changes,
        )

    def _changes(self, call: CallEvent) -> dict[str, Any]:
        """Return what an event changes in the message of its call."""
        match call.type:
            case CallEventType.RINGING:
                return {"status": Status.RINGING}
            case CallEventType.ANSWERED:
                return {"status": Status.ANSWERED}
            case CallEventType.MISSED:
                return {"status": Status.MISSED}
        if call.talk_time is not None:
            return {"status": Status.ENDED, "duration": call.talk_time}
        if status := _UNANSWERED.get(call.cause or 0):
            return {"status": status}
        failed = error("call_failed", self._history.entry, span=call.span)
        return {"status": Status.FAILED, "reason": text_of(self._hass, failed)}

    @callback
    def connection_lost(self) -> None:
        """End the calls under way, as their end won't be seen."""
        for call_id in list(self._calls):
            self._lose(call_id)

    def _lose(self, call_id: str) -> None:
        message_id = self._calls.pop(call_id)
        self._history.change(message_id, **call_not_seen(self._hass))

    def _is_open(self, message_id: str) -> bool:
        """Return whether a call isn't over; its outcome may be known already."""
        record = self._history.get(message_id)
        return record is not None and record.status in OPEN

    def _shown(self, number: str) -> str | None:
        country = country_of(self._hass, self._history.entry)
        return shown_sender(number, country) or None


def _received(sms: IncomingSms) -> Status:
    return Status.RECEIVED if sms.complete else Status.INCOMPLETE
