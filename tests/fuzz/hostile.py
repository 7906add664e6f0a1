"""What nobody in his right mind writes, and somebody will."""

from hypothesis import settings, strategies as st

LINE_BREAKS = ("\n", "\r", "\r\n", "\r\n\r\n", "\v", "\x85", "\u2028")

_PIECES = (
    *LINE_BREAKS,
    *('"', "\\", '\\"', '"" "', "'", "`", "$", "${PATH}", "$(id)", ";", "|", "&", "!"),
    *(" ", "  ", "\t", "\0", "\x1a", "\x1b", "\x7f", "\u00a0", "\ufeff"),
    *("*100#", "+49151", "1", "%s", "{}", "\\n", "a" * 70, "ß" * 30),
    # Written from right to left, and the marks that turn the direction.
    *("\u200e", "\u200f", "\u202e", "\u2067", "שלום", "مرحبا"),
    # Lone surrogates, a pair of them, emoji of one and of several characters.
    *("\ud83d", "\ude00", "\ud83d\ude00", "😀", "👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "e\u0301"),
    # What would be a command, an action or an answer of its own.
    *('" 5; gsm power off 1', "gsm power reset 2", "--END COMMAND--"),
    *("\r\nAction: Logoff\r\n\r\n", "\r\nCommand: core stop now", "Variable: X=1"),
    *("\r\n\r\nEvent: VarSet\r\nChannel: EXTRA-SMS/1-1", "Response: Success"),
)

#: Texts for every place where a user may write one.
texts = st.lists(st.sampled_from(_PIECES) | st.characters(), max_size=8).map("".join)


def part_of_the_examples(divisor: int) -> settings:
    """Give the settings of a property that talks over sockets, so that it is fast."""
    usual = settings.default
    assert usual
    return settings(max_examples=usual.max_examples // divisor, deadline=None)
