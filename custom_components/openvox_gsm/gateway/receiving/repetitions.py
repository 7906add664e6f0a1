"""Recognizes an SMS that the network delivers again, even hours later.

It does that where it got no acknowledgement (3GPP TS 23.040, 3.2.2).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from .received_part import ReceivedPart

_REMEMBERED_FOR: Final = timedelta(days=1)
MAX_REMEMBERED: Final = 2000


class Repetitions:
    """Remembers what has come in, by hashes alone: neither numbers nor texts."""

    def __init__(
        self,
        remembered: Mapping[str, int],
        on_change: Callable[[Mapping[str, int]], None],
        secret: bytes,
    ) -> None:
        """Start with what an earlier run `remembered`.

        `secret` (at most 64 bytes) goes into the hashes: many texts, such as codes, are
        easy to guess.

        `on_change` gets all that is remembered whenever that changes: by the hash of
        each SMS, when it came in last (seconds since 1970), the latest at the end.
        """
        self._arrivals = dict(remembered)
        self._on_change = on_change
        self._secret = secret

    def is_repetition(self, part: ReceivedPart) -> bool:
        """Return whether this very SMS has come in lately, and remember it.

        Two equal ones may be two alarms, unless the service centre's time is the same.
        """
        if not part.time_stamp:
            return False
        now = int(part.arrived_at.timestamp())
        self._forget_until(now - int(_REMEMBERED_FOR.total_seconds()))
        identity = self._identity(part)
        is_repetition = self._arrivals.pop(identity, None) is not None
        self._arrivals[identity] = now
        if len(self._arrivals) > MAX_REMEMBERED:
            del self._arrivals[next(iter(self._arrivals))]
        self._on_change(self._arrivals)
        return is_repetition

    def _forget_until(self, moment: int) -> None:
        while self._arrivals:
            oldest = next(iter(self._arrivals))
            if self._arrivals[oldest] >= moment:
                return
            del self._arrivals[oldest]

    def _identity(self, part: ReceivedPart) -> str:
        """Return a hash of what two deliveries of one SMS have in common."""
        place = part.pdu.concatenation if part.pdu else None
        content = (
            part.span,
            part.sender,
            part.time_stamp,
            place and tuple(place),
            part.text,
        )
        return blake2b(
            ascii(content).encode(), key=self._secret, digest_size=8
        ).hexdigest()
