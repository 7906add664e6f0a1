"""How telephone numbers look: E.164, short codes, and what people make of them.

libphonenumber (`phonenumbers`) reads the numbers. It takes any text in which it finds
one, letters and extensions included, so the text is checked first. And it doesn't
expect a number without its plus, which networks and templates lose.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber

# Any digits that Unicode has, and what people write between them. The two signs
# behind the dashes are the minus and the long sign of Japanese keyboards.
_WRITTEN = re.compile(
    r"[\s(（\[［]*+[+＋]?[\d\s()（）\[\]［］./／~～\-\u2010-\u2015－\u2212ー]*+"
)
# A template's number that became a decimal one: "4915112345678.0"
_DECIMAL = re.compile(r"\.\d\Z")
# Short codes that the library doesn't list. Chinese services send from up to 20 digits
# that begin with 106, and 10086 and its like have longer ones; how long is a guess.
# Korean ones of a city are dialled behind its area code; it lacks those of Seoul (02).
_MORE_SHORT_CODES = {
    "CN": re.compile(r"10[06][0-9]{4,17}"),
    "KR": re.compile(r"021[0-9]{2,3}"),
}
# A service code of a network or a phone (3GPP TS 22.030), at most 64 characters
_CODE = re.compile(r"[*#][0-9*#]{1,63}")

_MAX_DIGITS = 15  # of a number in E.164
_SHORT = range(3, 7)  # digits of a short code of any country
_LONGER = range(7, 9)  # digits of one where the library says that some are so long
_MOBILE = (
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
)


class PhoneNumberFault(StrEnum):
    """What is wrong with a number, as far as a person can do something about it."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    """Letters, two numbers, an extension, a decimal number, or a service code."""
    NO_COUNTRY = "no_country"
    """A national number, and no country is known."""
    AMBIGUOUS = "ambiguous"
    """It may be two people's number: the plus is missing, or the leading zero."""
    IMPOSSIBLE = "impossible"
    """Too short, too long, or no number of its country."""


class InvalidPhoneNumberError(ValueError):
    """This isn't a number that can be called; the message doesn't repeat it."""

    def __init__(self, reason: PhoneNumberFault) -> None:
        """Keep the reason, to be put into words."""
        super().__init__(f"Invalid phone number: {reason.replace('_', ' ')}")
        self.reason = reason


def preload(countries: Iterable[str]) -> None:
    """Load what the library otherwise loads from disk while it reads a number.

    Blocking. `countries` are those of the gateways: short codes are only looked up
    there. Numbers come from all countries, so those are loaded for all.
    """
    PhoneMetadata.load_all()
    for country in countries:
        PhoneMetadata.short_metadata_for_region(country.upper())


def parse_destination(
    text: str, country: str | None, *, allow_codes: bool = False
) -> str:
    """Return where an SMS or a call goes, in the one form that is compared and sent.

    Goes in: a number as a person or a network writes it, and the country (ISO 3166)
    in which it was written. Comes out: E.164 (`+4915112345678`), or the digits of a
    short code (`10086`, `110`); with `allow_codes` also a service code (`*100#`).

    A short code has 3 to 6 digits, or is listed by the library for its country, or
    has as many as 8 where the library knows codes of that length. It begins with the
    zero of national numbers (`0151`) only where the library knows such codes.

    Raises InvalidPhoneNumberError.
    """
    shown = _without_marks(text)
    if not shown:
        raise InvalidPhoneNumberError(PhoneNumberFault.EMPTY)
    if allow_codes and _CODE.fullmatch(code := "".join(shown.split())):
        return code
    bare = _bare(shown)
    if bare is None:
        raise InvalidPhoneNumberError(PhoneNumberFault.NOT_A_NUMBER)
    if bare.startswith("+"):
        number = _parse(bare)
        if number is None:
            raise InvalidPhoneNumberError(PhoneNumberFault.IMPOSSIBLE)
        return _e164(number)
    return _complete(bare, _region(country))


def is_code(destination: str) -> bool:
    """Return whether what `parse_destination` returned is a service code."""
    return destination.startswith(("*", "#"))


def parse_prefix(text: str, country: str | None) -> str:
    """Return what the numbers of an allow-list's entry begin with.

    Goes in: a whole number, or its beginning with a plus, an exit code (`00`) or a
    leading zero (`0151`). Comes out: the beginning of the form that
    `parse_destination` returns. Other digits are those of short codes.

    Raises InvalidPhoneNumberError.
    """
    region = _region(country)
    try:
        whole = parse_destination(text, country)
    except InvalidPhoneNumberError:
        bare = _bare(_without_marks(text))
        if bare and (beginning := _beginning(bare, region)):
            return beginning
        raise
    if whole.startswith("+") or (region and _is_listed_short_code(whole, region)):
        return whole
    return _beginning(whole, region) or whole


# Each SMS and each call is compared with all contacts, which is mostly the same work.
# Once there are more than this, all of it is done each time.
@lru_cache(maxsize=8192)
def comparable_sender(sender: str, country: str | None) -> str:
    """Return the form in which senders are compared; empty for a withheld number.

    Goes in: a sender as the network reports it, or as a person writes it. Comes out
    what `parse_destination` returns; where it can't, the digits as they are; for a
    name its letters without regard to case. Never raises.
    """
    return shown_sender(sender, country).casefold()


def shown_sender(sender: str, country: str | None) -> str:
    """Return the form in which senders are shown; empty for a withheld number.

    It's the one of `comparable_sender`, but a name keeps its own letters. Never raises.
    """
    try:
        return parse_destination(sender, country, allow_codes=True)
    except InvalidPhoneNumberError:
        shown = _without_marks(sender)
        one_line = " ".join(shown.split())
        # A name whose lines would be a number together isn't that number.
        return _bare(shown) or (shown if _bare(one_line) else one_line)


def is_phone_number(text: str) -> bool:
    """Return whether a person would read this as a number, and not as a name."""
    shown = _without_marks(text)
    is_written = _WRITTEN.fullmatch(shown) and re.search(r"\d", shown)
    return bool(is_written or _CODE.fullmatch("".join(shown.split())))


def main_country(calling_code: str) -> str | None:
    """Return the country of a calling code, the main one where it has several."""
    code = calling_code.lstrip("+0")
    if not (code.isascii() and code.isdecimal() and len(code) <= 3):
        return None
    return _region(phonenumbers.region_code_for_country_code(int(code)))


def _region(country: str | None) -> str | None:
    """Return the country as the library names it, if it knows it."""
    region = country.upper() if country else None
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def _without_marks(text: str) -> str:
    """Drop what can't be seen, such as direction marks, and the spaces around."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf").strip()


def _bare(shown: str) -> str | None:
    """Return a number's ASCII digits, behind a plus if it has one."""
    if (
        not _WRITTEN.fullmatch(shown)
        or len(shown.splitlines()) > 1
        or _DECIMAL.search(shown)
    ):
        return None
    digits = phonenumbers.normalize_digits_only(shown)
    plus = "+" if {"+", "＋"} & set(shown) else ""
    return f"{plus}{digits}" if digits else None


def _complete(digits: str, region: str | None) -> str:
    """Return E.164 for the digits of a number without plus, or a short code."""
    if region and _is_listed_short_code(digits, region):
        return digits
    if rest := _behind_exit_code(digits, region):
        number = _read_from_abroad(digits, rest, region)
    else:
        number = _read_in_country(digits, region) if region else None
    if number:
        return _e164(number)
    if _may_be_short_code(digits, region):
        return digits
    raise InvalidPhoneNumberError(
        PhoneNumberFault.IMPOSSIBLE
        if region or len(digits) < _SHORT.start
        else PhoneNumberFault.NO_COUNTRY
    )


def _read_from_abroad(digits: str, rest: str, region: str | None) -> PhoneNumber | None:
    """Read what follows an exit code as a number with its country's code.

    Raises InvalidPhoneNumberError where `00` itself may have been meant as one:
    Singapore's include 004, and 0049 is Germany for nearly everybody else.
    """
    number = _parse(f"+{rest}")
    if number is None or (region and _exit_codes(region).isdecimal()):
        return number
    if not _is_valid(number):
        return None
    usual = _parse(f"+{digits[2:]}") if digits.startswith("00") else None
    if usual and _is_valid(usual) and _e164(usual) != _e164(number):
        raise InvalidPhoneNumberError(PhoneNumberFault.AMBIGUOUS)
    return number


def _read_in_country(digits: str, region: str) -> PhoneNumber | None:
    """Read digits as a number of the country, or as one whose plus got lost.

    Without its leading zero only a mobile number is likely, and without its plus a
    mobile one or one of this country: in some countries nearly any digits may be a
    landline, even all the mobile numbers of other countries.

    Raises InvalidPhoneNumberError where both readings are likely, or neither.
    """
    home = _parse(digits, region)
    if len(digits) in _SHORT:
        return home if home and _is_no_short_code(digits, home) else None
    international = _parse(f"+{digits}")
    if international and not (
        _is_valid(international) and _e164(international) == f"+{digits}"
    ):
        international = None
    if home is None or _e164(home) == f"+{digits}":
        return international
    if not _is_valid(home):
        # The library may not know it yet, but its leading zero shows what it is.
        prefix = phonenumbers.ndd_prefix_for_region(region, True)
        national = phonenumbers.national_significant_number(home)
        is_national = prefix and digits == f"{prefix}{national}"
        return international or (home if is_national else None)
    if _is_usual_form(digits, home):
        return home
    home_is_likely = _has_prefix(digits, home) or _is_mobile(home)
    other_is_likely = international is not None and (
        _is_mobile(international) or international.country_code == home.country_code
    )
    if home_is_likely == other_is_likely:
        raise InvalidPhoneNumberError(PhoneNumberFault.AMBIGUOUS)
    return home if home_is_likely else international


def _is_no_short_code(digits: str, home: PhoneNumber) -> bool:
    """Return whether 3 to 6 digits are a national number.

    A landline without prefix is reached by its digits as well, a short code only so.
    """
    return _is_valid(home) and (
        _has_prefix(digits, home) or (_is_mobile(home) and _is_usual_form(digits, home))
    )


def _parse(text: str, region: str | None = None) -> PhoneNumber | None:
    """Return a number that has a possible length, or None."""
    try:
        number = phonenumbers.parse(text, region)
        again = phonenumbers.parse(_e164(number))
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if (
        reason != phonenumbers.ValidationResult.IS_POSSIBLE
        or len(_e164(number)) > 1 + _MAX_DIGITS
        # A zero behind the country code is dropped, or is part of a known number.
        or (number.italian_leading_zero and not _is_valid(number))
        # Of a number that it doesn't know, the library may drop more each time.
        or _e164(again) != _e164(number)
    ):
        return None
    return number


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_valid(number: PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(number)


def _is_mobile(number: PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in _MOBILE


def _has_prefix(digits: str, home: PhoneNumber) -> bool:
    """Return whether the library dropped a leading zero or the like."""
    return phonenumbers.national_significant_number(home) != digits


def _is_usual_form(digits: str, number: PhoneNumber) -> bool:
    """Return whether people write the number with just these digits at home."""
    usual = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.normalize_digits_only(usual) == digits


def _is_listed_short_code(digits: str, region: str) -> bool:
    if (codes := _MORE_SHORT_CODES.get(region)) and codes.fullmatch(digits):
        return True
    return len(digits) <= _MAX_DIGITS and (
        phonenumbers.is_valid_short_number_for_region(
            _as_dialled(digits, region), region
        )
    )


def _may_be_short_code(digits: str, region: str | None) -> bool:
    """Return whether a short code of the country may look like this."""
    if region and _begins_like_a_number(digits, region):
        return False
    if len(digits) in _SHORT:
        return True
    return (
        region is not None
        and len(digits) in _LONGER
        and not digits.startswith("0")
        and phonenumbers.is_possible_short_number_for_region(
            _as_dialled(digits, region), region
        )
    )


def _begins_like_a_number(digits: str, region: str) -> bool:
    """Return whether digits begin as national numbers do, and no short code does."""
    trunk = _trunk_zero(region)
    if not (trunk and digits.startswith(trunk)):
        return False
    metadata = PhoneMetadata.short_metadata_for_region(region)
    known = metadata and metadata.general_desc
    pattern = known and known.national_number_pattern
    return not (pattern and re.fullmatch(pattern, digits))


def _as_dialled(digits: str, region: str) -> PhoneNumber:
    zeros = min(len(digits) - len(digits.lstrip("0")), len(digits) - 1)
    return PhoneNumber(
        country_code=phonenumbers.country_code_for_region(region),
        national_number=int(digits),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros or None,
    )


def _exit_codes(region: str | None) -> str:
    """Return a regular expression of what is dialled before a country's code.

    ITU-T E.164 recommends 00.
    """
    metadata = PhoneMetadata.metadata_for_region(region) if region else None
    return (metadata and metadata.international_prefix) or "00"


def _behind_exit_code(digits: str, region: str | None) -> str | None:
    """Return what follows an exit code, None if there's no exit code."""
    match = re.match(_exit_codes(region), digits)
    rest = digits[match.end() :] if match else ""
    return rest if rest and not rest.startswith("0") else None


def _beginning(bare: str, region: str | None) -> str | None:
    """Return the beginning of E.164 for the beginning of a number, if it is one."""
    if bare.startswith("+"):
        digits = bare[1:]
    elif re.match(_exit_codes(region), bare):
        digits = _behind_exit_code(bare, region) or ""
    elif region and (trunk := _trunk_zero(region)) and bare.startswith(trunk):
        national = bare.removeprefix(trunk)
        code = phonenumbers.country_code_for_region(region)
        digits = f"{code}{national}" if national[:1] not in ("", "0") else ""
    else:
        return None
    digits = _without_trunk_zero(digits)
    if not digits or digits.startswith("0"):
        return None
    beginning = f"+{digits}"
    try:
        number = phonenumbers.parse(beginning)
    except phonenumbers.NumberParseException as err:
        # It may be too short to be read, but not longer than a country's code is.
        is_short = len(digits) < 3 or err.error_type == err.TOO_SHORT_NSN
        return beginning if is_short else None
    if _e164(number) != beginning:
        return None  # it has the code of a carrier, with which no number is sent
    reason = phonenumbers.is_possible_number_with_reason(number)
    return None if reason == phonenumbers.ValidationResult.TOO_LONG else beginning


def _trunk_zero(region: str) -> str | None:
    """Return what is dialled before a national number, if it begins with a zero."""
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    return prefix if prefix and prefix.startswith("0") else None


def _without_trunk_zero(digits: str) -> str:
    """Drop the trunk zero between a country's code and its number.

    Comes out empty for more zeros than that: no number begins so.
    """
    for length in range(1, min(3, len(digits)) + 1):
        code, national = digits[:length], digits[length:]
        region = phonenumbers.region_code_for_country_code(int(code))
        if trunk := _trunk_zero(region):
            national = national.removeprefix(trunk)
            return "" if national.startswith("0") else f"{code}{national}"
    return digits
