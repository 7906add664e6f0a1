"""SMS on the boxes sold since about 2016: other variables, in any order, other steps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import permutations
import re

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.gateway.receiving.inbox import (
    LONGEST_STALL,
    MESSAGE_TIMEOUT,
    SETTLE_TIME,
)

from .test_inbox import (
    ALL,
    ATTACKER,
    BOTH_DIALECTS,
    FOREIGN,
    GUESSED,
    HARMLESS,
    HOSTILE,
    ME,
    NEIGHBOURS,
    NEIGHBOURS_TOLD,
    NEWEXTEN,
    ORDERS,
    PROCESS,
    VARSET,
    VICTIM,
    Bench,
    Dialect,
    Sms,
    as_long_as_fits,
    bench,
    deliver_pdu,
    fits_into_pdu,
    forged_end,
    forged_newexten,
    forged_varset,
    fragments,
    hostile_sms,
    sms_with_pdu,
    without_blank_lines,
)

__all__ = ["bench"]  # the fixture

AS_IN_2013 = ("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS")
TODAY = ("SIMIMSI", "SMSC", "SMSORITXT", *AS_IN_2013)
TEXT_FIRST = ("SMSORITXT", "SMSTXT", "SMSPDU", "SMSC", "SMSSRC", "SMSTIME", "SMSTZ")

LUA = (
    'cd /my_tools/lua/sms_receive/ && lua sms_receive.lua "{span}" "{sender}" "{time}" '
    '"{text}" "{centre}" > /dev/null 2>&1 &'
)
REDIS = (
    "cd /my_tools/lua/sms_routing && lua dialplan2redis.lua "
    '"{span}" "{text}" > /dev/null 2>&1 &'
)
SLAVE = (
    '/my_tools/process_slavesms "1" "2" "{span}" "{sender}" "{time}" "{text}" '
    "> /dev/null 2>&1 &"
)
HTTP = (
    ("NoOp", "SMS CURL"),
    ("Set", "phonenumber={sender}"),
    ("Set", "message={text}"),
    ("System", "wget -q -O /dev/null http://192.0.2.1/sms > /dev/null 2>&1 &"),
)
RECEIVED = (("System", LUA), ("System", REDIS))
DIALPLANS = {
    "first board": RECEIVED,
    "further board": (("System", SLAVE),),
    "first board and HTTP": (*HTTP, *RECEIVED),
    "further board and HTTP": (*HTTP, ("System", SLAVE)),
}
EACH_DIALPLAN = pytest.mark.parametrize(
    "steps", [pytest.param(steps, id=name) for name, steps in DIALPLANS.items()]
)


@dataclass(frozen=True)
class SmsToday(Sms):
    """An SMS as a box of today hands it to Asterisk; the driver escapes nothing."""

    order: tuple[str, ...] = TODAY
    steps: tuple[tuple[str, str], ...] = RECEIVED
    driver_escapes: bool = False

    def events(self, dialect: Dialect, sources: Iterable[str] = ALL) -> Iterator[bytes]:
        """Yield what a session sees of this SMS."""
        values = {
            "SIMIMSI": b"460021180590487",
            "SMSC": b"+8613800755500",
            "SMSORITXT": self.text,
            "SMSSRC": self.sender,
            "SMSTXT": self.text,
            "SMSPDU": self.pdu.encode(),
            "SMSTIME": self.time.encode(),
            "SMSTZ": self.zone.encode(),
            "DIALSTATUS": b"SMS_END",
        }
        if VARSET in sources:
            for name in self.order:
                yield self.varset(dialect, name, values[name])
        if NEWEXTEN in sources:
            steps = (("NoOp", "SMS In"), *self.steps, ("Hangup", ""))
            for priority, (application, data) in enumerate(steps, 1):
                filled = data.encode()
                for name, value in (
                    (b"{span}", str(self.span).encode()),
                    (b"{sender}", self.sender),
                    (b"{time}", self.time.encode()),
                    (b"{centre}", b"+8613800755500"),
                    (b"{text}", self.text),
                ):
                    filled = filled.replace(name, value)
                yield self.step(dialect, priority, application, filled)


def today(sms: Sms, **traits: object) -> SmsToday:
    """Make the same SMS come in on a box of today."""
    values = {field.name: getattr(sms, field.name) for field in fields(Sms)}
    return SmsToday(**values | {"driver_escapes": False} | traits)  # type: ignore[arg-type]


def attack(
    mine: Sms,
    dialect: Dialect,
    sources: tuple[str, ...],
    interleaving: str,
    *,
    with_pdu: bool,
    shown: tuple[str, ...] | None = None,
    **traits: object,
) -> list[tuple[int, str, str]]:
    """Send an SMS among others, which must arrive; return what else is reported."""
    bench = Bench()
    bench.inbox.learn_steps(shown)
    others = [today(sms, **traits) for sms in NEIGHBOURS]
    if not with_pdu:
        others = [replace(sms, pdu="") for sms in others]
    bench.feed(
        ORDERS[interleaving](
            list(today(mine, **traits).events(dialect, sources)),
            [list(sms.events(dialect, sources)) for sms in others],
        )
    )
    bench.settle()
    told = list(bench.told)
    if interleaving != "alone":
        for each in NEIGHBOURS_TOLD:
            assert each in told
            told.remove(each)
    assert not bench.clock.running
    return told


# Variables


@BOTH_DIALECTS
@pytest.mark.parametrize("order", permutations(TODAY[1:4] + AS_IN_2013[1:3]), ids=str)
def test_variables_in_any_order(order: tuple[str, ...], dialect: Dialect) -> None:
    """Four messages half a second apart, which are the parts of long ones, say."""
    bench = Bench()
    for number in range(4):
        sms = sms_with_pdu(f"text {number}", uniqueid=f"1795400805.{number}")
        names = (*order, "SMSTIME", "SMSTZ", "DIALSTATUS")
        bench.feed(today(sms, order=names).events(dialect, (VARSET,)))
        bench.clock.let_pass(0.5)

    assert [text for _, _, text in bench.told] == [f"text {n}" for n in range(4)]


@BOTH_DIALECTS
@pytest.mark.parametrize("order", [TODAY, TEXT_FIRST, AS_IN_2013], ids=str)
@pytest.mark.parametrize("with_pdu", [True, False])
@EACH_DIALPLAN
def test_many_at_once(
    order: tuple[str, ...],
    with_pdu: bool,
    steps: tuple[tuple[str, str], ...],
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """On several spans and on one, their events mixed; nothing is called a forgery."""
    bench = Bench()
    all_sms = [
        sms_with_pdu(f"text {n}", f"+49{n}", span=span, uniqueid=f"1795400805.{n}")
        for n, span in enumerate((1, 2, 2, 3, 3, 3, 44))
    ]
    if not with_pdu:
        all_sms = [replace(sms, pdu="") for sms in all_sms]
    bench.feed(
        *(today(sms, order=order, steps=steps).events(dialect) for sms in all_sms)
    )
    bench.settle()

    assert sorted(bench.told) == [
        (sms.span, f"+49{n}", f"text {n}") for n, sms in enumerate(all_sms)
    ]
    assert caplog.records == []


@BOTH_DIALECTS
def test_a_session_that_begins_in_the_middle_of_a_message(
    bench: Bench, dialect: Dialect
) -> None:
    """What is there of the first one counts, and the others come as ever."""
    first, second, third = (
        today(sms_with_pdu(f"text {n}", uniqueid=f"1795400805.{n}")) for n in range(3)
    )
    bench.feed(list(first.events(dialect))[4:])
    bench.feed(second.events(dialect))
    bench.clock.let_pass(0.5)
    bench.feed(third.events(dialect))
    bench.settle()

    assert [text for _, _, text in bench.told] == [f"text {n}" for n in range(3)]


@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
@pytest.mark.parametrize("text", ["hello", "a\r\n\r\nb", 'say "hi"', "C:\\", "`é`"])
def test_the_original_text_is_enough(
    bench: Bench, with_pdu: bool, text: str, dialect: Dialect
) -> None:
    """SMSORITXT is the text as it was; SMSTXT need not be there."""
    sms = hostile_sms(text, with_pdu=with_pdu)
    order = tuple(name for name in TODAY if name != "SMSTXT")
    bench.feed(today(sms, order=order).events(dialect, (VARSET,)))
    bench.settle()

    assert bench.told == [(2, ATTACKER, text)]


@BOTH_DIALECTS
def test_a_sender_that_comes_after_the_pdu(bench: Bench, dialect: Dialect) -> None:
    """It's waited for, as the PDU doesn't count if it has another one."""
    sms = replace(sms_with_pdu("hello", "+491"), pdu=deliver_pdu("+492", "hello"))
    order = ("SIMIMSI", "SMSORITXT", "SMSPDU", "SMSSRC", "SMSTIME", "SMSTZ")
    bench.feed(today(sms, order=order).events(dialect, (VARSET,)))
    bench.settle()

    assert bench.told == [(2, "+491", "hello")]


@BOTH_DIALECTS
def test_the_original_text_alone(bench: Bench, dialect: Dialect) -> None:
    """Of the sender nothing is known, then."""
    bench.feed(today(Sms(), order=("SMSORITXT",)).events(dialect, (VARSET,)))
    bench.settle()

    assert bench.told == [(2, "", "hello")]


@BOTH_DIALECTS
def test_a_variable_that_nobody_knows(bench: Bench, dialect: Dialect) -> None:
    """It may come first, and may hold the text."""
    for number in range(3):
        sms = today(hostile_sms("one\r\n\r\ntwo", with_pdu=True))
        sms = replace(sms, uniqueid=f"1795400805.{number}", time=f"{number}")
        pdu = deliver_pdu(ATTACKER, "one\r\n\r\ntwo", minute=number)
        sms = replace(sms, pdu=pdu)
        bench.feed([sms.varset(dialect, "SMSNEW", sms.text)], [])
        bench.feed(sms.events(dialect))
    bench.settle()

    assert bench.told == [(2, ATTACKER, "one\r\n\r\ntwo")] * 3


# Steps


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "text",
    ["hello", "", 'say "hi"', "C:\\", "one\r\ntwo", "one\r\n\r\ntwo", "+49", "Ваш б."],
)
@EACH_DIALPLAN
@pytest.mark.parametrize("sources", [(NEWEXTEN,), ALL], ids=str)
def test_steps(
    text: str,
    steps: tuple[tuple[str, str], ...],
    sources: tuple[str, ...],
    dialect: Dialect,
) -> None:
    """They are enough, and together with the variables they make one message."""
    bench = Bench()
    sms = replace(ME, text=text.encode())
    bench.feed(today(sms, steps=steps).events(dialect, sources))
    bench.settle()

    assert bench.told == [(2, ATTACKER, text)]


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "text", ['a" "b', '" "+491" "x', '" > /dev/null', 'x" "+8613800755500" "y']
)
def test_a_text_with_quotes_where_the_dialplan_is_known(
    bench: Bench, text: str, dialect: Dialect
) -> None:
    """It shows how many arguments come after the text."""
    bench.inbox.learn_steps(shown_as(RECEIVED))
    sms = replace(ME, text=text.encode())
    bench.feed(today(sms).events(dialect, (NEWEXTEN,)))
    bench.settle()

    assert bench.told == [(2, ATTACKER, text)]


@EACH_DIALPLAN
@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in (HARMLESS | HOSTILE).items()]
)
def test_hostile_texts_in_steps_where_the_dialplan_is_known(
    text: str, steps: tuple[tuple[str, str], ...]
) -> None:
    """Its first step holds no text, so from there on the message's Uniqueid is certain."""
    mine = hostile_sms(text, with_pdu=False)

    for order in ORDERS:
        told = attack(
            mine,
            Dialect.EARLY,
            (NEWEXTEN,),
            order,
            with_pdu=False,
            shown=shown_as(steps),
            steps=steps,
        )
        assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


def shown_as(steps: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Write the steps as ``dialplan show`` prints them."""
    return tuple(
        f"{application}({data})".replace("{span}", "2")
        .replace("{sender}", "${SMSSRC}")
        .replace("{time}", "${SMSTIME}")
        .replace("{text}", "${SMSTXT}")
        .replace("{centre}", "${SMSC}")
        for application, data in (("NoOp", "SMS In"), *steps, ("Hangup", ""))
    )


@BOTH_DIALECTS
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("SMS In", None),
        ("SMS CURL", None),
        ("SMS In", ("NoOp(SMS In)", "Hangup()")),
        ("A message has come", ("NoOp(A message has come)", "Hangup()")),
        ("From +491", ("NoOp(From ${SMSSRC})", "Hangup()")),
    ],
)
def test_what_a_dialplan_says_of_every_sms(
    bench: Bench,
    words: str,
    shown: tuple[str, ...] | None,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's no message: one warning, and nothing else."""
    bench.inbox.learn_steps(shown)
    sms = Sms()
    bench.feed(
        [
            sms.step(dialect, 1, "NoOp", words.encode()),
            sms.step(dialect, 2, "Hangup", b""),
        ]
    )
    bench.settle()

    assert bench.told == []
    [warning] = caplog.records
    assert "too little of an incoming SMS" in warning.getMessage()
    assert bench.inbox.seen["unreadable"] == 1


@BOTH_DIALECTS
def test_a_step_of_which_the_text_is_all_there_is(
    bench: Bench, dialect: Dialect
) -> None:
    """Where the dialplan says so, it may be any text."""
    bench.inbox.learn_steps(("NoOp(${SMSTXT})", "Hangup()"))
    bench.feed([Sms().step(dialect, 1, "NoOp", b"SMS In")])
    bench.settle()

    assert bench.told == [(2, "", "SMS In")]


@BOTH_DIALECTS
def test_what_was_seen_is_counted(bench: Bench, dialect: Dialect) -> None:
    """This helps to find out why something didn't come."""
    bench.feed(today(sms_with_pdu("one", uniqueid="1.1")).events(dialect))
    bench.settle()
    bench.feed(today(Sms(uniqueid="1.2"), steps=(("System", SLAVE),)).events(dialect))
    bench.settle()

    assert bench.inbox.seen == {
        "with PDU": 1,
        "without PDU": 1,
        "step sms_receive.lua": 1,
        "step process_slavesms": 1,
    }


# Hostile texts

FORMS = {
    "today": {"order": TODAY},
    "text first": {"order": TEXT_FIRST},
    "HTTP": {"order": TODAY, "steps": DIALPLANS["first board and HTTP"]},
    "text first, further board": {
        "order": TEXT_FIRST,
        "steps": DIALPLANS["further board and HTTP"],
    },
}
EACH_FORM = pytest.mark.parametrize(
    "form", [pytest.param(form, id=name) for name, form in FORMS.items()]
)


@BOTH_DIALECTS
@EACH_FORM
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name)
        for name, text in (HARMLESS | HOSTILE | GUESSED).items()
        if fits_into_pdu(text)
    ],
)
def test_hostile_texts_with_pdu(
    text: str, sources: tuple[str, ...], form: dict[str, object], dialect: Dialect
) -> None:
    """They are one message with that text, from the one who wrote it."""
    for interleaving in ORDERS:
        told = attack(
            hostile_sms(text, with_pdu=True),
            dialect,
            sources,
            interleaving,
            with_pdu=True,
            **form,  # type: ignore[arg-type]
        )
        assert told == [(2, ATTACKER, text)]


def fits_into_sms(text: str) -> bool:
    """Tell whether a real SMS holds a text."""
    return len(text) <= 160


# As short as they can be, under a Uniqueid of their own.
TEXT_FIRST_ATTACKS: dict[str, str] = {
    "sender": "pay" + forged_end("1.1") + forged_varset(ME, "SMSSRC", "MyBank", "1.1"),
    "sender, with the genuine end": "pay"
    + forged_end("1.1")
    + forged_varset(ME, "SMSSRC", "MyBank"),
    "sender on another channel": "pay"
    + forged_end("1.1")
    + forged_varset(VICTIM, "SMSSRC", "MyBank", "1.1"),
    "text on another channel": "x"
    + forged_end("1.1")
    + forged_varset(VICTIM, "SMSORITXT", "pay", FOREIGN),
    "time zone": "pay" + forged_end("1.1") + forged_varset(ME, "SMSTZ", "", "1.1"),
}


@BOTH_DIALECTS
@EACH_FORM
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name)
        for name, text in (HARMLESS | HOSTILE | TEXT_FIRST_ATTACKS).items()
        if fits_into_sms(text)
    ],
)
def test_hostile_texts_without_pdu(
    text: str, sources: tuple[str, ...], form: dict[str, object], dialect: Dialect
) -> None:
    """The same, but that blank lines may be lost."""
    for interleaving in ORDERS:
        told = attack(
            hostile_sms(text, with_pdu=False),
            dialect,
            sources,
            interleaving,
            with_pdu=False,
            **form,  # type: ignore[arg-type]
        )
        assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


@pytest.mark.parametrize("order", [("SMSTXT",), ("SMSORITXT", "SMSSRC")], ids=str)
@pytest.mark.parametrize("text", TEXT_FIRST_ATTACKS.values(), ids=TEXT_FIRST_ATTACKS)
@pytest.mark.parametrize("requires_pdu", [True, False])
def test_a_text_that_comes_first_on_a_box_that_tells_little(
    bench: Bench, order: tuple[str, ...], text: str, requires_pdu: bool
) -> None:
    """What can't be told from a forgery has no sender, and its PDU isn't believed."""
    bench.inbox.requires_pdu = requires_pdu
    mine = today(hostile_sms(text, with_pdu=False), order=order)
    bench.feed(mine.events(Dialect.EARLY, (VARSET,)))
    bench.settle()

    assert "MyBank" not in [sender for _, sender, _ in bench.told]
    assert not (bench.told and requires_pdu)


each_way = {
    "interleaving": st.sampled_from(list(ORDERS)),
    "sources": st.sampled_from([(VARSET,), ALL]),
    "dialect": st.sampled_from(Dialect),
    "variables": st.permutations(TODAY).map(tuple),
    "steps": st.sampled_from(list(DIALPLANS.values())),
    "knows_steps": st.booleans(),
}


@settings(max_examples=300, deadline=None)
@given(
    text=fragments([ME.uniqueid, VICTIM.uniqueid, FOREIGN]).map(as_long_as_fits),
    **each_way,
)
@example(
    # The rest of the packet, with its genuine end, begins a message of its own.
    text=forged_end("0")
    + forged_newexten(VICTIM, PROCESS)
    + forged_varset(VICTIM, "SMSSRC", ""),
    interleaving="alone",
    sources=(VARSET,),
    dialect=Dialect.EARLY,
    variables=("SIMIMSI", "SMSC", "SMSPDU", *AS_IN_2013[:2], "SMSORITXT", "SMSTIME"),
    steps=RECEIVED,
    knows_steps=False,
)
@example(
    # The text ends with a Uniqueid that is known already, though another channel's.
    text=forged_end(VICTIM.uniqueid) + forged_varset(ME, "SMSSRC", "0"),
    interleaving="after the others",
    sources=(VARSET,),
    dialect=Dialect.EARLY,
    variables=TODAY,
    steps=RECEIVED,
    knows_steps=False,
)
def test_any_text_with_pdu(
    text: str,
    interleaving: str,
    sources: tuple[str, ...],
    dialect: Dialect,
    variables: tuple[str, ...],
    steps: tuple[tuple[str, str], ...],
    knows_steps: bool,
) -> None:
    """One message with that text and sender, and all of the others."""
    told = attack(
        hostile_sms(text, with_pdu=True),
        dialect,
        sources,
        interleaving,
        with_pdu=True,
        shown=shown_as(steps) if knows_steps else None,
        order=variables,
        steps=steps,
    )
    assert told == [(2, ATTACKER, text)]


@settings(max_examples=300, deadline=None)
@given(
    text=fragments([FOREIGN]).map(as_long_as_fits).map(lambda text: text[:160]),
    **each_way,
)
def test_any_text_without_pdu(
    text: str,
    interleaving: str,
    sources: tuple[str, ...],
    dialect: Dialect,
    variables: tuple[str, ...],
    steps: tuple[tuple[str, str], ...],
    knows_steps: bool,
) -> None:
    """The same, but for what the driver cannot render, and blank lines."""
    told = attack(
        hostile_sms(text, with_pdu=False),
        dialect,
        sources,
        interleaving,
        with_pdu=False,
        shown=shown_as(steps) if knows_steps else None,
        order=variables,
        steps=steps,
    )
    text = re.split("[\U00010000-\U0010ffff]", text)[0]
    # If its text shows another sender, it may have none, but never that one.
    told = [(span, sender or ATTACKER, words) for span, sender, words in told]
    assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


# What others need to know


def test_a_text_that_comes_first_is_no_reason_to_drop_calls(bench: Bench) -> None:
    """Other events may come before its Uniqueid is certain; they wait, as always."""
    sms = today(ME, order=TEXT_FIRST)
    bench.feed(list(sms.events(Dialect.EARLY, (VARSET,)))[:2])
    assert bench.inbox.is_mid_message
    assert not bench.inbox.is_mid_packet


@pytest.mark.parametrize("pause", [SETTLE_TIME, MESSAGE_TIMEOUT, LONGEST_STALL])
@pytest.mark.parametrize(
    "text",
    [
        f"x{forged_newexten(VICTIM, PROCESS)}",
        f"x{forged_newexten(ME, PROCESS)}",
        f"x{forged_varset(ME, 'SMSSRC', 'MyBank')}",
    ],
)
def test_a_gateway_that_pauses_within_an_sms(
    bench: Bench, text: str, pause: float
) -> None:
    """A text that comes first may be cut. It can't be a step where variables are shown."""
    mine = today(hostile_sms(text, with_pdu=True), order=TEXT_FIRST)
    events = list(mine.events(Dialect.EARLY))
    bench.feed(events[:2])
    bench.clock.let_pass(pause)
    bench.feed(today(NEIGHBOURS[0], order=TEXT_FIRST).events(Dialect.EARLY))
    bench.clock.let_pass(pause)
    bench.feed(events[2:])
    bench.settle()

    told = [each for each in bench.told if each != NEIGHBOURS_TOLD[0]]
    assert "MyBank" not in [sender for _, sender, _ in told]
    assert NEIGHBOURS_TOLD[0] in bench.told


@pytest.mark.parametrize("length", [1, 600])
def test_what_is_set_aside_is_limited(bench: Bench, length: int) -> None:
    """A busy gateway says much else before the time is over."""
    sms = today(Sms(), order=("SMSTXT",))
    noise = length * b"x" + b"\r\n\r\n"
    bench.feed(sms.events(Dialect.EARLY, (VARSET,)))
    bench.feed([noise * (16 * 1024 // len(noise))])
    bench.clock.let_pass(0)
    assert not bench.inbox.wants(b"Event: Newexten\r\nChannel: EXTRA/3-1")
    bench.settle()

    assert bench.told == [(2, "", "hello")]


def test_a_connection_that_is_lost_before_a_uniqueid_is_certain(bench: Bench) -> None:
    """What has come in is delivered, and no timer is left."""
    sms = today(sms_with_pdu("hello"), order=TEXT_FIRST)
    bench.feed(list(sms.events(Dialect.EARLY, (VARSET,)))[:6])
    bench.inbox.stop()

    assert bench.told == [(2, "+4915112345678", "hello")]
    assert not bench.clock.running


FORGED_SENDERS = {
    "a variable": forged_varset(ME, "SMSSRC", "MyBank"),
    "a variable with a Uniqueid": forged_varset(ME, "SMSSRC", "MyBank", ME.uniqueid),
    "a program's call": forged_newexten(ME, PROCESS),
    "a program's call with a Uniqueid": forged_newexten(ME, PROCESS, ME.uniqueid),
}


@pytest.mark.parametrize("order", [AS_IN_2013, TODAY, TEXT_FIRST], ids=str)
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize("forged", FORGED_SENDERS.values(), ids=FORGED_SENDERS)
@EACH_DIALPLAN
def test_a_sender_that_is_forged_with_a_guessed_uniqueid(
    steps: tuple[tuple[str, str], ...],
    forged: str,
    sources: tuple[str, ...],
    order: tuple[str, ...],
    bench: Bench,
) -> None:
    """Without a PDU nothing tells which one is right, so it's nobody's."""
    text = f"x{forged_end(ME.uniqueid)}{forged}"
    assert len(text) <= 160
    mine = today(hostile_sms(text, with_pdu=False), order=order, steps=steps)
    bench.feed(mine.events(Dialect.EARLY, sources))
    bench.settle()

    assert {(span, sender) for span, sender, _ in bench.told} <= {
        (2, ATTACKER),
        (2, ""),
    }


@pytest.mark.parametrize("forged", FORGED_SENDERS.values(), ids=FORGED_SENDERS)
def test_a_sender_that_only_the_program_shows(bench: Bench, forged: str) -> None:
    """It's nobody's either, where the text shows another one."""
    text = f"x{forged_end(ME.uniqueid)}{forged}"
    mine = today(hostile_sms(text, with_pdu=False), order=TODAY)
    bench.feed(
        each
        for each in mine.events(Dialect.EARLY)
        if mine.varset(Dialect.EARLY, "SMSSRC", mine.sender) != each
    )
    bench.settle()

    assert {sender for _, sender, _ in bench.told} <= {ATTACKER, ""}


@BOTH_DIALECTS
@pytest.mark.parametrize("order", [TODAY, TEXT_FIRST], ids=str)
def test_a_sender_whose_name_asterisk_spoils(
    bench: Bench, order: tuple[str, ...], dialect: Dialect
) -> None:
    """A variable shows it in UTF-8, a program's call as it is: it's one all the same."""
    mine = today(Sms(sender="Café 5".encode("latin-1")), order=order)
    garbled = replace(mine, sender="Caf\ufffd 5".encode())
    bench.feed(garbled.events(dialect, (VARSET,)))
    bench.feed(mine.events(dialect, (NEWEXTEN,)))
    bench.settle()

    assert [sender for _, sender, _ in bench.told] == ["Caf\ufffd 5"]


@BOTH_DIALECTS
def test_how_many_variables_show_a_uniqueid(bench: Bench, dialect: Dialect) -> None:
    """Three behind a text do at once, two when the time is over."""
    order = ("SMSORITXT", "SMSSRC", "SMSC", "SMSPDU")
    for number, count in enumerate((4, 3, 2)):
        sms = sms_with_pdu(f"text {number}", uniqueid=f"1795400805.{number}")
        shown = today(sms, order=order[:count])
        bench.feed(shown.events(dialect, (VARSET,)))
        assert len(bench.messages) == number + (count == 4)
        assert bench.inbox.has_unread_text is (dialect is Dialect.EARLY and count < 4)
        bench.settle()
        is_certain = dialect is Dialect.LATE or count > 2
        sender = sms.sender.decode() if is_certain else ""
        assert bench.told[number:] == [(2, sender, f"text {number}")]
