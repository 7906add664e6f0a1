"""One SMS or call as it's kept and shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from homeassistant.util.ulid import bytes_to_ulid, ulid_to_bytes


class Kind(StrEnum):
    """What it is."""

    SMS = "sms"
    CALL = "call"


class Direction(StrEnum):
    """Which way it goes."""

    IN = "in"
    OUT = "out"


class Status(StrEnum):
    """What became of it."""

    # SMS that came in
    RECEIVED = "received"
    INCOMPLETE = "incomplete"
    LATE = "late"  # automations don't see it, or not yet
    # SMS that go out
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"
    # SMS and calls that go out
    FAILED = "failed"
    # Calls
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    MISSED = "missed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


#: Those of an SMS or a call that isn't over.
OPEN: Final = frozenset((Status.SENDING, Status.RINGING, Status.ANSWERED))


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """An SMS or a call.

    `id` is a ULID, so records sort by time. `number` is in its one form, None where it's
    withheld. `text` is None for calls. `time` is when it arrived or began, in UTC. `span`
    is None before one is chosen. `parts` is the number of SMS it takes, 0 for calls.
    `reason` says in words why it failed, or why its outcome isn't known. `duration` is
    the conversation's length in seconds, None where there was none.
    """

    id: str
    kind: Kind
    direction: Direction
    number: str | None = field(repr=False)
    text: str | None = field(repr=False)
    time: datetime
    span: int | None
    parts: int
    status: Status
    reason: str | None = field(default=None, repr=False)
    duration: int | None = None

    @property
    def conversation(self) -> str | None:
        """The number as it's compared: the case of a name doesn't matter."""
        return conversation_of(self.number)

    @property
    def is_failed(self) -> bool:
        """Whether it's an SMS or a call that certainly didn't go out."""
        return self.status is Status.FAILED

    def as_dict(self) -> dict[str, Any]:
        """Return it as it's stored and shown."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "direction": self.direction.value,
            "number": self.number,
            "text": self.text,
            "time": self.time.isoformat(),
            "span": self.span,
            "parts": self.parts,
            "status": self.status.value,
            "reason": self.reason,
            "duration": self.duration,
        }

    @classmethod
    def from_dict(cls, stored: Any) -> Self:
        """Read it as it was stored.

        Raises TypeError and ValueError, which don't repeat what's private in it.
        """
        if not isinstance(stored, Mapping):
            raise TypeError("a message is no mapping")
        for key, types in _STORED.items():
            value = stored.get(key)
            if not isinstance(value, types) or isinstance(value, bool):
                raise TypeError(f"the {key} of a message is of the wrong type")
        try:
            _check_id(stored["id"])
            record = cls(
                **{key: stored[key] for key in _STORED}
                | {
                    "kind": Kind(stored["kind"]),
                    "direction": Direction(stored["direction"]),
                    "status": Status(stored["status"]),
                    "time": datetime.fromisoformat(stored["time"]),
                }
            )
        except ValueError:
            raise ValueError("a message isn't one that this version knows") from None
        if record.time.tzinfo is None:
            raise ValueError("the time of a message has no zone")
        return record


def _check_id(message_id: str) -> None:
    """Raise ValueError for an ID that no message can have, or that none can follow."""
    octets = ulid_to_bytes(message_id)
    if bytes_to_ulid(octets) != message_id or octets.startswith(b"\xff"):
        raise ValueError  # the latter is beyond the end of the calendar


_STORED: Final[dict[str, Any]] = {
    "id": str,
    "kind": str,
    "direction": str,
    "number": str | None,
    "text": str | None,
    "time": str,
    "span": int | None,
    "parts": int,
    "status": str,
    "reason": str | None,
    "duration": int | None,
}


def conversation_of(number: str | None) -> str | None:
    """Return what the messages with a number have in common."""
    return None if number is None else number.casefold()
