"""Warnings that strangers can cause."""

import logging

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openvox_gsm.gateway.warner import WARNING_PAUSE, Warner


def test_a_flood_of_warnings(
    caplog: pytest.LogCaptureFixture, freezer: FrozenDateTimeFactory
) -> None:
    """The first of each kind is logged, and the next one tells how many there were."""
    warner = Warner(logging.getLogger("any"))
    for span in range(1, 6):
        warner.warn("Span %s: dropped an SMS", span)
    warner.warn("Span %s: another kind", 1)
    freezer.tick(WARNING_PAUSE - 0.1)
    warner.warn("Span %s: dropped an SMS", 6)
    freezer.tick(0.1)
    warner.warn("Span %s: dropped an SMS", 7)
    freezer.tick(WARNING_PAUSE)
    warner.warn("Span %s: dropped an SMS", 8)

    assert [each.getMessage() for each in caplog.records] == [
        "Span 1: dropped an SMS",
        "Span 1: another kind",
        "Span 7: dropped an SMS. Further cases since the last such warning: 5",
        "Span 8: dropped an SMS",
    ]


def test_what_is_left_out_is_told_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, and only of the kinds of which something is left out."""
    warner = Warner(logging.getLogger("any"))
    for span in range(1, 5):
        warner.warn("Span %s: dropped an SMS", span)
    for span in (1, 2):
        warner.warn("Span %s: another kind", span)
    warner.warn("Span %s: a single one", 1)
    caplog.clear()
    warner.flush()
    warner.flush()

    assert [each.getMessage() for each in caplog.records] == [
        "Span 4: dropped an SMS. Further cases since the last such warning: 2",
        "Span 2: another kind",
    ]
