"""Numbers and dates as people write them, read from the answers of networks."""

from datetime import date
from decimal import Decimal
import re
from typing import Final
import unicodedata

# Numbers

# What stands between the digits of a large number beside points and commas.
_GAPS: Final = re.compile(r"(?<=\d)[\s'\u2019](?=\d{3})")
# A currency that is abbreviated in front, as in "Rp.23041".
_CURRENCY: Final = re.compile(r"^[^\W\d_]+\.(?=\d)")
# The end of the sentence, to which the next one may be glued: "12.50.", "7.Aktif".
_SENTENCE_END: Final = re.compile(r"(?<=\d)[.,;:!?]+(?:[^\W\d_]\S*)?$")
_NUMBER: Final = re.compile(
    r"(?P<sign>[+-]?)"
    # 1234, or 1.234.567, or nothing in front of the decimal mark
    r"(?:(?P<whole>\d+)"
    r"|(?P<grouped>\d{1,3}(?P<mark>[.,])(?:\d{2,3}(?P=mark))*\d{3})"
    r"|(?=[.,]\d))"
    r"(?:(?!(?P=mark))[.,](?P<decimals>\d+))?"
)


def read_number(text: str) -> Decimal | None:
    """Read a number as people write it, None where the text is anything else.

    It keeps the decimals that it came with: money is shown as 12.50, not as 12.5.
    It reads the decimal point and the decimal comma, and points, commas, spaces and
    apostrophes between the groups of a large number. A point or comma that stands alone
    is the decimal one: 1.234 and 1,234 are a little over one. The punctuation of its
    sentence may follow.
    """
    bare = _GAPS.sub("", text.strip().replace("\u2212", "-"))
    bare = _SENTENCE_END.sub("", _CURRENCY.sub("", bare))
    if not (match := _NUMBER.fullmatch(bare)):
        return None
    whole = match["whole"] or re.sub("[.,]", "", match["grouped"] or "0")
    return Decimal(f"{match['sign']}{whole}.{match['decimals'] or ''}")


# Dates

_MARK: Final = r"[\s./\-\u5e74\u6708]+"  # the last two mean year and month
# A time of day, or the end of the sentence.
_REST: Final = (
    r"(?:\u65e5|[\s,T]*\d{1,2}:\d\d\S*)?[\s.,;:!?]*(?:(?<=[.,;:!?])[^\W\d_]\S*)?"
)
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>\d{{4}}){_MARK}(?P<month>\d{{1,2}}){_MARK}(?P<day>\d{{1,2}}){_REST}"
)
_NUMERIC: Final = re.compile(
    rf"(?P<first>\d{{1,2}}){_MARK}(?P<second>\d{{1,2}}){_MARK}"
    rf"(?P<year>\d{{4}}|\d\d){_REST}"
)
_COMPACT: Final = re.compile(r"(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)\.?")
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\u00ba)?"
_MONTH: Final = r"(?P<name>[^\W\d_]{3,})"
_BETWEEN: Final = r"(?:[\s./,\-]|\bde\b)*"
_NAMED: Final = (
    re.compile(
        rf"{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}(?P<year>\d{{4}}|\d\d){_REST}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_MONTH}{_BETWEEN}{_DAY}[\s./,\-]+(?P<year>\d{{4}}|\d\d){_REST}",
        re.IGNORECASE,
    ),
)
# How the names of the months begin, without accents: in English, German, Spanish,
# French, Italian, Portuguese, Turkish, Indonesian and Russian.
_MONTHS: Final = (
    "jan ene gen oca янв",
    "feb fev fév sub фев",
    "mar мар",
    "apr abr avr nis апр",
    "may mai mag mei май мая",
    "jun juin giu haz июн",
    "jul juil lug tem июл",
    "aug ago agu aou авг",
    "sep set eyl сен",
    "oct okt ott out eki окт",
    "nov kas ноя",
    "dec dez dic des ara дек",
)


def read_date(text: str, *, month_first: bool = False) -> date | None:
    """Read a date as people write it, None where the text is anything else.

    It reads 25/11/2016, 25.11.16, 2016-11-25, 25-Nov-2016, November 25, 2016 and the
    like; a time of day and the end of the sentence may follow. Guess: in 03/04/2016
    the day comes first, unless `month_first`; where only one order gives a date, it's
    that one. A year of two digits is one of this century.
    """
    text = text.strip()
    if match := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _date(match["year"], match["month"], match["day"])
    if match := _NUMERIC.fullmatch(text):
        year, day, month = match["year"], match["first"], match["second"]
        if month_first:
            day, month = month, day
        return _date(year, month, day) or _date(year, day, month)
    for form in _NAMED:
        if (match := form.fullmatch(text)) and (number := _month(match["name"])):
            return _date(match["year"], number, match["day"])
    return None


def _date(year: str, month: str | int, day: str) -> date | None:
    full_year = int(year) + (2000 if len(year) == 2 else 0)
    try:
        return date(full_year, int(month), int(day))
    except ValueError:
        return None


def _month(name: str) -> int | None:
    name = _plain(name)
    for number, beginnings in enumerate(_MONTHS, start=1):
        if name.startswith(tuple(_plain(beginnings).split())):
            return number
    return None


def _plain(text: str) -> str:
    """Return a text in lower case and without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))
