"""Which modules have no power because we switched them off.

The driver doesn't say: after ``gsm power off`` it goes on to print ``Up``, ``READY``,
and signal and operator as they were before (recorded). If it gets an SMS then, it
switches the module on by itself and loses the SMS. So a module counts as off until we
switch it on, or until it shows something that it can't have shown before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .model import Span, SpanStatus

_NO_SIGNAL: Final = -1


@dataclass(frozen=True, slots=True)
class LastSign:
    """What a module showed when it was switched off, or at the last look after that.

    `csq` is -1 where it showed no signal, and None before the first look.
    """

    csq: int | None = None
    says_off: bool = False


class Power:
    """Keeps in mind which modules we switched off."""

    def __init__(
        self,
        switched_off: Mapping[int, LastSign],
        on_change: Callable[[Mapping[int, LastSign]], None],
    ) -> None:
        """Start with the spans that were `switched_off` in an earlier run.

        `on_change` gets all those that are off whenever something has changed.
        """
        self._off = dict(switched_off)
        self._imsi: dict[int, str] = {}  # as it was at the last look
        self._off_since: dict[int, float] = {}
        self._on_change = on_change

    def switched_off(self, number: int, now: float) -> None:
        """Note that a module has just been switched off."""
        self._off[number] = LastSign()
        self._off_since[number] = now
        self._imsi.pop(number, None)
        self._on_change(self._off)

    def is_alive(self, number: int) -> bool:
        """Note that a module has power; return whether it counted as off."""
        if number not in self._off:
            return False
        del self._off[number]
        self._on_change(self._off)
        return True

    def judge(self, span: Span, read_at: float) -> Span:
        """Return a span as it is, by all that's known about its power.

        `read_at` is when the gateway was asked. What it knew before the module was
        switched off counts for nothing.
        """
        sign = self._off.get(span.number)
        if sign is None:
            return span
        is_whole = "State" in span.lines
        if is_whole and read_at >= self._off_since.get(span.number, 0.0):
            if self._shows_life(span, sign):
                self.is_alive(span.number)
                return span
            self._remember(span, sign)
        return span.with_status(SpanStatus.POWER_OFF)

    def _shows_life(self, span: Span, sign: LastSign) -> bool:
        csq = span.csq
        imsi = self._imsi.get(span.number)
        return (
            (csq is not None and sign.csq is not None and csq != sign.csq)
            or bool(span.imsi and imsi is not None and span.imsi != imsi)
            or (sign.says_off and span.status is not SpanStatus.POWER_OFF)
        )

    def _remember(self, span: Span, sign: LastSign) -> None:
        self._imsi[span.number] = span.imsi
        now = LastSign(
            _NO_SIGNAL if span.csq is None else span.csq,
            span.status is SpanStatus.POWER_OFF,
        )
        if now != sign:
            self._off[span.number] = now
            self._on_change(self._off)
