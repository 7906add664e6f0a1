"""Tells apart the long SMS whose parts come under one reference.

A sender counts its references from 0 to 255, or gives all messages the same one, and
parts come in any order. When the service centre got each part tells messages apart.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from .received_part import ReceivedPart

# Guesses: a phone sends one part right after the other, but it may lose the network in
# between.
_USUAL_GAP: Final = timedelta(seconds=15)
_LONGEST_GAP: Final = timedelta(minutes=5)
# A part certainly belongs to a message if the other one is this many times farther away.
_CLEARLY: Final = 2

type Parts = dict[int, ReceivedPart]  # of one message, by sequence number


class WholeSms(NamedTuple):
    """A message of which all parts are there.

    `is_certain` says that no part of another message can stand in the place of one of
    them; `is_usual` that they were sent right after each other.
    """

    parts: Parts
    is_certain: bool
    is_usual: bool


class PartsOfLongSms:
    """The parts under one reference that haven't become a message yet."""

    def __init__(self, count: int) -> None:
        """Start empty; each message has `count` parts."""
        self._count = count
        self._waiting: list[tuple[int, ReceivedPart]] = []  # in order of arrival
        self._is_mixed_up = False

    def __len__(self) -> int:
        """Return how many parts there are."""
        return len(self._waiting)

    def holds(self, sequence: int, part: ReceivedPart) -> bool:
        """Return whether this very part is there."""
        return any(
            number == sequence and each.pdu == part.pdu
            for number, each in self._waiting
        )

    def add(self, sequence: int, part: ReceivedPart) -> None:
        """Add a part; sequence numbers begin with 1."""
        self._waiting.append((sequence, part))

    def whole(self) -> list[WholeSms]:
        """Return the messages of which all parts are there."""
        return [
            self._judge(parts) for parts in self.messages() if len(parts) == self._count
        ]

    def remove(self, whole: WholeSms) -> None:
        """Remove a message; if it isn't certain, nor is any that the rest may make."""
        self._is_mixed_up = self._is_mixed_up or not whole.is_certain
        for each in whole.parts.items():
            self._waiting.remove(each)

    def messages(self) -> list[Parts]:
        """Divide the parts into messages: those that were sent nearest to each other.

        Of parts without a time, or with the same, those that came one after the other.
        """
        ordered = sorted(self._waiting, key=lambda each: _time(each[1]))
        messages = [{sequence: part} for sequence, part in ordered]
        gaps = [_gap(first, second) for (_, first), (_, second) in pairwise(ordered)]
        for index in sorted(range(len(gaps)), key=gaps.__getitem__):
            one, next_one = messages[index], messages[index + 1]
            if gaps[index] <= _LONGEST_GAP and one.keys().isdisjoint(next_one):
                joined = one | next_one
                # A message stands here once for each of its parts.
                begin, end = index + 1 - len(one), index + 1 + len(next_one)
                messages[begin:end] = [joined] * len(joined)
        return list({id(each): each for each in messages}.values())

    def _judge(self, parts: Parts) -> WholeSms:
        by_sequence = [part for _, part in sorted(parts.items())]
        others = [each for each in self._waiting if each not in parts.items()]
        return WholeSms(
            parts,
            is_certain=not self._is_mixed_up
            and all(_fits_clearly(parts, number, other) for number, other in others),
            is_usual=all(
                _gap(first, second) <= _USUAL_GAP
                for first, second in pairwise(by_sequence)
            ),
        )


def _time(part: ReceivedPart) -> datetime:
    return part.sent_at or part.arrived_at


def _gap(one: ReceivedPart, other: ReceivedPart) -> timedelta:
    """Return how far apart two parts were sent; nothing where that isn't known."""
    if not one.sent_at or not other.sent_at:
        return timedelta()
    return abs(one.sent_at - other.sent_at)


def _fits_clearly(parts: Parts, number: int, other: ReceivedPart) -> bool:
    """Return whether a part belongs to its message, rather than another one does."""
    part = parts[number]
    rest = [each for each in parts.values() if each is not part]
    if not all(each.sent_at for each in (part, other, *rest)):
        return False
    nearest, others_nearest = (
        min(_gap(each, candidate) for each in rest) for candidate in (part, other)
    )
    return _CLEARLY * nearest < others_nearest
