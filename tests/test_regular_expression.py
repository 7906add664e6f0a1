"""Regular expressions of people on texts of strangers."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any
from unittest.mock import patch
import weakref

import pytest
import regex  # type: ignore[import-untyped]

from custom_components.openvox_gsm.regular_expression import (
    TIME_LIMIT,
    RegularExpression,
)


def test_groups() -> None:
    """By number, and by name where they have one; 0 is all that fitted."""
    pattern = RegularExpression(r"set (?P<room>\w+) to (\d+)( degrees)?")

    assert pattern.groups == 3
    assert pattern.search("Please set bath to 21!") == {
        0: "set bath to 21",
        1: "bath",
        2: "21",
        3: None,
        "room": "bath",
    }
    assert pattern.search("open") is None


def test_case() -> None:
    """It matters unless it is to be ignored."""
    assert RegularExpression("öffne").search("ÖFFNE") is None
    assert RegularExpression("öffne", ignore_case=True).search("ÖFFNE") == {0: "ÖFFNE"}


@pytest.mark.parametrize("expression", ["(", "[a", "*", "(?P<1>a)", "a\\", 9000 * "("])
def test_what_is_not_an_expression(expression: str) -> None:
    """It is said what is wrong with it."""
    with pytest.raises(ValueError, match="not a regular expression: "):
        RegularExpression(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "a{100000}",
        "[ab]{50000}",
        r"\d{20000,}",
        "(a{100}){1000}",
        "((a{30}[)]){30}[)]){30}",
        # What is there once or more is written out twice.
        pytest.param("(" * 30 + "a" + ")+" * 30, id="groups in groups"),
        pytest.param("(?:" * 30 + "b|a" + "){1,2}" * 30, id="twice at most"),
        pytest.param("(?x)" + "(" * 30 + "a" + ") #\n +" * 30, id="with comments"),
        pytest.param(f"[{'ab' * 900}]{{8000}}", id="a large set"),
        "(?x)(a{100}) # all of it\n {1000}",
        "(?x)a{1 0 0 0 0 0}",
        "(?x)a{1#\n00000}",
        "(?ix: a{ 100000})",
        "a" * 2001,
    ],
)
def test_an_expression_that_takes_all_memory(expression: str) -> None:
    """It isn't even compiled, as that can't be stopped."""
    with (
        patch("regex.compile") as compiled,
        pytest.raises(ValueError, match="not a regular expression: "),
    ):
        RegularExpression(expression)

    compiled.assert_not_called()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"\d{4} \d{4} \d{4} \d{4}", "4111 1111 1111 1111"),
        (r"[A-Z]{2}\d{2}( \d{4}){4} \d{2}", "DE02 1203 0000 0000 2020 51"),
        (r"={40}\s.{0,1000}\s={40}", f"{'=' * 40} x {'=' * 40}"),
        (r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", "A0:98:05:01:02:03"),
        (r"(?x) \d{2} \. \d{2}  # a day", "24.12"),
        (r"\{ 5\}", "{ 5}"),
        (r"(\w+ )+(\p{L}++\.)+([a-z]+)+", "open the gate.now"),
        (r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:[,;][A-Z0-9]{2,})+", "10.0.0.1,AB;C0"),
        ("a" * 2000, "a" * 2000),
        pytest.param(
            r"(?:\w+ )+" * 8 + r"(?:[^.]*\. |.*, but )?" * 20 + "end",
            "a b c d e f g h end",
            id="groups in a row",
        ),
        (
            "Balance: +([0-9.]+) +EUR, +valid +until +([0-9.]+), +bonus +[0-9]+ +MB",
            "Balance: 5.10 EUR, valid until 31.12., bonus 100 MB",
        ),
        (
            "^(?:open|close) +(?:the +)?(?:gate|door) +(?:now|please)? +code +([0-9]{4})$",
            "open the gate now  code 1234",
        ),
    ],
)
def test_an_expression_that_repeats_a_little(expression: str, text: str) -> None:
    """As most that people write."""
    found = RegularExpression(expression).search(text)

    assert found
    assert found[0] == text


def test_an_expression_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of large ones, which any user may have Home Assistant check, are gone."""
    compiled: list[weakref.ref[Any]] = []

    def compile_as_usual(*args: Any, **options: Any) -> Any:
        pattern = usual_compile(*args, **options)
        compiled.append(weakref.ref(pattern))
        return pattern

    usual_compile = regex.compile
    monkeypatch.setattr(regex, "compile", compile_as_usual)

    RegularExpression("a{9000}")

    assert [each() for each in compiled] == [None]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        # Each of them tries all ways to divide the text.
        (r"(a|a)+$", "a" * 60 + "b"),
        (r"(.*)(.*)(.*)(.*)(.*)(.*)(.*)\d\d", "a" * 4000),
    ],
    ids=["alternatives", "in a row"],
)
def test_an_expression_that_never_ends(expression: str, text: str) -> None:
    """It is given up soon, so nobody can hold Home Assistant up by an SMS."""
    begun = monotonic()

    with pytest.raises(TimeoutError):
        RegularExpression(expression).search(text)

    assert TIME_LIMIT <= monotonic() - begun < TIME_LIMIT + 1


def test_others_go_on_meanwhile() -> None:
    """A search in another thread doesn't stop this one."""
    expression = RegularExpression(r"(a|a)+$")
    turns = 0
    with ThreadPoolExecutor(1) as executor:
        search = executor.submit(expression.search, "a" * 60 + "b")
        while not search.done():
            sleep(0.001)
            turns += 1
    assert isinstance(search.exception(), TimeoutError)
    assert turns > 10
