"""Joins the parts of long SMS, and drops what the network delivers twice."""

from collections.abc import Callable, Mapping
from functools import partial
import logging
from typing import Final

from custom_components.openvox_gsm.gateway.model import IncomingSms
from custom_components.openvox_gsm.gateway.timer import CallLater, Timer
from custom_components.openvox_gsm.gateway.warner import Warner

from .long_sms import Parts, PartsOfLongSms
from .pdu import join_texts
from .received_part import ReceivedPart
from .repetitions import Repetitions

_LOGGER = logging.getLogger(__name__)

# Parts come seconds apart, or minutes if the phone was out of reach.
PARTS_TIMEOUT: Final = 300.0  # seconds since the last of them
# How long to wait for parts of other messages, where those of one don't quite fit.
DOUBT_TIME: Final = 4.0  # seconds
_MAX_WAITING: Final = 2 * 255  # under one reference
_MAX_WAITING_IN_ALL: Final = 2000  # parts

type _Key = tuple[int, str, int, bool, int]


class Assembler:
    """Joins received parts into whole messages."""

    def __init__(
        self,
        on_sms: Callable[[IncomingSms], None],
        call_later: CallLater,
        *,
        remembered: Mapping[str, int] | None = None,
        on_remembered: Callable[[Mapping[str, int]], None] = lambda _all: None,
        secret: bytes = b"",
    ) -> None:
        """Call `on_sms` with each message, once; use `call_later` for time limits.

        `remembered`, `on_remembered` and `secret` let it recognize over a restart what
        the network delivers again: see `Repetitions`.
        """
        self._on_sms = on_sms
        self._call_later = call_later
        self._warner = Warner(_LOGGER)
        self._repetitions = Repetitions(remembered or {}, on_remembered, secret)
        self._long: dict[_Key, PartsOfLongSms] = {}
        self._timers: dict[_Key, Timer] = {}

    def add(self, part: ReceivedPart) -> None:
        """Deliver a single message at once, a long one when all its parts are there."""
        if self._repetitions.is_repetition(part):
            _LOGGER.info("Span %s: an SMS came twice; dropped the second", part.span)
            return
        place = part.pdu.concatenation if part.pdu else None
        if place is None or place.total == 1:
            self._deliver({1: part}, 1)
            return
        # 8- and 16-bit references are counted separately (3GPP TS 23.040, 9.2.3.24).
        key = (part.span, part.sender, place.reference, place.is_wide, place.total)
        waiting = self._long.setdefault(key, PartsOfLongSms(place.total))
        if waiting.holds(place.sequence, part):
            return  # a repetition without a time stamp
        waiting.add(place.sequence, part)
        self._deliver_whole(key, is_waited_for=False)
        if len(waiting) > _MAX_WAITING:
            self._expire(key)
        if sum(map(len, self._long.values())) > _MAX_WAITING_IN_ALL:
            self._expire(next(iter(self._long)))

    def flush(self) -> None:
        """Deliver what has arrived of every long message, marked as incomplete."""
        for key in list(self._long):
            self._expire(key)
        self._warner.flush()

    def _deliver_whole(self, key: _Key, *, is_waited_for: bool) -> None:
        """Deliver messages of which all parts are there, and wait for the other parts.

        Parts that were sent unusually far apart may be those of two messages.
        """
        waiting = self._long[key]
        must_wait = False
        for whole in waiting.whole():
            if not whole.is_usual and not is_waited_for:
                must_wait = True
                continue
            waiting.remove(whole)
            if not whole.is_certain:
                self._warner.warn(
                    "Span %s: the parts of several long SMS can't be told apart", key[0]
                )
            self._deliver(whole.parts, key[-1], is_certain=whole.is_certain)
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if must_wait:
            self._timers[key] = self._call_later(
                DOUBT_TIME, partial(self._deliver_whole, key, is_waited_for=True)
            )
        elif waiting:
            self._timers[key] = self._call_later(
                PARTS_TIMEOUT, partial(self._expire, key)
            )
        else:
            del self._long[key]

    def _expire(self, key: _Key) -> None:
        """Deliver all parts under a reference as they are."""
        self._deliver_whole(key, is_waited_for=True)
        if key not in self._long:
            return
        self._timers.pop(key).cancel()
        for parts in self._long.pop(key).messages():
            self._warner.warn(
                "Span %s: only %s of %s parts of a long SMS arrived",
                key[0],
                len(parts),
                key[-1],
            )
            self._deliver(parts, key[-1])

    def _deliver(self, parts: Parts, count: int, *, is_certain: bool = True) -> None:
        ordered = [part for _, part in sorted(parts.items())]
        first = ordered[0]
        pdus = [part.pdu for part in ordered if part.pdu]
        self._on_sms(
            IncomingSms(
                span=first.span,
                sender=first.sender,
                text=join_texts(pdus) if pdus else first.text,
                sent_at=first.sent_at,
                arrived_at=max(part.arrived_at for part in ordered),
                parts=count,
                complete=len(ordered) == count and is_certain,
            )
        )
