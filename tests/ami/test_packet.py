"""The framing of the manager interface: bytes in, packets out, and actions out."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
import json
from pathlib import Path
import re
from time import process_time

from hypothesis import example, given, strategies as st
import pytest

from custom_components.openvox_gsm.ami import (
    InvalidHeaderError,
    ProtocolError,
    packet as packet_module,
)
from custom_components.openvox_gsm.ami.packet import (
    MAX_LINE,
    Packet,
    PacketReader,
    build,
)

DATA = Path(__file__).parent.parent / "data"
END = b"--END COMMAND--\r\n\r\n"
PING = b"Response: Success\r\nActionID: 1\r\nPing: Pong"


def follows(output: bytes, action_id: bytes = b"7") -> bytes:
    """Give the answer to a command up to Asterisk 13, without its empty line."""
    head = (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: " + action_id + b"\r\n"
    )
    return head + output + b"--END COMMAND--"


def wire(*packets: bytes) -> bytes:
    """Give the bytes of packets as they travel."""
    return b"".join(raw + b"\r\n\r\n" for raw in packets)


def cut(chunks: Iterable[bytes], commands: Iterable[str] = ()) -> list[bytes]:
    """Cut chunks into packets while the commands of these ActionIDs wait."""
    reader = PacketReader()
    reader.commands.update(commands)
    return [raw for chunk in chunks for raw in reader.feed(chunk)]


def chunked(data: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    """Split data at some places."""
    for start, end in pairwise([0, *sorted(cuts), len(data)]):
        yield data[start:end]


def single_bytes(data: bytes) -> list[bytes]:
    """Split data into its bytes."""
    return [bytes([byte]) for byte in data]


class Sample:
    """A recorded session: what came back, and the commands it answers."""

    def __init__(self, name: str) -> None:
        """Read the sample; the greeting is no packet and is left out."""
        exchanges = json.loads((DATA / name).read_text())
        self.answers: dict[str, bytes] = {}
        self.commands: list[str] = []
        for exchange in exchanges:
            sent = Packet(exchange["sent"].encode())
            if sent.get("Action") == "Command":
                self.commands.append(sent.get("ActionID"))
            received = exchange["received_latin1"].encode("latin-1")
            self.answers[sent.get("Command") or sent.get("Action")] = received
        self.stream = b"".join(
            exchange["received_latin1"].encode("latin-1") for exchange in exchanges[1:]
        )

    def packets(self) -> list[bytes]:
        """Cut the whole stream at once."""
        return cut([self.stream], self.commands)

    def output(self, command: str) -> str:
        """Read what a command printed."""
        (raw,) = cut([self.answers[command]], self.commands)
        return Packet(raw).output


OLD = Sample("wire-asterisk-1.8.json")
NEW = Sample("wire-asterisk-14-and-later.json")
both = pytest.mark.parametrize(
    "sample", [pytest.param(OLD, id="1.8"), pytest.param(NEW, id="14")]
)


# ---- one packet ----------------------------------------------------------------------


def test_headers_keep_their_order_and_their_repetitions() -> None:
    """A key may come several times; nothing is lost and nothing is sorted."""
    packet = Packet(b"Event: X\r\nVariable: a=1\r\nOther: o\r\nvariable: b=2")
    assert packet.headers == (
        ("Event", "X"),
        ("Variable", "a=1"),
        ("Other", "o"),
        ("variable", "b=2"),
    )
    assert packet.get_all("VARIABLE") == ["a=1", "b=2"]
    assert packet.get("Variable") == "a=1"


def test_case_of_a_name_does_not_matter() -> None:
    """Firmwares write ActionID and Actionid."""
    packet = Packet(PING)
    assert packet.get("actionid") == packet.get("ACTIONID") == "1"
    assert "pInG" in packet
    assert "Pong" not in packet


def test_missing_header_is_empty_or_the_default() -> None:
    """Asking raises no exception."""
    packet = Packet(PING)
    assert packet.get("Message") == ""
    assert packet.get("Message", "none") == "none"
    assert packet.get_all("Message") == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(b"Key: value", "value", id="usual"),
        pytest.param(b"Key:value", "value", id="no blank"),
        pytest.param(b"Key:   value ", "  value ", id="only one blank is syntax"),
        pytest.param(b"Key: a: b:c", "a: b:c", id="colons"),
        pytest.param(b"Key: ", "", id="empty"),
        pytest.param(b"Key:", "", id="empty, no blank"),
        pytest.param(b"Key: a\nB: b\rC: c", "a\nB: b\rC: c", id="bare line ends"),
        pytest.param("Key: é您😀".encode(), "é您😀", id="UTF-8"),
        pytest.param(b"Key: a\xdfb\xff", "a\ufffdb\ufffd", id="undecodable"),
    ],
)
def test_value(line: bytes, value: str) -> None:
    """Only CR LF ends a value, and no byte is too strange for one."""
    packet = Packet(b"Event: X\r\n" + line + b"\r\nLast: 1")
    assert packet.get("key") == value
    assert packet.get("Last") == "1"


def test_line_without_colon_is_no_header() -> None:
    """It is passed over."""
    assert Packet(b"Event: X\r\nnonsense\r\nA: b").headers == (
        ("Event", "X"),
        ("A", "b"),
    )
    assert Packet(b"Event: A\r\nValue\r\nValue: x").get("Value") == "x"


def test_event_has_a_name_and_a_response_has_none() -> None:
    """The two kinds are distinguished."""
    assert Packet(b"Event: Hangup\r\nCause: 16").event == "Hangup"
    assert Packet(PING).event == ""


def test_representation_holds_no_content() -> None:
    """A packet may carry a message, which must not get into a log."""
    packet = Packet(b"Event: VarSet\r\nVariable: SMSTXT\r\nValue: my secret")
    assert repr(packet) == "<Packet Event: VarSet, 49 bytes>"
    assert repr(Packet(b"my secret")) == "<Packet, 9 bytes>"
    assert repr(Packet(b"Hi: my secret")) == "<Packet, 13 bytes>"


# ---- what a command printed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "output"),
    [
        pytest.param(b"one\ntwo\n", "one\ntwo", id="lines"),
        pytest.param(b"one\ntwo", "one\ntwo", id="mark glued to the last line"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\n\none\n\n", "\n\none\n", id="empty lines"),
        pytest.param(b"a\r\n\r\nb\r\n", "a\r\n\r\nb\r", id="line ends of a USSD text"),
        pytest.param(b"\r\n\r\nb\n", "\r\n\r\nb", id="empty lines first"),
        pytest.param(
            b"Event: Hangup\r\n\r\nResponse: Error\r\n\r\n",
            "Event: Hangup\r\n\r\nResponse: Error\r\n\r",
            id="looks like packets",
        ),
        pytest.param(b"ActionID: 8\r\nx\n", "ActionID: 8\r\nx", id="looks like a head"),
        pytest.param(b"Message: a\r\nx\n", "Message: a\r\nx", id="looks like a header"),
        pytest.param(
            b"--END COMMAND--\nmore\n", "--END COMMAND--\nmore", id="mark inside"
        ),
        pytest.param("您\n".encode() + b"\xff\n", "您\n\ufffd", id="UTF-8 and not"),
    ],
)
def test_raw_output(printed: bytes, output: str) -> None:
    """Up to Asterisk 13 anything may stand up to the mark and the empty line."""
    stream = wire(follows(printed), PING)
    for chunks in ([stream], single_bytes(stream)):
        raw, after = cut(chunks, {"7"})
        packet = Packet(raw)
        assert packet.output == output
        assert packet.headers == (
            ("Response", "Follows"),
            ("Privilege", "Command"),
            ("ActionID", "7"),
        )
        assert after == PING


def test_output_headers() -> None:
    """Asterisk 14 and later write one header a line."""
    packet = Packet(
        b"Response: Success\r\nActionID: 7\r\nMessage: Command output follows\r\n"
        b"Output: one:\r\nOutput:   two\r\nOutput: \r\nOutput: four"
    )
    assert packet.output == "one:\n  two\n\nfour"
    assert packet.get("Message") == "Command output follows"


def test_packet_without_output_has_an_empty_one() -> None:
    """So does the answer to any other action."""
    assert Packet(PING).output == ""


@pytest.mark.parametrize(
    "command",
    [
        "gsm show spans",
        "gsm show span 9",
        "gsm show version",
        "gsm show statistics outbound",
        'gsm send sync csms 1 +4915112345678 "part one" 7 2 1 20 msg-7',
        "gsm send ussd 1 *100# 10",
        "no such command",
    ],
)
def test_both_shapes_give_the_same_output(command: str) -> None:
    """Nobody above has to know which Asterisk the gateway has."""
    assert OLD.output(command)
    assert OLD.output(command) == NEW.output(command)


# ---- a stream of packets -------------------------------------------------------------


@both
def test_sample_is_cut_into_its_packets(sample: Sample) -> None:
    """Each answer once, and nothing between them is lost."""
    packets = sample.packets()
    assert wire(*packets) == sample.stream
    assert all(raw.startswith((b"Response: ", b"Event: ")) for raw in packets)
    answered = [Packet(raw).get("ActionID") for raw in packets]
    assert [answered.count(action_id) for action_id in sample.commands] == [1] * len(
        sample.commands
    )


@both
def test_sample_byte_by_byte(sample: Sample) -> None:
    """The worst network gives the same packets."""
    assert cut(single_bytes(sample.stream), sample.commands) == sample.packets()


@both
@given(data=st.data())
def test_sample_in_any_chunks(sample: Sample, data: st.DataObject) -> None:
    """Where the network cuts the stream does not matter."""
    cuts = data.draw(st.lists(st.integers(0, len(sample.stream)), max_size=40))
    chunks = chunked(sample.stream, cuts)
    assert cut(chunks, sample.commands) == sample.packets()


ODD_END = b"Event: CoreShowChannelMapComplete\r\nEventList: Complete\r\nListItems: 2"


@pytest.mark.parametrize("after", [b"", PING, b"Event: X", b"Response: Success"])
def test_a_packet_that_ends_in_a_bare_line_feed(after: bytes) -> None:
    """Asterisk 18.19 and 20.4 on end one list so; it's there at once, and ends there."""
    stream = ODD_END + b"\r\n\n" + (after and wire(after))
    packets = [ODD_END, *([after] if after else [])]
    assert cut([stream]) == packets
    assert cut(single_bytes(stream)) == packets


@pytest.mark.parametrize("event", ["VarSet", "Newexten", "UserEvent"])
def test_such_an_end_in_a_text_ends_no_packet(event: str) -> None:
    """An SMS may hold it."""
    raw = f"Event: {event}\r\nValue: a\r\n\nb\r\nUniqueid: 1.1".encode()
    assert cut([wire(raw, PING)]) == [raw, PING]
    raw = follows(b"a\r\n\nb\n")
    assert cut([wire(raw, PING)], {"7"}) == [raw, PING]


def test_an_action_id_that_is_not_text() -> None:
    """It's nobody's, and does no harm."""
    raw = follows(b"x\n", b"\xff7")
    assert cut([wire(raw, PING)], {"7"}) == [raw, PING]
    # A forged end must not be found behind it.
    forged = wire(b"Response: Follows\r\nActionID: \xff\r\nx", PING)
    assert cut([forged], {"7"})[-1] == PING


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            b"\r",
            b"\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\r\n\n",
            b"Event: VarSet\r\n",
            b"Response: Follows\r\n",
            b"Privilege: Command\r\n",
            b"ActionID: 7\r\n",
            b"ActionID: 8\r\n",
            b"Event: X\r\n",
            b"Output: y\r\n",
            b"--END COMMAND--",
            b"Key",
            b": ",
            b"\0\xff",
        ]
    )
    | st.binary(max_size=8),
    max_size=30,
)


@given(fragments=FRAGMENTS)
@example(fragments=[follows(b"\r\n"), b"\r\n\r\n"])
def test_any_bytes_in_any_chunks(fragments: list[bytes]) -> None:
    """Whatever comes is cut the same in any chunks, and can be looked at."""
    stream = b"".join(fragments)
    at_once = cut([stream], {"7"})
    assert cut(fragments, {"7"}) == cut(single_bytes(stream), {"7"}) == at_once
    for raw in at_once:
        assert raw
        assert raw in stream
        packet = Packet(raw)
        assert all(packet.get(key) is not None for key, _ in packet.headers)
        assert isinstance(packet.output, str)
        assert isinstance(repr(packet), str)


@given(
    fragments=st.lists(st.binary(max_size=40) | st.just(b"\r\n\r\n"), max_size=20),
    commands=st.sets(st.just("7")),
)
def test_only_a_protocol_error_comes_of_any_bytes(
    fragments: list[bytes], commands: set[str]
) -> None:
    """A limit is the only thing that bytes can offend against."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(packet_module, "MAX_PACKET", 60)
        try:
            packets = cut(fragments, commands)
        except ProtocolError:
            return
    assert all(len(raw) <= 60 for raw in packets)


@pytest.mark.parametrize("empty", [b"\r\n", b"\r\n\r\n", b"\r\n" * 5])
def test_empty_lines_between_packets_are_ignored(empty: bytes) -> None:
    """They must not hide what the next packet is."""
    stream = empty + wire(PING) + empty + wire(b"Event: Hangup") + empty
    expected = [PING, b"Event: Hangup"]
    assert cut([stream]) == cut(single_bytes(stream)) == expected


def test_reading_may_stop_between_two_packets() -> None:
    """What was not taken yet is not lost."""
    reader = PacketReader()
    assert next(reader.feed(wire(b"A: 1", b"A: 2") + b"A: 3")) == b"A: 1"
    assert list(reader.feed(b"\r\n\r\n")) == [b"A: 2", b"A: 3"]


# ---- forged raw output ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "commands"),
    [
        pytest.param(b"Response: Follows\r\nActionID: 7\r\n", set(), id="no command"),
        pytest.param(b"Response: Follows\r\n", {"7"}, id="no ActionID"),
        pytest.param(b"Response: Follows\r\nActionID: 8\r\n", {"7"}, id="another's"),
        pytest.param(
            b"Response: Follows\r\nX: y\r\nActionID: 7\r\n", {"7"}, id="odd head"
        ),
    ],
)
def test_forged_head_swallows_nothing(head: bytes, commands: set[str]) -> None:
    """An SMS may hold such a head; what follows it must still be seen."""
    hangup = b"Event: Hangup\r\nCause: 16"
    stream = wire(head + b"text", hangup, follows(b"x\n"))
    for chunks in ([stream], single_bytes(stream)):
        assert cut(chunks, commands)[:2] == [head + b"text", hangup]


def test_forged_head_before_a_command_does_not_wait_for_its_answer() -> None:
    """Half a forged packet is there when the command goes out."""
    reader = PacketReader()
    forged = b"Response: Follows\r\nPrivilege: Command\r\nValue: x"
    assert list(reader.feed(forged)) == []
    reader.commands.add("7")
    answer = follows(b"one\n")
    assert list(reader.feed(b"\r\n\r\n" + wire(answer))) == [forged, answer]


def test_packet_with_a_forged_mark_is_an_ordinary_one() -> None:
    """The mark alone makes no output."""
    raw = b"Response: Success\r\nMessage: x--END COMMAND--"
    assert Packet(raw).output == ""
    assert Packet(raw).get("Message") == "x--END COMMAND--"


def test_answer_that_ends_without_mark_is_an_ordinary_packet() -> None:
    """So it is with an answer that nobody waited for."""
    raw = b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nA: b"
    assert Packet(raw).output == ""
    assert Packet(raw).get("A") == "b"


# ---- the limit -----------------------------------------------------------------------


def test_limit_is_a_quarter_of_a_mebibyte() -> None:
    """Far above any honest packet, and read in a moment on any machine."""
    reader = PacketReader()
    chunk = b"x" * 65536
    for _ in range(4):
        assert list(reader.feed(chunk)) == []
    with pytest.raises(ProtocolError, match="more than 262144 bytes"):
        list(reader.feed(chunk))
    # Nothing of it is kept: the error, and with it the reader, may live for days.
    assert list(reader.feed(PING + b"\r\n\r\n")) == [PING]


@pytest.mark.parametrize("commands", [set(), {"7"}])
@pytest.mark.parametrize("chunks", [lambda stream: [stream], single_bytes])
def test_limit_is_exact(
    chunks: Callable[[bytes], list[bytes]],
    commands: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A packet of just the limit passes, one byte more does not, in any chunks."""
    most = follows(b"x" * 100)
    monkeypatch.setattr(packet_module, "MAX_PACKET", len(most))
    assert cut(chunks(wire(most, PING)), commands) == [most, PING]

    reader = PacketReader()
    reader.commands.update(commands)
    seen: list[bytes] = []
    stream = wire(PING, follows(b"x" * 101), PING)
    with pytest.raises(ProtocolError):
        seen.extend(raw for chunk in chunks(stream) for raw in reader.feed(chunk))
    assert seen == [PING]


def test_packets_before_one_that_is_refused_come_first() -> None:
    """They were complete, so they count."""
    reader = PacketReader()
    packets = reader.feed(wire(PING) + b"x" * 1_048_580)
    assert next(packets) == PING
    with pytest.raises(ProtocolError):
        next(packets)


# ---- actions -------------------------------------------------------------------------


def test_build() -> None:
    """An action is lines and an empty line."""
    data = build([("Action", "Ping"), ("ActionID", "1"), ("Empty", "")])
    assert data == b"Action: Ping\r\nActionID: 1\r\nEmpty: \r\n\r\n"


def test_build_keeps_repeated_headers_and_their_order() -> None:
    """Originate takes several variables."""
    data = build([("Variable", "a=1"), ("Variable", "b=2")])
    assert data == b"Variable: a=1\r\nVariable: b=2\r\n\r\n"


def test_build_writes_utf8_and_surrogates_as_three_bytes_each() -> None:
    """The gateway takes an emoji in the latter form only."""
    assert build([("A", "é您")]) == "A: é您\r\n\r\n".encode()
    assert build([("A", "\ud83d\ude00")]) == b"A: \xed\xa0\xbd\xed\xb8\x80\r\n\r\n"


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("where", ["{}x", "x{}", "x{}Action: Originate"])
def test_build_lets_nothing_be_injected(character: str, where: str) -> None:
    """What ends a line or a C string cannot get into a key or a value."""
    text = where.format(character)
    with pytest.raises(InvalidHeaderError, match="value of Key"):
        build([("Key", text)])
    with pytest.raises(InvalidHeaderError, match="name"):
        build([(text, "value")])


@pytest.mark.parametrize("key", ["", "Action: Originate", ":"])
def test_build_refuses_what_is_no_key(key: str) -> None:
    """A colon in it would make it another key."""
    with pytest.raises(InvalidHeaderError, match="name"):
        build([(key, "value")])


def test_build_refuses_what_asterisk_would_lose() -> None:
    """A line has 1,022 bytes at most; its bytes count, not its characters."""
    longest = "x" * (MAX_LINE - len("Key: "))
    assert build([("Key", longest)]) == f"Key: {longest}\r\n\r\n".encode()
    for value in (longest + "x", "é" * 600):
        with pytest.raises(InvalidHeaderError, match="at most 1022"):
            build([("Key", value)])


def test_refusal_does_not_repeat_the_value() -> None:
    """It may be a password or a message."""
    for value in ("hush\n", "hush" * 300):
        with pytest.raises(InvalidHeaderError) as info:
            build([("Key", value)])
        assert "hush" not in str(info.value)


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_what_is_built_is_read_back(headers: list[tuple[str, str]]) -> None:
    """Either it is refused, or it arrives as it was meant, and alone."""
    try:
        data = build([("Action", "X"), *headers])
    except InvalidHeaderError:
        return
    (raw,) = cut([data])
    assert Packet(raw).headers == (("Action", "X"), *headers)


_MARKED = re.compile(rb"MARK/|Event: Wanted\r\n")


@given(
    st.lists(
        st.sampled_from([b"MARK/", b"Event: Wanted", b"MAR", b"K/", b"x", b"\r\n"])
    ),
    st.integers(min_value=1, max_value=40),
)
@example([b"MARK/", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"x"], 3)
def test_only_what_is_wanted_comes_out(pieces: list[bytes], size: int) -> None:
    """The same as picking from all packets, however the bytes are cut."""
    data = b"".join(pieces) + b"\r\n\r\n"
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    reader = PacketReader(lambda: _MARKED)
    came = [raw for chunk in chunks for raw in reader.feed(chunk)]
    assert came == [raw for raw in cut([data]) if _MARKED.search(raw + b"\r\n")]


def test_what_is_wanted_may_change_after_each_packet() -> None:
    """A packet that a text has torn goes on in one that nothing marks."""
    everything = False
    reader = PacketReader(lambda: None if everything else _MARKED)
    data = wire(b"foreign 1", b"MARK/ torn", b"rest", b"foreign 2", b"MARK/ 2")
    came = []
    for raw in reader.feed(data):
        came.append(raw)
        everything = raw == b"MARK/ torn"
    assert came == [b"MARK/ torn", b"rest", b"MARK/ 2"]


def test_endless_packet_is_refused_though_nobody_wants_it() -> None:
    """It would fill the memory all the same."""
    reader = PacketReader(lambda: _MARKED)
    for _ in range(4):
        assert not list(reader.feed(b"x" * 65536))
    with pytest.raises(ProtocolError):
        list(reader.feed(b"x" * 65536))


# Torn packets


class Counted:
    """A pattern that counts the bytes it's given to search."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        """Search for a pattern."""
        self.pattern = pattern.pattern
        self.searched = 0
        self._pattern = pattern

    def search(self, data: bytearray, begin: int) -> re.Match[bytes] | None:
        """Search from a place on."""
        found = self._pattern.search(data, begin)
        self.searched += (found.end() if found else len(data)) - begin
        return found


@pytest.mark.parametrize("mark_at", [0, 50_000, None])
def test_a_torn_packet_is_searched_once(mark_at: int | None) -> None:
    """However small its pieces are, and wherever the wanted mark stands in it."""
    wanted = Counted(re.compile(b"MARK"))
    reader = PacketReader(lambda: wanted)  # type: ignore[arg-type,return-value]
    packet = bytearray(b"x" * 100_000)
    if mark_at is not None:
        packet[mark_at : mark_at + 4] = b"MARK"

    first = mark_at + 4 if mark_at else 50
    assert list(reader.feed(bytes(packet[:first]))) == []
    for begin in range(first, len(packet), 50):
        assert list(reader.feed(bytes(packet[begin : begin + 50]))) == []

    assert wanted.searched < 2 * len(packet)
    assert list(reader.feed(b"\r\n\r\n")) == (
        [] if mark_at is None else [bytes(packet)]
    )


@pytest.mark.parametrize("head", [b"ActionID: ", b"Privilege: "])
def test_a_head_without_end_is_not_read_again_and_again(head: bytes) -> None:
    """The head of a command's output is short; each piece costs only itself."""
    reader = PacketReader()
    reader.commands.add("7")
    begun = process_time()
    for piece in [b"Response: Follows\r\n" + head, *(20_000 * [12 * b"a"])]:
        assert list(reader.feed(piece)) == []
    assert process_time() - begun < 1  # with all of it, several seconds
