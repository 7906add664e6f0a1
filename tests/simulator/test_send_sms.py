"""Sending short messages, single and long ones."""

import asyncio

import pytest

from simulator import Overrun, SentPart, SentSms, Simulator, SmsOutcome
from simulator.model.submit import outgoing

from .client import Client, connected

NUMBER = "+4915112345678"


def _send(text: str = "hello", tail: str = "20", span: int = 1) -> str:
    return f'gsm send sync sms {span} {NUMBER} "{text}" {tail}'


def _part(
    text: str, sequence: int, count: int = 2, flag: int = 7, tail: str = "20"
) -> str:
    return f'gsm send sync csms 1 {NUMBER} "{text}" {flag} {count} {sequence} {tail}'


def _cesu(text: str) -> bytes:
    """Encode with three bytes for each surrogate."""
    units = text.encode("utf-16-be")
    return b"".join(
        chr(int.from_bytes(units[at : at + 2])).encode("utf-8", "surrogatepass")
        for at in range(0, len(units), 2)
    )


# ---- single ------------------------------------------------------------------------------


async def test_a_sent_sms_arrives(sim: Simulator, client: Client) -> None:
    """The answer names span and number; the phone shows the text."""
    assert (
        await client.command(_send())
        == f"SPAN:1 SEND SMS TO PHONE:{NUMBER} SUCCESSFULLY"
    )
    assert sim.sent == [SentSms(1, NUMBER, "hello", ("hello",), "gsm7", False, None)]
    assert sim.sent_parts == [SentPart(1, NUMBER, "hello", "gsm7", False, None)]
    assert sim.spans[1].last_event == "SMS send OK"


async def test_with_an_id(sim: Simulator, client: Client) -> None:
    """The line starts with it."""
    answer = await client.command(_send(tail="20 my-id"))
    assert answer == f"ID:my-id SPAN:1 SEND SMS TO PHONE:{NUMBER} SUCCESSFULLY"
    assert sim.sent[0].id == "my-id"


async def test_without_waiting(sim: Simulator, client: Client) -> None:
    """``gsm send sms`` prints nothing."""
    assert await client.command('gsm send sms 1 10086 "hello" msg-1') == ""
    (sms,) = await sim.wait_sent(1)
    assert (sms.text, sms.id) == ("hello", "msg-1")
    assert "Encode pdu error" in await client.command('gsm send sms 1 x "hello"')
    assert "too short" in await client.command('gsm send sms 1 10086 ""')
    await client.command("gsm set send sms mode text 1")
    assert "Only support ASCII on text mode" in await client.command(
        'gsm send sms 1 10086 "never sent"'
    )
    assert len(sim.sent) == 1


async def test_without_waiting_today(today: Simulator) -> None:
    """The app note puts a timeout before the id."""
    async with connected(today) as client:
        await client.command('gsm send sms 1 10086 "hello" 20 msg-1')
        (sms,) = await today.wait_sent(1)
        assert sms.id == "msg-1"


@pytest.mark.parametrize(
    ("number", "text", "answer"),
    [
        ("+49", "", "SMS message too short."),
        ("+49", "x" * 321, "SMS message too long."),
        ('""', "hello", "Destination number too short."),
        ("+" + "4" * 64, "hello", "Destination number too long."),
        ("++49", "hello", "SPAN:1 SEND SMS TO PHONE ++49 ENCODE PDU FAIL"),
        ("49a", "hello", "SPAN:1 SEND SMS TO PHONE 49a ENCODE PDU FAIL"),
    ],
)
async def test_refused_by_the_driver(
    sim: Simulator, client: Client, number: str, text: str, answer: str
) -> None:
    """The failed command is repeated: number and text stand in it."""
    command = f'gsm send sync sms 1 {number} "{text}" 20'
    assert await client.command(command) == f"{answer}\nCommand '{command}' failed."
    assert sim.sent == []


async def test_text_mode(sim: Simulator, client: Client) -> None:
    """Nothing is sent, pure ASCII included."""
    sim.spans[1].sms_mode = "text"
    assert "Only support ASCII on text mode" in await client.command(_send("hello"))
    assert "can't support text mode" in await client.command(_part("one", 1))
    assert sim.sent == []


# ---- outcomes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (SmsOutcome.SUCCESS, f"PHONE:{NUMBER} SUCCESSFULLY"),
        (SmsOutcome.FAILED, f"PHONE:{NUMBER} WAS FAILED"),
        (SmsOutcome.TIMEOUT, f"PHONE:{NUMBER} TIMEOUT"),
        (SmsOutcome.BUSY, f"PHONE {NUMBER} WAS USING"),
    ],
)
async def test_scripted_outcome(
    sim: Simulator, client: Client, outcome: SmsOutcome, answer: str
) -> None:
    """The next send has it, the one after that is a success."""
    sim.spans[1].sms_outcomes.append(outcome)
    assert await client.command(_send()) == f"SPAN:1 SEND SMS TO {answer}"
    assert bool(sim.sent) is (outcome is SmsOutcome.SUCCESS)
    assert "SUCCESSFULLY" in await client.command(_send())


@pytest.mark.parametrize("outcome", [SmsOutcome.LATE_SUCCESS, SmsOutcome.LATE_FAILURE])
async def test_late_outcome(
    sim: Simulator, watcher: Client, outcome: SmsOutcome
) -> None:
    """TIMEOUT first; what becomes of the message comes later, as an event."""
    span = sim.spans[1]
    span.send_events, span.late_after = True, 0.1
    span.sms_outcomes.append(outcome)
    assert "TIMEOUT" in await watcher.command(_send(tail="20 my-id"))
    assert sim.sent == []
    values = {event["Variable"]: event["Value"] for event in await watcher.events(6)}
    assert values == {
        "SMS_SEND_TYPE": "pdu",
        "SMS_SEND_SENDER": NUMBER.removeprefix("+"),
        "SMS_SEND_TXT": "hello",
        "SMS_SEND_PDU": "0031000D91945111325476F800000005E8329BFD06",
        "SMS_SEND_ID": "my-id",
        "DIALSTATUS": "SMS_SEND_END",
    }
    event = await watcher.packet()
    late_success = outcome is SmsOutcome.LATE_SUCCESS
    assert event["Extension"] == ("sms_send_ok" if late_success else "sms_send_failed")
    assert event["Channel"] == "EXTRA-SMSSEND/1-1"
    assert bool(sim.sent) is late_success


@pytest.mark.parametrize(
    ("outcome", "state", "sent_last"),
    [
        (SmsOutcome.NO_PROMPT, "SMS SENDING", "AT+CMGS=20\r\n"),
        (
            SmsOutcome.NO_ANSWER,
            "SMS SENT",
            "0031000D91945111325476F800000005E8329BFD06\x1a\r\n",
        ),
    ],
)
@pytest.mark.parametrize("cure", ["gsm reload span 1", "gsm power reset 1"])
async def test_a_stuck_span(
    sim: Simulator,
    client: Client,
    outcome: SmsOutcome,
    state: str,
    sent_last: str,
    cure: str,
) -> None:
    """It stays so forever; after a start of the module what was queued goes out."""
    span = sim.spans[1]
    span.sms_outcomes.append(outcome)
    assert "TIMEOUT" in await client.command(_send())
    assert (span.state, span.last_send_at, span.status) == (state, sent_last, "Up")
    assert "TIMEOUT" in await client.command(_send("queued", tail="1"))
    assert (span.state, sim.sent) == (state, [])
    await client.command(cure)
    assert [sms.text for sms in await sim.wait_sent(1)] == ["queued"]
    assert "SUCCESSFULLY" in await client.command(_send("next"))


async def test_a_reload(sim: Simulator, client: Client) -> None:
    """For some seconds the driver does not know its module."""
    sim.power_speed = 0.01
    span = sim.spans[1]
    await client.command("gsm reload span 1")
    while (shown := await client.command("gsm show span 1")) and span.state == "READY":
        pass
    assert "Status: Power on, Provisioned, Up, Active, Standard\n" in shown
    assert "Manufacturer: \nModel Name: \nModel IMEI: \nRevision: \n" in shown
    assert "SIM IMSI: \nSIM SMS Center Number: \n" in shown
    assert "Last event: Detect module OK\nState: UP\nLast send AT: ATZ" in shown
    assert not span.ready
    assert "SUCCESSFULLY" in await client.command(_send())
    assert "Manufacturer: SIMCOM_Ltd" in await client.command("gsm show span 1")


async def test_refused_before_the_prompt(sim: Simulator, client: Client) -> None:
    """The span is ready again, and the AT line shows that the text never left."""
    sim.spans[1].sms_outcomes.append(SmsOutcome.TIMEOUT)
    assert "TIMEOUT" in await client.command(_send())
    shown = await client.command("gsm show span 1")
    assert "Last event: USSD send failed\nState: READY\n" in shown
    assert shown.endswith("Last send AT: AT+CMGS=20\\r\\n")


async def test_a_late_answer_goes_to_whoever_waits(
    sim: Simulator, client: Client
) -> None:
    """The driver takes it for the answer to the next send, which goes out after that."""
    span = sim.spans[1]
    span.late_after = sim.retry_interval = 0.1
    span.sms_outcomes.extend([SmsOutcome.LATE_FAILURE, SmsOutcome.SUCCESS])
    assert "TIMEOUT" in await client.command(_send("one"))
    assert span.state == "SMS SENT"
    assert "WAS FAILED" in await client.command(_send("two"))
    assert sim.sent == []
    assert [sms.text for sms in await sim.wait_sent(1)] == ["two"]


@pytest.mark.parametrize(
    ("outcome", "texts"),
    [(SmsOutcome.DROP_BEFORE, []), (SmsOutcome.DROP_AFTER, ["hello"])],
)
async def test_the_connection_drops(
    sim: Simulator, client: Client, outcome: SmsOutcome, texts: list[str]
) -> None:
    """Before the SMS goes out, or after it; the client cannot tell."""
    sim.spans[1].sms_outcomes.append(outcome)
    client.start_command(_send())
    assert await client.ended()
    assert [sms.text for sms in sim.sent] == texts


async def test_never_answered(sim: Simulator, client: Client) -> None:
    """The command hangs past every timeout, and keeps the span."""
    sim.spans[1].sms_outcomes.append(SmsOutcome.HANG)
    client.start_command(_send(tail="10"))  # half a second, in the hurry of these tests
    await client.raw_packet_head()
    assert await client.silent(0.6)
    async with connected(sim) as other:
        assert "WAS USING" in await other.command(_send())


async def test_one_send_at_a_time(sim: Simulator, client: Client) -> None:
    """A second one on the span finds it in use; other spans go on."""
    sim.spans[1].send_duration = 0.1
    async with connected(sim) as other:
        client.start_command(_send())
        await client.raw_packet_head()
        assert sim.spans[1].state == "SMS SENDING"
        assert (
            await other.command(_send())
            == f"SPAN:1 SEND SMS TO PHONE {NUMBER} WAS USING"
        )
        assert "SUCCESSFULLY" in await other.command(_send(span=2))
    assert "SUCCESSFULLY" in await client.output()


async def test_busy_counts_only_for_those_who_wait(
    sim: Simulator, client: Client
) -> None:
    """A message nobody waits for is simply lost to it."""
    sim.spans[1].sms_outcomes.append(SmsOutcome.BUSY)
    await client.command('gsm send sms 1 10086 "lost"')
    assert "SUCCESSFULLY" in await client.command(_send())
    assert [sms.text for sms in sim.sent] == ["hello"]


@pytest.mark.parametrize("obstacle", ["status", "state", "active", "power"])
async def test_a_span_that_is_not_ready_keeps_the_message(
    sim: Simulator, client: Client, obstacle: str
) -> None:
    """TIMEOUT at the timeout, and the message goes out when the span is ready again."""
    span = sim.spans[1]
    match obstacle:
        case "status":
            span.status = "No Signal"
        case "state":
            span.state = "WAIT READY"
        case "active":
            span.active = False
        case "power":
            span.power = False
    assert "TIMEOUT" in await client.command(_send(tail="2"))
    assert sim.sent == []
    span.status, span.state, span.active, span.power = "Up", None, True, True
    (sms,) = await sim.wait_sent(1)
    assert sms.text == "hello"


async def test_the_timeout_is_cut_to_a_whole_second() -> None:
    """It may be up to a second short."""
    sim = Simulator(spans=1)
    assert 19 < sim.whole_seconds(20) <= 20
    assert sim.whole_seconds(-5) == 0.0
    assert sim.retry_interval == 2.0


async def test_wait_sent_gives_up(sim: Simulator) -> None:
    """It waits for messages, but not forever."""
    with pytest.raises(TimeoutError):
        await sim.wait_sent(1, timeout=0.01)


# ---- what the phone shows ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "alphabet", "units", "shown"),
    [
        (b"plain @ $ _", "gsm7", 11, "plain @ $ _"),
        (b"^{}[]~|\\\f", "gsm7", 18, "^{}[]~|\\\f"),
        (b"a`b\tc", "gsm7", 5, "a¿bÇc"),
        ("Grüße".encode(), "ucs2", 5, "Grüße"),
        ("Привет".encode(), "ucs2", 6, "Привет"),
        (b"a\xc2\xa0b", "ucs2", 3, "a\xa0b"),
        (_cesu("go 🚪"), "ucs2", 5, "go 🚪"),
    ],
)
def test_coding_utf_8(sent: bytes, alphabet: str, units: int, shown: str) -> None:
    """Pure ASCII goes as 7-bit, anything else as UCS-2."""
    text = outgoing(sent, "utf-8")
    assert (text.alphabet, text.units, text.shown) == (alphabet, units, shown)


@pytest.mark.parametrize("text", ["🚪", "🚪 open", "a🚪"])
def test_four_byte_utf_8_is_mangled(text: str) -> None:
    """The driver knows three bytes at most."""
    assert text not in outgoing(text.encode(), "utf-8").shown


def test_cut_utf_8() -> None:
    """A sequence without its end reads zeros."""
    assert outgoing(b"\xe2\x82", "utf-8").shown == "\u2080"


def test_coding_ascii_spoils_the_rest() -> None:
    """Each byte beyond ASCII damages itself and its neighbour."""
    assert outgoing(b"hello", "ascii").shown == "hello"
    text = outgoing("Grüße".encode(), "ascii")
    assert (text.alphabet, text.units) == ("gsm7", 7)
    assert "ü" not in text.shown


async def test_line_break_of_today(
    sim: Simulator, client: Client, today: Simulator
) -> None:
    r"""Later firmware turns ``\n`` into a line break, the open driver does not."""
    command = _send(r"one\\ntwo")
    await client.command(command)
    assert sim.sent[0].text == r"one\ntwo"
    async with connected(today) as other:
        await other.command(command)
    assert today.sent[0].text == "one\ntwo"


@pytest.mark.parametrize(
    ("flash", "expected"), [("1", True), ("0", False), ("", False)]
)
async def test_flash_of_today(today: Simulator, flash: str, expected: bool) -> None:
    """It stands between timeout and id."""
    async with connected(today) as client:
        tail = f"20 {flash} msg-1" if flash else "20"
        assert "SUCCESSFULLY" in await client.command(_send(tail=tail))
        assert (today.sent[0].flash, today.sent[0].id) == (
            expected,
            "msg-1" if flash else None,
        )
        await client.command(_part("one", 1, tail=tail))
        await client.command(_part("two", 2, tail=tail))
        assert (today.sent[1].flash, today.sent[1].text) == (expected, "onetwo")


@pytest.mark.parametrize(
    ("text", "part", "fits"),
    [
        ("x" * 160, False, True),
        ("x" * 161, False, False),
        ("x" * 152, True, True),
        ("x" * 153, True, False),
        ("{" * 80, False, True),
        ("ж" * 70, False, True),
        ("ж" * 71, False, False),
        ("ж" * 67, True, True),
        ("ж" * 68, True, False),
    ],
)
async def test_what_one_sms_holds(
    sim: Simulator, client: Client, text: str, part: bool, fits: bool
) -> None:
    """Too much is refused by the network before the prompt: TIMEOUT, and nothing goes out."""
    answer = await client.command(_part(text, 1, 1) if part else _send(text))
    assert answer.endswith("SUCCESSFULLY" if fits else "TIMEOUT")
    assert [sms.text for sms in sim.sent] == ([text] if fits else [])


@pytest.mark.parametrize(
    ("text", "overrun"),
    [
        ("x" * 288, None),
        ("x" * 289, Overrun(1, "gsm7", 289)),
        ("ж" * 125, None),
        ("ж" * 126, Overrun(1, "ucs2", 126)),
    ],
)
async def test_overruns(
    sim: Simulator, client: Client, text: str, overrun: Overrun | None
) -> None:
    """What would overrun the driver's buffer is noted, so that tests can rule it out."""
    await client.command(_send(text))
    assert sim.overruns == ([overrun] if overrun else [])


# ---- long ones ---------------------------------------------------------------------------


async def test_parts_are_joined(sim: Simulator, client: Client) -> None:
    """In whatever order they go out; only when all are there."""
    answer = await client.command(_part("two", 2, tail="20 my-id"))
    assert answer == (
        f"ID:my-id SPAN:1 SEND CONCATENATED SMS TO PHONE:{NUMBER} SUCCESSFULLY"
    )
    assert sim.sent == []
    await client.command(_part("one ", 1, tail="20 my-id"))
    assert sim.sent == [
        SentSms(1, NUMBER, "one two", ("one ", "two"), "gsm7", False, "my-id")
    ]
    assert [part.sequence for part in sim.sent_parts] == [2, 1]


async def test_parts_of_different_flags_are_different_messages(
    sim: Simulator, client: Client
) -> None:
    """The flag says which belong together."""
    for text, flag, sequence in (("a", 1, 1), ("c", 2, 1), ("b", 1, 2), ("d", 2, 2)):
        await client.command(_part(text, sequence, flag=flag))
    assert [sms.text for sms in sim.sent] == ["ab", "cd"]


async def test_parts_of_different_alphabets_are_not_joined(
    sim: Simulator, client: Client
) -> None:
    """7-bit and UCS-2 parts have different headers: the phone shows each by itself."""
    await client.command(_part("Grüße ", 1))
    await client.command(_part("ascii", 2))
    assert [(sms.text, sms.alphabet) for sms in sim.sent] == [
        ("Grüße ", "ucs2"),
        ("ascii", "gsm7"),
    ]


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (SmsOutcome.BUSY, f"PHONE {NUMBER} WAS USING"),
        (SmsOutcome.FAILED, f"PHONE:{NUMBER} WAS FAILED"),
    ],
)
async def test_outcome_of_a_part(
    sim: Simulator, client: Client, outcome: SmsOutcome, answer: str
) -> None:
    """Answers are those of a single SMS, in other words."""
    sim.spans[1].sms_outcomes.append(outcome)
    assert (
        await client.command(_part("x", 1))
        == f"SPAN:1 SEND CONCATENATED SMS TO {answer}"
    )


async def test_a_part_is_checked(client: Client) -> None:
    """As a single SMS is."""
    assert "too short" in await client.command(_part("", 1))
    command = _part("x", 1).replace(NUMBER, "++49")
    answer = "SPAN:1 SEND SMS TO PHONE ++49 ENCODE PDU FAIL"
    assert answer in await client.command(command)


async def test_send_events(sim: Simulator, watcher: Client) -> None:
    """Where the dialplan of 2013 has the extension, the outcome comes as an event as well."""
    sim.spans[1].send_events = True
    async with connected(sim) as client:
        await client.command(_send("say `hi`"))
        events = await watcher.events(9)
    assert [event["Event"] for event in events] == [
        *["VarSet"] * 6,
        *["Newexten"] * 2,
        "Hangup",
    ]
    assert events[6]["Extension"] == "sms_send_ok"
    assert len({event["Uniqueid"] for event in events}) == 1


async def test_a_send_waits_for_a_ussd_request(sim: Simulator, client: Client) -> None:
    """The span is not ready until that is answered."""
    sim.spans[1].ussd_duration = 0.1
    async with connected(sim) as other:
        other.start_command("gsm send ussd 1 *100# 9")
        await other.raw_packet_head()
        assert "TIMEOUT" in await client.command(_send(tail="1"))
        assert sim.sent == []
        await sim.wait_sent(1)


async def test_sends_wait_their_turn(sim: Simulator, client: Client) -> None:
    """The module sends one after the other."""
    sim.spans[1].send_duration = 0.01
    for number in range(5):
        await client.command(f'gsm send sms 1 10086 "{number}"')
    assert [sms.text for sms in await sim.wait_sent(5)] == list("01234")
    await asyncio.sleep(0)
    assert sim.spans[1].state == "READY"
