"""Writes down what Home Assistant sends and dials, with the gateway that carries it."""

from typing import Any, Final

from custom_components.openvox_gsm.gateway import (
    RingOutcome,
    RingResult,
    SendResult,
    SendStatus,
)
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .history import MessageHistory
from .record import Direction, Kind, MessageRecord, Status

_BEGUN: Final = {Kind.SMS: Status.SENDING, Kind.CALL: Status.RINGING}
_SENT: Final = {
    SendStatus.SENT: Status.SENT,
    SendStatus.FAILED: Status.FAILED,
    SendStatus.UNKNOWN: Status.UNKNOWN,
}
_RANG: Final = {
    RingOutcome.ANSWERED: Status.ENDED,  # it's hung up at once
    RingOutcome.BUSY: Status.BUSY,
    RingOutcome.NO_ANSWER: Status.NO_ANSWER,
    RingOutcome.FAILED: Status.FAILED,
}
# What a report said is more than what the gateway said when it sent the message.
_REPORTED: Final = (Status.DELIVERED, Status.UNDELIVERED)


class OutgoingMessage:
    """An SMS or a call that is under way, in the history of one gateway at a time."""

    def __init__(
        self,
        history: MessageHistory,
        kind: Kind,
        number: str,
        text: str | None = None,
        *,
        span: int | None,
        parts: int = 0,
    ) -> None:
        """Write down what is about to go out, with the gateway that tries it first."""
        now = dt_util.utcnow()
        self.id: Final = history.new_id(now)
        self._begun = MessageRecord(
            id=self.id,
            kind=kind,
            direction=Direction.OUT,
            number=number,
            text=text,
            time=now,
            span=span,
            parts=parts,
            status=_BEGUN[kind],
        )
        self._history = history
        history.add(self._begun)

    @callback
    def move(self, history: MessageHistory) -> None:
        """Let another gateway carry it, unless that one was removed."""
        if history is self._history or history.is_removed:
            return
        record = self._history.get(self.id)
        if not self._history.limit:
            record = self._begun  # the other gateway kept none
        self._history.delete([self.id])
        self._history = history
        if record:
            history.add(record)

    @callback
    def sent(self, result: SendResult, reason: str | None) -> None:
        """Write down the result of an SMS, and why it failed."""
        record = self._history.get(self.id)
        changes: dict[str, Any] = {"span": result.span, "parts": result.parts}
        if record and record.status not in _REPORTED:
            changes |= {"status": _SENT[result.status], "reason": reason}
        self._history.change(self.id, **changes)

    @callback
    def rang(self, result: RingResult, reason: str | None) -> None:
        """Write down the outcome of a call, and why it failed."""
        self._history.change(
            self.id, span=result.span, status=_RANG[result.outcome], reason=reason
        )

    @callback
    def not_made(self, reason: str) -> None:
        """Write down why an SMS wasn't sent, or a call not made or not seen."""
        self._history.change(self.id, status=Status.FAILED, reason=reason)

    @callback
    def lost(self, reason: str) -> None:
        """Write down why the outcome of an SMS isn't known."""
        self._history.change(self.id, status=Status.UNKNOWN, reason=reason)
