"""What is sent: numbers, alphabets and parts."""

from itertools import pairwise
import re

from hypothesis import given, strategies as st
import pytest

from custom_components.openvox_gsm.gateway.sending.text import (
    MAX_PARTS,
    Alphabet,
    InvalidTextError,
    OutgoingText,
    split_text,
)

NO_BREAK_BLANK = "\u00a0"
WORD_JOINER = "\u2060"


def send(text: str, *, line_breaks: bool = False) -> OutgoingText:
    """Compose for the older firmware unless told otherwise."""
    return split_text(text, line_breaks=line_breaks)


def gsm7(*parts: str) -> OutgoingText:
    """Expect parts in GSM 7-bit."""
    return OutgoingText(Alphabet.GSM7, parts)


def ucs2(*parts: str) -> OutgoingText:
    """Expect parts in UCS-2."""
    return OutgoingText(Alphabet.UCS2, parts)


def septets(part: str) -> int:
    """Count septets."""
    return sum(2 if character in "^{}\\[]~|" else 1 for character in part)


def short(value: object) -> str:
    """Name a test after the beginning of what it is about."""
    return ascii(value)[:24]


def as_characters(part: str) -> str:
    """Turn surrogates back into the characters that they stand for."""
    return part.encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Heating is on, 21.5 C.", gsm7("Heating is on, 21.5 C.")),
        ("a", gsm7("a")),
        (" a ", gsm7(" a ")),
        ("a\tb", gsm7("a b")),
        ("`ls` it's", gsm7("'ls' it's")),
        ("`ls` für", ucs2("`ls` für")),
        ("^{}\\[]~|@$_", gsm7("^{}\\[]~|@$_")),
        ("é", ucs2("é")),
        ("3 €", ucs2("3 €")),
        ("a\u00a0b", ucs2("a\u00a0b")),
        ("Привет, 您好", ucs2("Привет, 您好")),
        ("🚪 open", ucs2("\ud83d\udeaa open")),
    ],
)
def test_short_texts_are_one_part(text: str, sent: OutgoingText) -> None:
    """Pure ASCII is GSM 7-bit, anything else UCS-2."""
    assert send(text) == sent


@pytest.mark.parametrize(
    "line_break", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"]
)
def test_line_breaks(line_break: str) -> None:
    r"""A blank, or \n where the firmware reads it so."""
    text = f"a{line_break}b"
    assert send(text) == gsm7("a b")
    assert send(text, line_breaks=True) == gsm7(r"a\nb")
    assert send(f"a{line_break}{line_break}é", line_breaks=True) == ucs2(r"a\n\né")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The text is empty"),
        ("  \t", "The text is only whitespace"),
        ("\r\n\n", "The text is only whitespace"),
        ("\u00a0\u3000", "The text is only whitespace"),
        ("secret\0", r"The text contains U\+0000"),
        ("secret\x07", r"The text contains U\+0007"),
        ("secret\x1b[1m", r"The text contains U\+001B"),
        ("secret\x1fé", r"The text contains U\+001F"),
        ("secret\x7f", r"The text contains U\+007F"),
        ("secret\x9f", r"The text contains U\+009F"),
        ("secret\ud800", r"The text contains U\+D800"),
        ("secret\udfffs", r"The text contains U\+DFFF"),
        ("x" * (10 * 152 + 1), "The text takes more than 10 SMS"),
        ("я" * (10 * 67 + 1), "The text takes more than 10 SMS"),
        ("x" * 1_000_000, "The text takes more than 10 SMS"),
        # Not even looked at: that takes seconds where someone sends millions.
        ("\r\n" * 2000 + "x\0", "The text takes more than 10 SMS"),
    ],
    ids=short,
)
@pytest.mark.parametrize("line_breaks", [False, True])
def test_what_cannot_be_sent(text: str, reason: str, line_breaks: bool) -> None:
    """The error says why, and never repeats the text."""
    with pytest.raises(InvalidTextError, match=f"^{reason}$"):
        send(text, line_breaks=line_breaks)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("x" * 160, [160]),
        ("x" * 161, [152, 9]),
        ("x" * 304, [152, 152]),
        ("x" * 305, [152, 152, 1]),
        ("x" * 1520, [152] * 10),
        ("{" * 80, [80]),
        ("{" * 81, [76, 5]),
        ("{" * 80 + "x", [76, 5]),
        ("x" + "{" * 80, [76, 5]),
        ("x" * 151 + "{" + "x" * 9, [151, 10]),
        ("я" * 70, [70]),
        ("я" * 71, [67, 4]),
        ("я" * 670, [67] * 10),
        ("😀" * 35, [70]),
        ("😀" * 36, [66, 6]),
        ("я" * 66 + "😀" + "я" * 3, [66, 5]),
        ("я" * 65 + "😀" + "я" * 4, [67, 4]),
    ],
    ids=short,
)
def test_limits(text: str, lengths: list[int]) -> None:
    """160 septets or 70 units in one, 152 or 67 in each of several."""
    sent = send(text)
    assert [len(part) for part in sent.parts] == lengths
    assert as_characters("".join(sent.parts)) == text


@pytest.mark.parametrize(
    ("before", "lengths"),
    [(148, [151, 19]), (149, [151, 20]), (150, [150, 21]), (151, [151, 20])],
)
def test_a_line_break_is_never_split_in_gsm7(before: int, lengths: list[int]) -> None:
    r"""The two characters \n are three septets."""
    text = "x" * before + "\n" + "x" * (lengths[0] + lengths[1] - before - 2)
    sent = send(text, line_breaks=True)
    assert [len(part) for part in sent.parts] == lengths
    assert sum(part.count(r"\n") for part in sent.parts) == 1


@pytest.mark.parametrize(("before", "first"), [(64, 67), (65, 67), (66, 66), (67, 67)])
def test_a_line_break_is_never_split_in_ucs2(before: int, first: int) -> None:
    r"""The two characters \n are two units."""
    sent = send("я" * before + "\n" + "я" * 10, line_breaks=True)
    assert len(sent.parts[0]) == first
    assert "".join(sent.parts) == "я" * before + r"\n" + "я" * 10


def test_an_ascii_part_among_others_gets_a_no_break_blank() -> None:
    """Its first blank will do."""
    text = "я" * 67 + "one two three"
    assert send(text) == ucs2("я" * 67, f"one{NO_BREAK_BLANK}two three")


def test_an_ascii_part_in_front_gets_one_too() -> None:
    """Wherever it stands."""
    text = "x" * 60 + " and so on" + "я"
    assert send(text) == ucs2("x" * 60 + NO_BREAK_BLANK + "and so", " on" + "я")


def test_a_last_part_without_blanks_gets_one_at_its_end() -> None:
    """Where it stands in nobody's way."""
    assert send("я" * 67 + "x" * 66) == ucs2("я" * 67, "x" * 66 + NO_BREAK_BLANK)


def test_a_long_word_stays_whole_if_the_cut_can_move() -> None:
    """A link of three parts begins with the blank in front of it."""
    link = "https://example.org/" + "x" * 100
    assert send(f"Тревога в доме: {link}") == ucs2(
        "Тревога в доме:",
        f"{NO_BREAK_BLANK}{link[:66]}",
        f"{link[66:]}{NO_BREAK_BLANK}",
    )


def test_the_cut_moves_to_a_character_beyond_ascii_too() -> None:
    """Surrogate pairs included, which stay whole."""
    assert send("я" * 60 + "😀" + "x" * 5 + "x" * 67) == ucs2(
        "я" * 60, "\ud83d\ude00" + "x" * 65, "x" * 7 + NO_BREAK_BLANK
    )


def test_the_cut_does_not_move_where_that_helps_nobody() -> None:
    """The part in front would itself be left without a mark."""
    text = "x" * 60 + "я" + "x" * 6 + "x" * 80
    assert send(text) == ucs2(
        text[:67], text[67:133] + WORD_JOINER, text[133:] + NO_BREAK_BLANK
    )


def test_the_last_resort_is_invisible() -> None:
    """A word that is longer than a part, and nothing around it."""
    text = "x" * 140 + " я"
    assert send(text) == ucs2(
        "x" * 66 + WORD_JOINER, "x" * 66 + WORD_JOINER, "x" * 8 + " я"
    )


def test_a_last_part_that_is_full_makes_room_for_its_mark() -> None:
    """67 units and a mark are too many for one part."""
    assert send("я" * 67 + "x" * 67) == ucs2(
        "я" * 66, "я" + "x" * 66, "x" + NO_BREAK_BLANK
    )


def test_the_cut_does_not_move_for_a_last_part_with_room() -> None:
    """66 units and a blank at the end fit."""
    text = "я" * 60 + " " + "x" * 6 + "x" * 66
    assert send(text) == ucs2(text[:67], text[67:] + NO_BREAK_BLANK)


def test_what_is_sent_does_not_show_in_logs() -> None:
    """Nor does it in a traceback that prints locals."""
    assert "secret" not in repr(send("secret"))


texts = st.lists(
    st.text(max_size=30)
    | st.text("abc xyz`\\n", max_size=80)
    | st.sampled_from(["x" * 67, "y" * 140, "я" * 30, "😀" * 12, "{|" * 20, "\n\\n "]),
    max_size=9,
).map("".join)


@given(texts, st.booleans())
def test_parts_add_up_to_the_text(text: str, line_breaks: bool) -> None:
    """Short enough, in one alphabet, and nothing lost, whatever the text."""
    try:
        sent = send(text, line_breaks=line_breaks)
    except InvalidTextError:
        return

    several = len(sent.parts) > 1
    assert len(sent.parts) <= MAX_PARTS
    assert all(sent.parts)
    expected = re.sub(
        r"\r\n|[\n\v\f\r\x85\u2028\u2029]", r"\\n" if line_breaks else " ", text
    ).replace("\t", " ")
    if sent.alphabet is Alphabet.GSM7:
        assert all(part.isascii() for part in sent.parts)
        assert max(map(septets, sent.parts)) <= (152 if several else 160)
        assert "".join(sent.parts) == expected.replace("`", "'")
        return
    assert not any(part.isascii() for part in sent.parts)
    assert max(map(len, sent.parts)) <= (67 if several else 70)
    for part, following in pairwise(sent.parts):
        assert not (part.endswith("\\") and following.startswith("n"))

    def plain(characters: str) -> str:
        return characters.replace(NO_BREAK_BLANK, " ").replace(WORD_JOINER, "")

    # Each part by itself is whole characters: no surrogate pair is split.
    arrived = plain("".join(map(as_characters, sent.parts)))
    assert arrived in (plain(expected), plain(expected) + " ")
