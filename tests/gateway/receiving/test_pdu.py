"""What is received: the SMS-DELIVER PDU."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
import json
from pathlib import Path
import re
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.openvox_gsm.gateway.receiving.pdu import (
    Coding,
    Concatenation,
    DeliverPdu,
    PduError,
    Purpose,
    decode_deliver,
    join_texts,
)

SAMPLES: list[dict[str, Any]] = [
    sample
    for sample in json.loads(
        (Path(__file__).parents[2] / "data" / "inbound-sms.json").read_text("utf-8")
    )
    if all(part["SMSPDU"] for part in sample["parts"])
]
PDUS: list[str] = [part["SMSPDU"] for sample in SAMPLES for part in sample["parts"]]

NO_SERVICE_CENTRE = "00"
DELIVER = "04"
DELIVER_WITH_HEADER = "44"
TEN_DIGITS = "0A912143658709"
NOON_UTC = "62304121000000"


def pdu(
    user_data: str,
    *,
    length: int | None = None,
    protocol: str = "00",
    scheme: str = "00",
    header: str | None = None,
    service_centre: str = NO_SERVICE_CENTRE,
    sender: str = TEN_DIGITS,
    time: str = NOON_UTC,
) -> str:
    """Write a PDU down; `length` is that of the user data, octets by default."""
    data = (header or "") + user_data
    if length is None:
        length = len(data) // 2
    first = DELIVER if header is None else DELIVER_WITH_HEADER
    return f"{service_centre}{first}{sender}{protocol}{scheme}{time}{length:02X}{data}"


def gsm7(*septets: int, **languages: int) -> DeliverPdu:
    """Make a message of septets."""
    return DeliverPdu("", None, Coding.GSM7, bytes(septets), None, **languages)


def ucs2(payload: str) -> DeliverPdu:
    """Make a message of UTF-16 units in hex."""
    return DeliverPdu("", None, Coding.UCS2, bytes.fromhex(payload))


def octets(payload: bytes) -> DeliverPdu:
    """Make a message of octets."""
    return DeliverPdu("", None, Coding.OCTETS, payload)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_every_sample(sample: dict[str, Any]) -> None:
    """Sender, time with its zone, parts and text are what was sent."""
    parts = [decode_deliver(part["SMSPDU"]) for part in sample["parts"]]

    zone = timezone(timedelta(hours=sample["zone_hours"]))
    for part in parts:
        assert part.sender == sample["sender"]
        assert part.sent_at is not None
        assert part.sent_at.isoformat() == (
            datetime.fromisoformat(sample["local_time"])
            .replace(tzinfo=zone)
            .isoformat()
        )
    assert join_texts(parts) == sample["text"]
    assert [
        (part.concatenation.sequence, part.concatenation.total)
        if part.concatenation
        else (1, 1)
        for part in parts
    ] == [(part["sequence"], part["count"]) for part in sample["parts"]]
    assert (
        len({part.concatenation.reference for part in parts if part.concatenation}) < 2
    )


def test_the_samples_are_there() -> None:
    """All but those of firmware that gives no PDU."""
    assert len(SAMPLES) >= 20
    assert len(PDUS) > len(SAMPLES)


def test_case_does_not_matter() -> None:
    """Hex is hex."""
    for sample in PDUS:
        assert decode_deliver(sample.lower()) == decode_deliver(sample)


@pytest.mark.parametrize(
    ("length", "user_data", "text"),
    [
        (0, "", ""),
        (1, "00", "@"),
        (1, "05", "é"),
        (1, "24", "¤"),
        (1, "40", "¡"),
        (1, "60", "¿"),
        (2, "9B32", "€"),
        (3, "10C904", "ΔΦΓ"),
        (5, "E8329BFD06", "hello"),
        (7, "61F1985C369F01", "abcdefg"),
        (8, "61F1985C369F01", "abcdefg@"),
        (8, "61F1985C369FD1", "abcdefgh"),
        (9, "61F1985C369FD169", "abcdefghi"),
        (2, "1B05", "\f"),
    ],
)
def test_packed_septets(length: int, user_data: str, text: str) -> None:
    """Packed by hand, from the lowest bit up."""
    assert decode_deliver(pdu(user_data, length=length)).text == text


# As 3GPP TS 23.038 prints the default alphabet (6.2.1): high digit across, low down.
DEFAULT_ALPHABET = """
    @ Δ _ 0 ¡ P ¿ p
    £ _ ! 1 A Q a q
    $ Φ " 2 B R b r
    ¥ Γ # 3 C S c s
    è Λ ¤ 4 D T d t
    é Ω % 5 E U e u
    ù Π & 6 F V f v
    ì Ψ ' 7 G W g w
    ò Σ ( 8 H X h x
    Ç Θ ) 9 I Y i y
    ␊ Ξ * : J Z j z
    Ø ␛ + ; K Ä k ä
    ø Æ , < L Ö l ö
    ␍ æ - = M Ñ m ñ
    Å ß . > N Ü n ü
    å É / ? O § o à
"""


def default_alphabet() -> Iterator[tuple[int, str]]:
    """Yield code and character of the table above, but for the escape."""
    named = {(0, 2): " ", (10, 0): "\n", (13, 0): "\r"}
    for low, row in enumerate(DEFAULT_ALPHABET.split("\n")[1:-1]):
        for high, character in enumerate(row.split()):
            if character != "␛":
                yield high << 4 | low, named.get((low, high), character)


def test_the_default_alphabet() -> None:
    """All of it."""
    codes, characters = zip(*default_alphabet(), strict=True)
    assert len(codes) == 127
    assert gsm7(*codes).text == "".join(characters)


EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}


def test_the_extension_table() -> None:
    """What it has not is read from the default alphabet."""
    for code, character in default_alphabet():
        assert gsm7(0x1B, code).text == EXTENSION.get(code, character)


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        ((0x1B,), " "),
        ((0x61, 0x1B), "a "),
        ((0x1B, 0x1B, 0x65), " e"),
        ((0x1B, 0x1B, 0x1B, 0x65), " €"),
    ],
)
def test_escapes_that_escape_nothing(septets: tuple[int, ...], text: str) -> None:
    """Show as a blank."""
    assert gsm7(*septets).text == text


@pytest.mark.parametrize(
    ("language", "septets", "text"),
    [
        (1, b"\x04\x07\x0b\x0c\x1c\x1d\x40\x60 i\x05\x10", "€ıĞğŞşİç iéΔ"),
        (
            3,
            b"\x04\x06\x07\x08\x09\x0b\x0c\x0e\x0f\x12\x13\x14\x15\x16\x17\x18\x19"
            b"\x1a\x1c\x1d\x1e\x24\x40\x5b\x5c\x5d\x60\x7b\x7c\x7d",
            "êúíóçÔôÁáªÇÀ∞^\\€Ó|ÂâÊºÍÃÕÚ~ãõ`",
        ),
        (3, b"\x05\x10\x11\x1f\x5e\x7e\x7f\x1b", "éΔ_ÉÜüà "),
        (2, b"\x04\x09\x60", "èÇ¿"),
        (4, b"\x04\x09\x60", "èÇ¿"),
        (255, b"\x04\x09\x60", "èÇ¿"),
    ],
)
def test_locking_shift(language: int, septets: bytes, text: str) -> None:
    """Turkish and Portuguese; Spanish has none, others read as the default."""
    assert gsm7(*septets, locking_language=language).text == text


@pytest.mark.parametrize(
    ("language", "changed"),
    [
        (1, {"G": "Ğ", "I": "İ", "S": "Ş", "c": "ç", "g": "ğ", "i": "ı", "s": "ş"}),
        (2, dict(zip("\x09AIOUaiou", "çÁÍÓÚáíóú", strict=True))),
        (
            3,
            dict(zip("\x05\x09\x0b\x0c\x0e\x0f\x1f", "êçÔôÁáÊ", strict=True))
            | dict(zip("\x12\x13\x15\x16\x17\x18\x19", "ΦΓΩΠΨΣΘ", strict=True))
            | dict(zip("AIOU[\\aiou{|\x7f", "ÀÍÓÚÃÕÂíóúãõâ", strict=True)),
        ),
        (4, {}),
        (255, {}),
    ],
)
def test_single_shift(language: int, changed: dict[str, str]) -> None:
    """Each language has what the extension table has, and its own."""
    table = EXTENSION | {ord(code): character for code, character in changed.items()}
    for code, character in default_alphabet():
        assert gsm7(0x1B, code, single_language=language).text == table.get(
            code, character
        )


def test_single_shift_works_with_locking_shift() -> None:
    """What the one has not is read from the other."""
    message = gsm7(0x12, 0x1B, 0x12, 0x1B, 0x08, locking_language=3, single_language=3)
    assert message.text == "ªΦó"


@pytest.mark.parametrize(
    ("header", "length", "user_data", "text"),
    [
        ("03250101", 6, "2000", "€"),
        ("03240102", 7, "D88401", "á"),
        ("06250103240103", 11, "92CD07", "ªÊ"),
    ],
)
def test_languages_come_in_the_header(
    header: str, length: int, user_data: str, text: str
) -> None:
    """25 for the locking shift, 24 for the single one."""
    assert decode_deliver(pdu(user_data, header=header, length=length)).text == text


@pytest.mark.parametrize(
    ("header", "locking", "single"),
    [
        ("06250101240102", 1, 2),
        ("06240101240103", 0, 3),
        ("06250103250101", 1, 0),
        ("0424020101", 0, 0),
        ("0325010C", 12, 0),
    ],
)
def test_the_last_language_counts(header: str, locking: int, single: int) -> None:
    """One of the wrong length does not."""
    message = decode_deliver(pdu("0041", header=header, scheme="08"))
    assert (message.locking_language, message.single_language) == (locking, single)


@pytest.mark.parametrize(
    ("protocol", "purpose"),
    [
        ("3F", Purpose.TEXT),
        ("40", Purpose.TYPE_0),
        ("41", Purpose.TEXT),
        ("7B", Purpose.TEXT),
        ("7C", Purpose.SIM),
        ("7F", Purpose.SIM),
        ("80", Purpose.TEXT),
    ],
)
def test_whom_a_message_is_for_by_its_protocol(protocol: str, purpose: Purpose) -> None:
    """Whatever its text is."""
    message = decode_deliver(pdu("0041", protocol=protocol, scheme="08"))
    assert message.purpose is purpose


@pytest.mark.parametrize(
    ("header", "purpose"),
    [
        ("03030100", Purpose.TEXT),
        ("0404020B84", Purpose.APPLICATION),
        ("0605040B840000", Purpose.APPLICATION),
        ("03060100", Purpose.TEXT),
        ("026F00", Purpose.TEXT),
        ("027000", Purpose.SIM),
        ("027F00", Purpose.SIM),
        ("028000", Purpose.TEXT),
    ],
)
def test_whom_octets_are_for_by_their_header(header: str, purpose: Purpose) -> None:
    """A port is one of an application, whether it has 8 bits or 16."""
    message = decode_deliver(pdu("41", header=header, scheme="04"))
    assert message.purpose is purpose


@pytest.mark.parametrize("header", ["0404020B84", "0605040B840000"])
def test_a_text_with_a_port_is_for_a_person(header: str) -> None:
    """Only octets are for an application."""
    message = decode_deliver(pdu("0041", header=header, scheme="08"))
    assert message.purpose is Purpose.TEXT


@pytest.mark.parametrize(
    ("scheme", "header", "purpose"),
    [
        ("B0", None, Purpose.TEXT),
        ("C0", None, Purpose.WAITING),
        ("D0", None, Purpose.WAITING),
        ("E0", None, Purpose.WAITING),
        ("F0", None, Purpose.TEXT),
        ("08", "0400020001", Purpose.TEXT),
        ("08", "0401020001", Purpose.WAITING),
        ("08", "0402020001", Purpose.TEXT),
    ],
)
def test_an_indication_that_a_message_waits(
    scheme: str, header: str | None, purpose: Purpose
) -> None:
    """Its text, where it has one, is for a person."""
    empty = decode_deliver(pdu("", header=header, scheme=scheme))
    with_text = decode_deliver(pdu("00410041", header=header, scheme=scheme))

    assert empty.purpose is purpose
    assert with_text.purpose is Purpose.TEXT


@pytest.mark.parametrize(
    ("header", "concatenation"),
    [
        ("0500034D0201", Concatenation(0x4D, False, 2, 1)),
        ("0500034D0202", Concatenation(0x4D, False, 2, 2)),
        ("0500034D0101", Concatenation(0x4D, False, 1, 1)),
        ("060804014D0302", Concatenation(0x14D, True, 3, 2)),
        ("060804004D0303", Concatenation(0x4D, True, 3, 3)),
        # Another element before or behind: it is skipped.
        ("0A0003FF0503700347000A", Concatenation(0xFF, False, 5, 3)),
        ("0B05040B8423F00003070201", Concatenation(7, False, 2, 1)),
        ("07A1000003070201", Concatenation(7, False, 2, 1)),
        # Two of them: the last one counts.
        ("0A00030102010003020202", Concatenation(2, False, 2, 2)),
        ("0B0003010201080400030202", Concatenation(3, True, 2, 2)),
        # No such part: as if not there.
        ("0500034D0200", None),
        ("0500034D0203", None),
        ("0500034D0000", None),
        ("0500034D0001", None),
        ("060804004D0300", None),
        ("060804004D0304", None),
        ("0A00030102010003020203", Concatenation(1, False, 2, 1)),
        # A wrong length: as if not there.
        ("0400024D02", None),
        ("0600044D020100", None),
        ("0508034D0201", None),
        # Lengths that do not add up: no element counts.
        ("0600034D020124", None),
        ("0700034D02012402", None),
        ("0500044D0201", None),
        ("00", None),
    ],
)
def test_parts_of_long_messages(
    header: str, concatenation: Concatenation | None
) -> None:
    """The header says which, and the text begins behind it all the same."""
    message = decode_deliver(pdu("0041", header=header, scheme="08"))
    assert message.concatenation == concatenation
    assert message.text == "A"


@pytest.mark.parametrize(
    ("header", "length", "user_data"),
    [
        ("00", 4, "405008"),  # 6 fill bits
        ("04A0020000", 8, "0485"),  # 2
        ("0500034D0201", 9, "8242"),  # 1
        ("0500034D0201", 9, "8342"),  # 1, whatever its value
        ("060804004D0201", 10, "4121"),  # none
        ("0700034D0201A000", 12, "405008"),  # 6
    ],
)
def test_fill_bits(header: str, length: int, user_data: str) -> None:
    """Septets go on at a septet's boundary behind the header."""
    assert decode_deliver(pdu(user_data, header=header, length=length)).text == "AB"


@given(
    st.lists(st.integers(0, 127), max_size=150),
    st.none() | st.binary(max_size=9).map(lambda header: bytes([len(header), *header])),
)
def test_septets_come_out_as_they_went_in(
    septets: list[int], header: bytes | None
) -> None:
    """However many, behind whatever header."""
    size = 0 if header is None else len(header)
    skipped = -(-size * 8 // 7)
    bits = "".join(f"{septet:07b}" for septet in reversed(septets))
    bits += "0" * (skipped * 7 - size * 8)
    user_data = int(bits or "0", 2).to_bytes(-(-len(bits) // 8), "little")
    message = decode_deliver(
        pdu(
            user_data.hex(),
            header=None if header is None else header.hex(),
            length=skipped + len(septets),
        )
    )
    assert message.payload == bytes(septets)


@pytest.mark.parametrize(
    ("scheme", "coding"),
    [
        # General (00), and the same to be deleted once read (01).
        ("00", Coding.GSM7),
        ("01", Coding.GSM7),
        ("13", Coding.GSM7),
        ("04", Coding.OCTETS),
        ("15", Coding.OCTETS),
        ("08", Coding.UCS2),
        ("19", Coding.UCS2),
        ("0C", Coding.GSM7),
        ("40", Coding.GSM7),
        ("54", Coding.OCTETS),
        ("48", Coding.UCS2),
        ("58", Coding.UCS2),
        ("5C", Coding.GSM7),
        # Reserved.
        ("80", Coding.GSM7),
        ("88", Coding.GSM7),
        ("A4", Coding.GSM7),
        ("B8", Coding.GSM7),
        # Message waiting.
        ("C0", Coding.GSM7),
        ("C8", Coding.GSM7),
        ("D4", Coding.GSM7),
        ("D8", Coding.GSM7),
        ("E0", Coding.UCS2),
        ("E8", Coding.UCS2),
        # Message class.
        ("F0", Coding.GSM7),
        ("F3", Coding.GSM7),
        ("F8", Coding.GSM7),
        ("F4", Coding.OCTETS),
        ("F7", Coding.OCTETS),
    ],
)
def test_data_coding_schemes(scheme: str, coding: Coding) -> None:
    """What is reserved is GSM 7-bit."""
    message = decode_deliver(pdu("E8324142", length=4, scheme=scheme))
    assert message.coding is coding
    assert (
        message.payload
        == {
            Coding.GSM7: b"\x68\x65\x04\x12",
            Coding.OCTETS: b"\xe8\x32\x41\x42",
            Coding.UCS2: b"\xe8\x32\x41\x42",
        }[coding]
    )
    assert (
        message.text
        == {
            Coding.GSM7: "heèΦ",
            Coding.OCTETS: "è2AB",
            Coding.UCS2: "\ue832\u4142",
        }[coding]
    )


@pytest.mark.parametrize("scheme", ["20", "28", "3F", "60", "68", "7F"])
def test_compressed_text_cannot_be_read(scheme: str) -> None:
    """And is refused, not shown as something else."""
    with pytest.raises(PduError, match="^Compressed$"):
        decode_deliver(pdu("E8324142", length=4, scheme=scheme))


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("0A912143658709", "+1234567890"),
        ("0B912143658709F1", "+12345678901"),
        ("0BA12143658709F1", "12345678901"),
        ("05810180F6", "10086"),
        ("05F10180F6", "10086"),
        ("0581BADCFE", "*#abc"),
        ("0481ABCD", "#*ba"),
        ("0481F121", "1"),  # the driver ends at the pad as well
        ("1491" + "21" * 10, "+" + "12" * 10),
        ("1591" + "21" * 10 + "F1", "+" + "12" * 10 + "1"),  # more than there may be
        ("0091", ""),
        ("0081", ""),
        ("00D0", ""),
        ("02D041", "A"),
        ("02D004", "è"),
        ("04D09B32", "€"),
        ("04D09B31", "c"),
        ("0BD0CDBC30EC5E03", "MyBank"),
        ("0DD0D432BBBC7EB701", "Telekom"),
        ("0ED0D432BBBC7EB701", "Telekom"),  # seven bits too many
        ("0ED0C8777D5E06C564", "House 12"),
        ("14D061F1985C369FD169F51A", "abcdefghijk"),
    ],
)
def test_senders(address: str, sender: str) -> None:
    """Numbers, short codes and names."""
    message = decode_deliver(pdu("41", length=1, sender=address))
    assert message.sender == sender
    assert message.text == "A"


@pytest.mark.parametrize("service_centre", ["00", "0191", "0891683108705505F0"])
def test_the_service_centre_does_not_matter(service_centre: str) -> None:
    """There or not."""
    assert decode_deliver(
        pdu("41", length=1, service_centre=service_centre)
    ) == decode_deliver(pdu("41", length=1))


@pytest.mark.parametrize(
    ("stamp", "sent_at"),
    [
        ("62304151906223", "2026-03-14T15:09:26+08:00"),
        ("6230415190620A", "2026-03-14T15:09:26-05:00"),
        ("62304151906222", "2026-03-14T15:09:26+05:30"),
        ("62304151906232", "2026-03-14T15:09:26+05:45"),
        ("62304151906269", "2026-03-14T15:09:26-04:00"),
        ("62304151906241", "2026-03-14T15:09:26+03:30"),
        ("62304151906249", "2026-03-14T15:09:26-03:30"),
        ("62304151906200", "2026-03-14T15:09:26+00:00"),
        ("62304151906208", "2026-03-14T15:09:26+00:00"),
        ("99211332959597", "2099-12-31T23:59:59+19:45"),
        ("0010100000009F", "2000-01-01T00:00:00-19:45"),
    ],
)
def test_time_stamps(stamp: str, sent_at: str) -> None:
    """With their zones, in quarters of an hour, either way."""
    message = decode_deliver(pdu("41", length=1, time=stamp))
    assert message.sent_at is not None
    assert message.sent_at.isoformat() == sent_at


@pytest.mark.parametrize(
    "stamp",
    [
        "00000000000000",
        "FFFFFFFFFFFFFF",
        "62314100000000",  # month 13
        "62200300000000",  # 30 February
        "62304142000000",  # hour 24
        "62304121060000",  # minute 60
        "62304121000600",  # second 60
        "2A304121000000",
        "A2304121000000",
        "623041210000A3",
    ],
)
def test_no_time_stamp(stamp: str) -> None:
    """Digits that are no date say nothing, but the text is there."""
    message = decode_deliver(pdu("41", length=1, time=stamp))
    assert message.sent_at is None
    assert message.text == "A"


@pytest.mark.parametrize("first", range(256))
def test_only_a_deliver_is_one(first: int) -> None:
    """The two lowest bits tell; all others are flags."""
    hex_pdu = pdu("00", scheme="08").replace("0004", f"00{first:02X}", 1)
    if first % 4 == 0:
        assert decode_deliver(hex_pdu).sender == "+1234567890"
    else:
        with pytest.raises(PduError, match="^Not an SMS-DELIVER$"):
            decode_deliver(hex_pdu)


@pytest.mark.parametrize(
    "not_hex",
    [
        "0",
        "0x00",
        "zz",
        "00 04",
        " 0004",
        "0004\n",
        "00é4",
        "\uff10\uff10",
        "\ud800",
        "-1",
    ],
)
def test_what_is_not_hex(not_hex: str) -> None:
    """No blanks either."""
    with pytest.raises(PduError, match="^Not hexadecimal$"):
        decode_deliver(not_hex)


def is_readable(hex_pdu: str) -> bool:
    """Tell whether a PDU is long enough to be read; if not, nothing else is wrong."""
    try:
        decode_deliver(hex_pdu)
    except PduError as err:
        assert str(err) in ("Cut short", "Header cut short")  # noqa: PT017
        return False
    return True


@pytest.mark.parametrize("whole", [each for each in PDUS if decode_deliver(each).text])
def test_a_pdu_cut_short_is_read_as_far_as_it_goes(whole: str) -> None:
    """Its text may end anywhere, but something of it has to be there."""
    message = decode_deliver(whole)
    begin = next(end for end in range(0, len(whole), 2) if is_readable(whole[:end]))
    assert len(whole) - begin >= 2 * len(message.payload) * 7 // 8 - 6
    for end in range(begin, len(whole), 2):
        cut = decode_deliver(whole[:end])
        assert (cut.sender, cut.sent_at) == (message.sender, message.sent_at)
        assert message.payload.startswith(cut.payload)
        assert cut.concatenation == message.concatenation
        assert not cut.is_plain
    assert decode_deliver(f"{whole}00FF") == message


@pytest.mark.parametrize("whole", PDUS)
def test_a_pdu_without_text(whole: str) -> None:
    """What is cut short before its text can't be read."""
    head, _, _ = whole.partition(whole[-4:])
    stamp = re.search("6230415190..", head)
    assert stamp
    for end in range(0, stamp.end() + 4, 2):
        with pytest.raises(PduError, match="^Cut short$"):
            decode_deliver(whole[:end])


@pytest.mark.parametrize(
    ("user_data", "coding", "text"),
    [
        ("FEFF00410042", "08", "AB"),
        ("FEFF", "08", ""),
        ("0041FEFF0042", "08", "A\ufeffB"),
        ("EFBBBF4142", "04", "AB"),
    ],
)
def test_a_byte_order_mark(user_data: str, coding: str, text: str) -> None:
    """It's invisible, and a comparison with a text would fail; it's removed."""
    hex_pdu = pdu(user_data, scheme=coding, length=len(user_data) // 2)
    assert decode_deliver(hex_pdu).text == text


@pytest.mark.parametrize(
    ("header", "scheme", "length"),
    [
        ("", "08", 0),
        ("", "00", 0),
        ("01", "08", 1),
        ("0500034D02", "08", 5),
        ("07", "00", 1),
    ],
)
def test_a_header_cut_short(header: str, scheme: str, length: int) -> None:
    """It ends behind the user data."""
    with pytest.raises(PduError, match="^Header cut short$"):
        decode_deliver(pdu("", header=header, scheme=scheme, length=length))


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        ([ucs2("0041"), ucs2("0042")], "AB"),
        ([ucs2("0042"), ucs2("0041")], "BA"),
        ([ucs2("0041D83D"), ucs2("DE000042")], "A😀B"),
        ([ucs2("D83D"), ucs2(""), ucs2("DE00")], "😀"),
        ([ucs2("00"), ucs2("41")], "A"),
        ([gsm7(0x61, 0x1B), gsm7(0x65, 0x62)], "a€b"),
        ([gsm7(0x61, 0x1B), gsm7(0x65, single_language=1)], "a e"),
        ([gsm7(0x61, 0x1B), gsm7(0x65, locking_language=1)], "a e"),
        ([gsm7(0x04), gsm7(0x04, locking_language=1), gsm7(0x04)], "è€è"),
        ([gsm7(0x61), ucs2("044F"), gsm7(0x62)], "aяb"),
        ([ucs2("D83D"), octets(b"a"), ucs2("DE00")], "\ufffda\ufffd"),
        ([octets(b"\xc3"), octets(b"\xa9")], "é"),
        ([octets(b"\xc3"), octets(b"b")], "Ãb"),
    ],
)
def test_parts_are_joined(parts: list[DeliverPdu], text: str) -> None:
    """Before they are read, so that pairs that the sender split are whole."""
    assert join_texts(parts) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (ucs2("D83D"), "\ufffd"),
        (ucs2("D83D0041"), "\ufffdA"),
        (ucs2("DE000041"), "\ufffdA"),
        (ucs2("DE00D83D"), "\ufffd\ufffd"),
        (ucs2("004100"), "A\ufffd"),
        (ucs2("004100000000"), "A"),
        (ucs2("004100000042"), "A\ufffdB"),
        (ucs2("0000"), ""),
        (octets(b"\0a\0"), "\ufffda"),
        (octets(b""), ""),
        (octets("Grüße".encode()), "Grüße"),
        (octets(b"Gr\xfc\xdfe"), "Grüße"),
    ],
)
def test_what_cannot_be_read(message: DeliverPdu, text: str) -> None:
    """U+FFFD stands for it; NULs at the end are padding."""
    assert message.text == text


def test_what_was_received_does_not_show_in_logs() -> None:
    """Neither text nor sender."""
    shown = repr(decode_deliver(pdu("E8329BFD06", length=5)))
    assert "1234567890" not in shown
    assert "hello" not in shown
    assert b"hello".hex() not in shown


@st.composite
def damaged_pdus(draw: st.DrawFn) -> str:
    """Take a PDU and change some of its octets, or its length."""
    octets = bytearray.fromhex(draw(st.sampled_from(PDUS)))
    for _ in range(draw(st.integers(1, 3))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return octets[: draw(st.just(len(octets)) | st.integers(0, len(octets)))].hex()


def decode_or_say_why(hex_pdu: str) -> DeliverPdu | str:
    """Decode a PDU, or return what the error says."""
    try:
        return decode_deliver(hex_pdu)
    except PduError as err:
        return str(err)


@given(
    damaged_pdus()
    | st.binary(max_size=200).map(bytes.hex)
    | st.text()
    | st.text("0123456789abcdefABCDEF")
)
@example("")
def test_nothing_but_a_message_or_a_pdu_error(hex_pdu: str) -> None:
    """Whatever comes: a text that can be stored, or an error that says nothing."""
    message = decode_or_say_why(hex_pdu)
    if not isinstance(message, DeliverPdu):
        assert message in {
            "Not hexadecimal",
            "Cut short",
            "Header cut short",
            "Not an SMS-DELIVER",
            "Sender too long",
            "Compressed",
        }
        return
    assert "\0" not in message.text
    assert message.text == message.text.encode().decode()
    assert message.sent_at is None or message.sent_at.utcoffset() is not None
    if message.concatenation:
        assert 1 <= message.concatenation.sequence <= message.concatenation.total
