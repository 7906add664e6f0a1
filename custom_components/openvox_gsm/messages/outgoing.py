"""Writes down what Home Assistant sends and dials, with the gateway that carries it."""

from typing import Any, Final, Self

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

    def __init__(self, history: MessageHistory, record: MessageRecord) -> None:
        """Write it down with the gateway that tries it first."""
        self.id: Final = record.id
        self._begun = record
        self._history = history
        history.add(record)

    @classmethod
    def sms(
        cls,
        history: MessageHistory,
        number: str,
        text: str,
        *,
        span: int | None,
        parts: int,
    ) -> Self:
        """Write down an SMS that is about to be sent."""
        now = dt_util.utcnow()
        return cls(
            history,
            MessageRecord(
                id=history.new_id(now),
                kind=Kind.SMS,
                direction=Direction.OUT,
                number=number,
                text=text,
                time=now,
                span=span,
                parts=parts,
                status=Status.SENDING,
            ),
        )

    @classmethod
    def call(cls, history: MessageHistory, number: str, *, span: int | None) -> Self:
        """Write down a call that is about to be made."""
        now = dt_util.utcnow()
        return cls(
            history,
            MessageRecord(
                id=history.new_id(now),
                kind=Kind.CALL,
                direction=Direction.OUT,
                number=number,
                text=None,
                time=now,
                span=span,
                parts=0,
                status=Status.RINGING,
            ),
        )

    @callback
    def move(self, history: MessageHistory) -> None:
        """Let another gateway carry it."""
        if history is self._history:
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
    def not_rung(self, reason: str) -> None:
        """Write down why a call wasn't made, or why its outcome isn't known."""
        self._history.change(self.id, status=Status.FAILED, reason=reason)
