"""Whatever someone writes as a number: one form comes out of it, or an error."""

import re

from hypothesis import example, given, strategies as st

from custom_components.openvox_gsm.phone_numbers import (
    InvalidPhoneNumberError,
    comparable_sender,
    is_phone_number,
    main_country,
    parse_destination,
    parse_prefix,
)

from . import hostile

_countries = st.sampled_from(
    # Each has something of its own: prefixes, lengths, zeros, exit codes.
    [
        *("DE", "AT", "IT", "US", "RU", "CN", "IN", "AR", "BR", "SG", "HU", "AD"),
        *("CU", "FI", "MX", "JP", "KZ", "GG", "LU", "XX", "", None),
    ]
)
_pieces = st.sampled_from(
    [
        *("+", "00", "0", "(0)", "8", "1", "49", "39", "011", "15", "+49151"),
        *("1234567", " ", "-", "/", ".", "*", "#", "\u202a", "\u202f", "٣", "４"),
    ]
)
_numbers = st.lists(
    _pieces | st.integers(0, 10**9).map(str), min_size=1, max_size=6
).map("".join)
_texts = _numbers | hostile.texts


@given(_texts, _countries, st.booleans())
@example("1" * 5000, "DE", False)
@example("00", None, True)
def test_destinations(text: str, country: str | None, allow_codes: bool) -> None:
    """It is E.164 or a code, stays what it is, and is what senders compare as."""
    try:
        number = parse_destination(text, country, allow_codes=allow_codes)
    except InvalidPhoneNumberError:
        return
    if allow_codes and number[0] in "*#":
        assert re.fullmatch(r"[*#][0-9*#]+", number, re.ASCII)
    else:
        assert re.fullmatch(r"\+[1-9][0-9]{1,14}|[0-9]{2,20}", number, re.ASCII)
    assert parse_destination(number, country, allow_codes=allow_codes) == number
    assert comparable_sender(number, country) == number
    assert comparable_sender(text, country) == number
    assert is_phone_number(text)
    if not allow_codes:
        # It may be what longer ones begin with ("0151"), but no other number.
        beginning = parse_prefix(text, country)
        assert beginning == number or (number.startswith("0") and len(number) < 7)


@example("0\n1", "DE")
@given(_texts, _countries)
def test_senders(text: str, country: str | None) -> None:
    """Anything can be compared, and its form is like it."""
    form = comparable_sender(text, country)
    assert comparable_sender(form, country) == form


@given(_texts, _countries)
def test_beginnings(text: str, country: str | None) -> None:
    """A beginning stays what it is as well."""
    try:
        beginning = parse_prefix(text, country)
    except InvalidPhoneNumberError:
        return
    assert re.fullmatch(r"\+?[0-9]{1,20}", beginning, re.ASCII)
    assert parse_prefix(beginning, country) == beginning


@given(_texts)
def test_calling_codes(text: str) -> None:
    """Whatever an old option holds, it has a country or none."""
    assert re.fullmatch("[A-Z]{2}", main_country(text) or "DE")
