"""Stand-ins: of the same length and kind, and without a way back."""

import time

from hypothesis import given, strategies as st

from custom_components.openvox_gsm.gateway.observing.stand_ins import (
    StandIns,
    hide_text,
)


def test_a_text_keeps_its_shape() -> None:
    """Length, line ends, blanks and punctuation help to understand it."""
    assert hide_text("Code: 4711!\r\nYour BANK") == "Xxxx: 0000!\r\nXxxx XXXX"


@given(st.text())
def test_the_bytes_of_a_text_keep_their_number_and_alphabet(text: str) -> None:
    """What is valid UTF-8 stays so."""
    wire = text.encode("utf-8").decode("latin-1")
    hidden = hide_text(wire)
    assert len(hidden) == len(wire)
    assert len(hidden.encode("latin-1").decode("utf-8")) == len(text)


@given(st.text(st.characters(max_codepoint=255)))
def test_any_bytes_are_replaced(text: str) -> None:
    """A driver writes characters that are no UTF-8."""
    assert len(hide_text(text)) == len(text)


@given(st.from_regex(r"\A\+?[0-9]{3,20}\Z"))
def test_the_same_number_has_the_same_stand_in(number: str) -> None:
    """With a plus sign or without it, and no digit stays as it was."""
    stand_ins = StandIns()
    stand_in = stand_ins.word(number)
    assert stand_in == stand_ins.word(number)
    assert stand_in.lstrip("+") == stand_ins.word(number.lstrip("+"))
    assert len(stand_in) == len(number)
    digits = zip(number, stand_in, strict=True)
    assert all(old != new for old, new in digits if old != "+")


def test_a_number_that_takes_long() -> None:
    """None does: whoever sends it would hold up all of Home Assistant."""
    begun = time.process_time()
    assert len(StandIns().word("1" * 1_000_000)) == 1_000_000
    assert time.process_time() - begun < 5


def test_two_traces_have_different_stand_ins() -> None:
    """Otherwise someone could try all numbers."""
    number = "4915112345678"
    assert StandIns().word(number) != StandIns().word(number)
