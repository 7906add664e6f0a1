"""Numbers and dates in the answers of networks."""

from datetime import date

import pytest

from custom_components.openvox_gsm.ussd.values import read_date, read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("0", "0"),
        (" 12.50 ", "12.50"),
        ("12,50", "12.50"),
        ("-3,2", "-3.2"),
        ("\u22123,2", "-3.2"),
        ("+7", "7"),
        (".50", "0.50"),
        (",50", "0.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("12.345.678,9", "12345678.9"),
        ("1,23,456.50", "123456.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234\u202f567,5", "1234567.5"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        # The end of a sentence, and the next one glued to it
        ("12.", "12"),
        ("12.50.", "12.50"),
        ("12,50!", "12.50"),
        ("Rp.23041.Aktif", "23041"),
        ("Rp.0.", "0"),
        ("1,234.50,validity", "1234.50"),
        # Nobody can tell; the one mark is taken for the decimal one.
        ("1.234", "1.234"),
        ("1,234", "1.234"),
        ("", None),
        ("-", None),
        (".", None),
        ("12 EUR", None),
        ("1.2.3", None),
        ("1.234.56", None),
        ("1.23,45", None),
        ("1,2,3", None),
        ("1 2", None),
        ("12:30", None),
        ("7.00 until", None),
        ("Rp", None),
        ("1e5", None),
        ("nan", None),
        ("inf", None),
        ("--1", None),
    ],
)
def test_a_number_as_people_write_it(text: str, number: str | None) -> None:
    """Point or comma, and whatever stands between thousands; or no number at all.

    The decimals stay as they came.
    """
    found = read_number(text)

    assert (None if found is None else str(found)) == number


@pytest.mark.parametrize(
    "text",
    [
        "25/11/2016",
        "25/11/16",
        "25.11.2016",
        "25.11.2016.",
        "25-11-2016",
        "25 11 2016",
        "2016-11-25",
        "2016/11/25",
        "2016年11月25日",
        "20161125",
        "11/25/2016",
        "25-Nov-2016",
        "25 Nov 2016",
        "25 NOVEMBER 2016",
        "25th November, 2016",
        "25Nov16",
        "Nov 25, 2016",
        "November 25th 2016",
        "25. November 2016",
        "25 de noviembre de 2016",
        "25 kasım 2016",
        "25 ноября 2016",
        " 25/11/2016 23:59 ",
        "2016-11-25T23:59:59",
        "25/11/2016. ",
        "25/11/2016.Mau",
    ],
)
@pytest.mark.parametrize("month_first", [True, False])
def test_a_date_as_people_write_it(text: str, month_first: bool) -> None:
    """Where only one order gives a date, it is that one."""
    assert read_date(text, month_first=month_first) == date(2016, 11, 25)


def test_a_date_that_can_be_read_in_two_ways() -> None:
    """The day comes first, unless it is written as in the US."""
    assert read_date("03/04/2026") == date(2026, 4, 3)
    assert read_date("03/04/2026", month_first=True) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("janvier", 1),
        ("Şubat", 2),
        ("März", 3),
        ("avril", 4),
        ("Mai", 5),
        ("мая", 5),
        ("juin", 6),
        ("juillet", 7),
        ("août", 8),
        ("settembre", 9),
        ("Ekim", 10),
        ("ноября", 11),
        ("Dez", 12),
    ],
)
def test_the_months_in_other_languages(name: str, month: int) -> None:
    """Whole or cut off."""
    assert read_date(f"2 {name} 2026") == date(2026, month, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2016",
        "31/02/2016",
        "13/13/2016",
        "0/0/0000",
        "25 Foo 2016",
        "1.2.3.4",
        "25/11",
        "12.50",
        "99999999",
        "Nov 2016",
    ],
)
def test_what_is_not_a_date(text: str) -> None:
    """It stays unknown."""
    assert read_date(text) is None
