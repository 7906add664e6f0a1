"""Telephone numbers as people and networks write them."""

import json
import subprocess
import sys

import phonenumbers
import pytest

from custom_components.openvox_gsm import phone_numbers
from custom_components.openvox_gsm.phone_numbers import (
    InvalidPhoneNumberError,
    PhoneNumberFault,
    comparable_sender,
    is_phone_number,
    main_country,
    parse_destination,
    parse_prefix,
)


@pytest.mark.parametrize(
    ("country", "written", "number"),
    [
        ("DE", "0151 12345678", "+4915112345678"),
        ("de", "0151 12345678", "+4915112345678"),
        ("DE", "+49 (0)151 12345678", "+4915112345678"),
        ("DE", "+49 0151 12345678", "+4915112345678"),
        ("DE", "0049 151/12345678", "+4915112345678"),
        ("DE", "(0151) 12345678", "+4915112345678"),
        ("DE", "0151.1234.56.78", "+4915112345678"),
        ("IT", "06 12345678", "+390612345678"),
        ("DE", "0039 06 12345678", "+390612345678"),
        ("PT", "912345678", "+351912345678"),
        ("RU", "8 912 345 67 89", "+79123456789"),
        ("US", "(212) 555-0100", "+12125550100"),
        ("US", "1 212 555 0100", "+12125550100"),
        ("HU", "06 20 123 4567", "+36201234567"),
        ("CN", "138 0213 8000", "+8613802138000"),
        ("IN", "98765 43210", "+919876543210"),
        ("AR", "11 15 1234 5678", "+5491112345678"),
        ("BR", "0 15 11 98765-4321", "+5511987654321"),
        # Short ones, all the same whole numbers
        ("IS", "581 1234", "+3545811234"),
        ("SG", "8123 4567", "+6581234567"),
        ("DK", "20 12 34 56", "+4520123456"),
        ("AD", "312 345", "+376312345"),
        ("AT", "05 0100", "+4350100"),
        # What is dialled for another country
        ("US", "011 49 151 12345678", "+4915112345678"),
        ("JP", "010 49 151 12345678", "+4915112345678"),
        ("IL", "012 49 151 12345678", "+4915112345678"),
        ("SG", "018 49 151 12345678", "+4915112345678"),
        ("RU", "8 10 49 151 12345678", "+4915112345678"),
        (None, "00 49 151 12345678", "+4915112345678"),
        # No country is needed
        (None, "+49 151 12345678", "+4915112345678"),
        ("XX", "+49 151 12345678", "+4915112345678"),
        (None, "+883 5100 01234567", "+883510001234567"),
    ],
)
def test_numbers(country: str | None, written: str, number: str) -> None:
    """A number is read as it is dialled in the country."""
    assert parse_destination(written, country) == number
    assert comparable_sender(written, country) == number
    assert parse_prefix(written, country) == number


@pytest.mark.parametrize(
    "written",
    [
        "\u202a+4915112345678\u202c",
        "\u200e+49\u200b151\u206012345678\u200f",
        "+49‐151‑1234–5678",
        "+49—151−12345678",
        "+49－151ー12345678",
        "+49\u00a0151\u202f1234\u20095678",
        "+49\t151\u200712345678",
        "＋４９　１５１／１２３４５６７８",
        "(+49) 151 [12345678]",
        "+٤٩١٥١١٢٣٤٥٦٧٨",
        "٠١٥١ ١٢٣٤٥٦٧٨",
    ],
)
def test_decoration(written: str) -> None:
    """Marks, dashes, blanks and digits of any script make no other number."""
    assert parse_destination(written, "DE") == "+4915112345678"


def test_new_numbers() -> None:
    """A range that the library doesn't know is taken where the prefix shows it."""
    assert not phonenumbers.is_valid_number(phonenumbers.parse("+4915012345"))
    assert parse_destination("+49 150 12345", "DE") == "+4915012345"
    assert parse_destination("0150 12345", "DE") == "+4915012345"
    assert parse_destination("0049 150 12345", "DE") == "+4915012345"
    assert _fault("0049 150 12345", None) is PhoneNumberFault.NO_COUNTRY
    assert _fault("150 12345", "DE") is PhoneNumberFault.IMPOSSIBLE


def test_three_ways_to_write_one_number() -> None:
    """They give one number, to be sent to once."""
    written = ["0151 12345678", "+49 (0)151/12345678", "0049-151-12345678"]

    assert {parse_destination(each, "DE") for each in written} == {"+4915112345678"}


# Without a plus


@pytest.mark.parametrize(
    ("country", "digits", "number"),
    [
        # Of the country itself: the library alone takes it for +494915112345678.
        ("DE", "4915112345678", "+4915112345678"),
        ("DE", "493012345678", "+493012345678"),
        ("IT", "393331234567", "+393331234567"),
        ("US", "12125550100", "+12125550100"),
        # Of another country: no number at home, or at most a landline without zero
        ("US", "4915112345678", "+4915112345678"),
        ("AT", "4915112345678", "+4915112345678"),
        ("DE", "393331234567", "+393331234567"),
        ("LT", "8613800138000", "+8613800138000"),
        ("RU", "82436042514", "+82436042514"),
        # A mobile number without its zero, which is no mobile number elsewhere
        ("DE", "17212345678", "+4917212345678"),
        ("AU", "495275163", "+61495275163"),
        # As people write it at home, whatever it is elsewhere (+1 …, +84 …)
        ("CN", "13802138000", "+8613802138000"),
        ("RU", "84951234567", "+74951234567"),
    ],
)
def test_without_plus(country: str, digits: str, number: str) -> None:
    """A lost plus comes back where only one reading is likely."""
    assert parse_destination(digits, country) == number
    assert comparable_sender(digits, country) == comparable_sender(number, country)


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        ("DE", "17025551234"),  # 0170 25551234, or Las Vegas
        ("DE", "390612345678"),  # 03906 12345678, or Rome
        ("DE", "3456789"),  # 0345 6789, or a short code
        ("NG", "2033123456"),  # 0203 312 3456, or Cairo
        ("CU", "53480787"),  # a mobile number, or +53 480787
        # 00 is no exit code of Singapore, but 004 is one: Germany, or +91 …
        ("SG", "004915112345678"),
    ],
)
def test_ambiguous(country: str, digits: str) -> None:
    """Better an error than a message to a stranger; a sender is only like itself."""
    assert _fault(digits, country) is PhoneNumberFault.AMBIGUOUS
    assert comparable_sender(digits, country) == digits


@pytest.mark.parametrize("digits", ["015112345678", "4915112345678", "1234567"])
@pytest.mark.parametrize("country", [None, "", "XX", "AQ"])
def test_no_country(digits: str, country: str | None) -> None:
    """Without a country there's nothing to complete a number with."""
    assert _fault(digits, country) is PhoneNumberFault.NO_COUNTRY
    assert comparable_sender(digits, country) == digits


def test_all_countries() -> None:
    """Mobile numbers of the whole world, as they are written there or with no plus."""
    mobile = phonenumbers.PhoneNumberType.MOBILE
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    for country in phonenumbers.SUPPORTED_REGIONS - {"TA"}:  # which has no example
        number = phonenumbers.example_number_for_type(country, mobile)
        assert number
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for written in (e164, e164[1:], phonenumbers.format_number(number, national)):
            assert parse_destination(written, country) == e164, (country, written)
        from_here = phonenumbers.format_out_of_country_calling_number(
            phonenumbers.parse("+4915112345678"), country
        )
        assert parse_destination(from_here, country) == "+4915112345678", country


# Short codes and service codes


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        *((country, "112") for country in ("DE", "US", "IT", "RU", None)),
        ("DE", "110"),
        ("DE", "22022"),
        ("DE", "116117"),
        ("US", "911"),
        ("AU", "000"),
        ("NO", "02000"),
        ("AU", "000111"),  # not listed, but others there begin with zeros
        ("ES", "015112"),  # no number begins with a zero there
        (None, "015112"),
        ("AU", "131234"),  # a number as well, but can't be called with +61
        (None, "10086"),
        ("FR", "15"),
        ("RU", "03"),
        ("PM", "551234"),  # mobile numbers are written with a zero there
        # Longer ones that the country has
        ("AU", "19971234"),
        ("IN", "5676735"),
        ("CN", "1008611"),
        ("CN", "106575001234"),
        ("CN", "10690000123456789012"),
        # Of a city, behind its area code
        ("KR", "02114"),
        ("KR", "02120"),
    ],
)
def test_short_codes(country: str | None, digits: str) -> None:
    """They stay as they are."""
    assert parse_destination(digits, country) == digits
    assert comparable_sender(digits, country) == digits
    assert parse_prefix(digits, country) == digits


@pytest.mark.parametrize(
    ("country", "digits"),
    # Mobile numbers with a digit wrong, calls abroad that are none, a zero too many, and
    # numbers of which most is missing
    [
        *(("DE", "0151 12"), ("DE", "0151"), ("DE", "0049"), ("HU", "06 20 1")),
        *(("KR", "02 51"), ("KR", "010 12"), ("JP", "0077")),
        *(("CN", "11913800138"), ("DE", "1511234567")),
        *(("CN", "00100000000"), ("IN", "0012345"), ("US", "49015112345678")),
    ],
)
def test_no_short_codes(country: str, digits: str) -> None:
    """What is mistyped isn't sent as it is."""
    assert _fault(digits, country) is PhoneNumberFault.IMPOSSIBLE


def test_short_code_in_groups() -> None:
    """Blanks don't count in a short code either."""
    assert parse_destination("116 117", "DE") == "116117"


@pytest.mark.parametrize("code", ["*100#", "*#06#", "##002#", "*21*015112345678#"])
def test_service_codes(code: str) -> None:
    """They are taken only where they make sense."""
    assert parse_destination(f" {code}\n", "DE", allow_codes=True) == code
    assert _fault(code, "DE") is PhoneNumberFault.NOT_A_NUMBER
    assert comparable_sender(code, "DE") == code


# What is refused


@pytest.mark.parametrize(
    ("fault", "texts"),
    [
        (PhoneNumberFault.EMPTY, ["", "  ", "\u202a\u202c", "\n"]),
        (
            PhoneNumberFault.NOT_A_NUMBER,
            [
                # The library takes some of these, for letters and extensions.
                *("Mum", "0800-FLOWERS", "0xx11987654321", "Tel: 0151 12345678"),
                *("0151 12345678 ext. 5", "tel:+4915112345678;ext=5", "0151 1234567x5"),
                *("0151 12345678#5", "+49*21*0151#", "+4915112345678*"),
                *("0151 12345678, 0151 12345679", "110\n112", "+49151+4915112345678"),
                # From a template
                *("4915112345678.0", "10086.0", "4.915112345678e+12", "['0151123456']"),
                *("+", "++4915112345678", "()", "²³", "0151_12345678", "-"),
            ],
        ),
        (
            PhoneNumberFault.IMPOSSIBLE,
            [
                *("1", "12", "+49", "+49 1", "+1 212 555 010", "+1 555 0100"),
                *("+34 (0)612345678", "+999 123456", "+49151123456789012"),
                *("0151 12345678/0151 12345679", "12345678", "000000000"),
                # The library drops an 8 each time that it reads this one.
                "+375 8834 9660365",
                *("1" * 300, "+" + "1" * 300, "1" * 5000, "(" * 5000 + "1" * 9),
            ],
        ),
    ],
)
def test_refused(fault: PhoneNumberFault, texts: list[str]) -> None:
    """With the reason, and without the number in the message."""
    for text in texts:
        with pytest.raises(InvalidPhoneNumberError) as refused:
            parse_destination(text, "DE")
        assert refused.value.reason is fault, text
        assert str(refused.value) == f"Invalid phone number: {fault.replace('_', ' ')}"


# The beginnings in an allow-list


@pytest.mark.parametrize(
    ("country", "written", "beginning"),
    [
        ("DE", "+49", "+49"),
        (None, "+4", "+4"),
        (None, "+21", "+21"),
        ("US", "+1", "+1"),
        ("DE", "0151", "+49151"),
        ("DE", "+49 (0)151", "+49151"),
        ("DE", "+44 (0)7", "+447"),
        ("HU", "06 20", "+3620"),
        ("DE", "0049 151", "+49151"),
        ("US", "011 49", "+49"),
        (None, "00 49", "+49"),
        ("IT", "+39 06", "+3906"),
        ("DE", "10086", "10086"),
        ("DE", "110", "110"),
        ("AU", "000", "000"),
    ],
)
def test_beginnings(country: str | None, written: str, beginning: str) -> None:
    """A beginning comes into the form of the numbers that it is compared with."""
    assert parse_prefix(written, country) == beginning
    assert parse_prefix(beginning, country) == beginning


@pytest.mark.parametrize(
    ("country", "written"),
    [
        *(("DE", text) for text in ("", "Mum", "0", "00", "+", "+0", "49", "1")),
        *(("DE", text) for text in ("+999", "+1 212 555 01001", "17025551234")),
        *((None, "0151 123"), ("JP", "0000"), ("CN", "0111001100000")),
    ],
)
def test_no_beginning(country: str | None, written: str) -> None:
    """What no number begins with, or too many, is refused."""
    with pytest.raises(InvalidPhoneNumberError):
        parse_prefix(written, country)


def test_another_country_is_not_allowed() -> None:
    """An American who allows +1 doesn't send to Germany by dialling 011 49."""
    number = parse_destination("011 49 151 12345678", "US")

    assert not number.startswith(parse_prefix("+1", "US"))


# Senders


@pytest.mark.parametrize(
    ("sender", "form"),
    [
        ("", ""),
        (" \u200e", ""),
        ("MyBank", "mybank"),
        (" My  Bank\u202c ", "my bank"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("0800-FLOWERS", "0800-flowers"),
        ("7", "7"),
        ("0151/", "0151"),
        ("+999 123456", "+999123456"),
        ("+49 151\n12345678", "+49 151\n12345678"),  # no number in two lines
        ("My\nBank", "my bank"),
    ],
)
def test_senders(sender: str, form: str) -> None:
    """Names are compared without case, odd numbers by their digits."""
    assert comparable_sender(sender, "DE") == form


def test_senders_of_many_contacts() -> None:
    """What they're compared with isn't worked out again for each SMS."""
    numbers = [f"+4915112{number:06d}" for number in range(3000)]
    for number in numbers:
        comparable_sender(number, "DE")
    before = comparable_sender.cache_info().misses
    for number in numbers:
        comparable_sender(number, "DE")
    assert comparable_sender.cache_info().misses == before


def test_sender_is_pasted() -> None:
    """A number that was copied from a page in a right-to-left script matches."""
    assert comparable_sender("\u202a0151 12345678\u202c", "DE") == "+4915112345678"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("0151 12345678", "+49", "10086", "(1)", "*100#")),
        *((text, True) for text in ("\u202a+49151\u202c", "٠١٥١", "4915112345678.0")),
        *((text, False) for text in ("Mum", "Room 12", "", "-", "0800-FLOWERS", "²")),
    ],
)
def test_is_phone_number(text: str, expected: bool) -> None:
    """Such a text is no name of a contact."""
    assert is_phone_number(text) is expected


@pytest.mark.parametrize(
    ("calling_code", "country"),
    [
        *(("49", "DE"), ("1", "US"), ("7", "RU"), ("44", "GB"), ("39", "IT")),
        *(("+49", "DE"), ("0049", "DE"), ("61", "AU"), ("351", "PT")),
        *(("", None), ("0", None), ("999", None), ("800", None), ("4915", None)),
        *(("x", None), ("²", None), ("٤٩", None)),
    ],
)
def test_main_country(calling_code: str, country: str | None) -> None:
    """A calling code belongs to one country above all, or to none."""
    assert main_country(calling_code) == country


# Reading from disk

_WATCHED = """
import importlib.util, json, sys

spec = importlib.util.spec_from_file_location("phone_numbers", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["phone_numbers"] = module
spec.loader.exec_module(module)
numbers = json.loads(sys.argv[3])
if sys.argv[2] == "preload":
    module.preload(["DE"])

seen = []
sys.addaudithook(
    lambda event, details: event in ("open", "import") and seen.append(details[0])
)
for number in numbers:
    module.comparable_sender(number, "DE")
found = [str(each) for each in seen]
print(json.dumps([found, "homeassistant" in sys.modules]))
"""


def _watch(what: str) -> list[str]:
    """Read numbers of all countries; return the files and modules that this needs."""
    e164 = phonenumbers.PhoneNumberFormat.E164
    examples = [
        phonenumbers.example_number(country)
        for country in phonenumbers.SUPPORTED_REGIONS
    ] + [
        phonenumbers.example_number_for_non_geo_entity(code)
        for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS
    ]
    numbers = [phonenumbers.format_number(each, e164) for each in examples if each]
    numbers += [each[1:] for each in numbers] + ["110", "0151 12345678", "MyBank"]
    output = subprocess.run(
        [
            *(sys.executable, "-c", _WATCHED, phone_numbers.__file__),
            *(what, json.dumps(numbers)),
        ],
        check=True,
        capture_output=True,
    ).stdout
    found, with_home_assistant = json.loads(output)
    assert not with_home_assistant
    return list(found)


def test_preload() -> None:
    """After it nothing is read from disk, whichever country a number is from."""
    assert any("region_JP" in each for each in _watch("nothing"))
    assert _watch("preload") == []


def _fault(text: str, country: str | None) -> PhoneNumberFault:
    with pytest.raises(InvalidPhoneNumberError) as refused:
        parse_destination(text, country)
    return refused.value.reason
