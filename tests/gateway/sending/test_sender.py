"""Sending SMS: on which span, in how many parts, and never twice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import gc
import weakref

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.ami import CannotConnectError
from custom_components.openvox_gsm.gateway import (
    Gateway,
    InvalidNumberError,
    InvalidTextError,
    SendFailure,
    SendResult,
    SendStatus,
    SpanStatus,
    UssdFailure,
    ussd as ussd_module,
)
from custom_components.openvox_gsm.gateway.sending import (
    delivery as delivery_module,
    part as part_module,
)
from simulator import STOCK_READ, Box, SentSms, Simulator, SmsOutcome, User, UssdOutcome

from tests.gateway.conftest import Heard, expect_nothing_left, gateway_with, until
from tests.gateway.outcomes import (
    LONG,
    LONG_UCS2,
    NUMBER,
    MakeClient,
    earlier_firmware,
    failed,
    later_firmware,
    outcome,
    sends,
    sent_on,
    texts,
    unknown,
    ussd_failure,
)


async def end_rest(client: Gateway, span: int) -> float:
    """Return for how many seconds a span still has to rest, and end that."""
    async with client.spans.exclusive(span) as lock:
        rest = lock.blocked_until - asyncio.get_running_loop().time()
        lock.unblock()
    return rest


# Sending


@pytest.mark.parametrize(
    "text", ["Hi", "Say \"\\\" & $(x); 'y' [^{}~|]", "Größe 😀 你"]
)
async def test_a_message_is_sent(
    gateway: Simulator, client: Gateway, text: str
) -> None:
    """The phone shows what was written."""
    result = await client.sms.send(NUMBER, text)
    assert result.status is SendStatus.SENT
    assert result.number == NUMBER
    assert (result.span, result.parts, result.parts_sent) == (1, 1, 1)
    assert not result.certainly_not_sent
    (sms,) = gateway.sent
    assert sms == SentSms(
        span=1,
        number=NUMBER,
        text=text,
        parts=(text,),
        alphabet="gsm7" if text.isascii() else "ucs2",
        flash=False,
        id=sms.id,
    )
    assert sms.id


async def test_a_message_that_is_sent_is_forgotten(client: Gateway) -> None:
    """However many are sent, none of them takes memory afterwards."""
    left = weakref.ref(await client.sms.send(NUMBER, "Hi"))
    await asyncio.sleep(0)
    gc.collect()

    assert left() is None


@pytest.mark.parametrize("text", [LONG.strip(), LONG_UCS2.strip(), "😀" * 100])
async def test_a_long_message_is_sent_in_parts(
    gateway: Simulator, client: Gateway, text: str
) -> None:
    """The phone joins them, since they have one reference and one alphabet."""
    results = [await client.sms.send(NUMBER, text, span=2) for _ in range(2)]
    assert [outcome(result) for result in results] == [sent_on(2)] * 2
    assert [sms.text for sms in gateway.sent] == [text, text]
    assert results[0].parts == results[0].parts_sent == len(gateway.sent[0].parts) > 1
    first, second = (
        {part.flag for part in parts}
        for parts in (
            gateway.sent_parts[: results[0].parts],
            gateway.sent_parts[results[0].parts :],
        )
    )
    assert len(first) == len(second) == 1
    assert first != second
    assert all(part.id for part in gateway.sent_parts)
    assert not any(part.flash for part in gateway.sent_parts)


@pytest.mark.usefixtures("hurry")
def test_any_text_arrives_as_it_was_written(gateway: Simulator) -> None:
    """Up to line breaks, tabs, back-quotes and what keeps parts in one alphabet."""
    line_breaks = gateway.box is Box.TODAY

    def shown(text: str) -> str:
        """Return a text without the differences that are allowed."""
        for written, arrives in (
            ("\r\n", "\n"),
            ("\r", "\n"),
            ("\n", "\n" if line_breaks else " "),
            ("\t", " "),
            ("`", "'"),
            ("\u00a0", " "),
            ("\u2060", ""),
        ):
            text = text.replace(written, arrives)
        return text.rstrip()

    async def set_up() -> tuple[Simulator, Gateway]:
        simulator = Simulator(1, box=gateway.box, dialect=gateway.dialect)
        await simulator.start()
        client = Gateway(
            simulator.host,
            simulator.port,
            "admin",
            "admin",
            on_part=lambda _part: None,
            on_connection=lambda _error: None,
            line_breaks=line_breaks,
        )
        await client.start()
        return simulator, client

    with asyncio.Runner() as runner:
        simulator, client = runner.run(set_up())

        @settings(deadline=None, max_examples=150)
        @given(
            st.text(
                st.one_of(
                    st.sampled_from("ab \n\t\"'\\`{}[]~^|€ß😀#*$"),
                    st.characters(
                        exclude_categories=("Cc", "Cs"),
                        exclude_characters="\u2028\u2029\u2060",
                    ),
                ),
                min_size=1,
                max_size=400,
            ).filter(str.strip)
        )
        @example("a" * 400 + "ß")
        @example("ß" + "a" * 400)
        @example("\\" * 300)
        @example('"' * 300)
        @example('\\"; " \\\\')
        def check(text: str) -> None:
            # The two characters that stand for a line break in later firmware.
            text = text.replace("\\n", "\\ n") if line_breaks else text
            simulator.sent.clear()
            result = runner.run(client.sms.send(NUMBER, text, span=1))
            assert result.status is SendStatus.SENT
            (sms,) = simulator.sent
            assert shown(sms.text) == shown(text)

        check()
        runner.run(client.stop())
        runner.run(expect_nothing_left(simulator))
        assert simulator.overruns == []


@later_firmware
async def test_line_breaks_are_sent_where_the_firmware_takes_them(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """Elsewhere they become blanks."""
    for line_breaks in (True, False):
        client = new_client(line_breaks=line_breaks)
        await client.start()
        await client.sms.send(NUMBER, "One\r\nTwo\nThree", span=1)
    assert texts(gateway) == ["One\nTwo\nThree", "One Two Three"]


@pytest.mark.parametrize("number", ["", "Jack", "1\r\nAction: Logoff"])
async def test_a_wrong_number_is_not_sent(
    gateway: Simulator, client: Gateway, number: str
) -> None:
    """It is the caller's mistake."""
    with pytest.raises(InvalidNumberError):
        await client.sms.send(number, "Hi")
    assert sends(gateway) == []


@pytest.mark.parametrize("text", ["", " ", "\x00", "ß" * 1000])
async def test_a_wrong_text_is_not_sent(
    gateway: Simulator, client: Gateway, text: str
) -> None:
    """It is the caller's mistake."""
    with pytest.raises(InvalidTextError):
        await client.sms.send(NUMBER, text)
    assert sends(gateway) == []


async def test_firmware_that_cannot_join_parts_sends_each(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """The text gets there, if not in one piece."""
    gateway.cli.leave_out("gsm send sync csms")
    client = new_client()
    await client.start()
    assert not client.features.concatenated_sms
    result = await client.sms.send(NUMBER, LONG, span=1)
    assert (result.status, result.parts_sent) == (SendStatus.SENT, 3)
    assert "".join(texts(gateway)) == LONG
    assert len(gateway.sent) == 3


async def test_firmware_without_message_ids_gets_none(
    gateway: Simulator, new_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might print its usage instead of sending."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.4)
    gateway.cli.change_usage(
        "gsm send sync sms",
        "gsm send sync sms <span> <destination> <message> <timeout>",
    )
    client = new_client()
    await client.start()
    assert not client.features.message_id
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)
    assert gateway.sent[0].id is None

    # So no verdict can be waited for, but the span rests all the same.
    now = asyncio.get_running_loop().time
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_SUCCESS)
    gateway.spans[1].send_events = True
    begun = now()
    result = await client.sms.send(NUMBER, "Late", span=1)
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)
    assert now() - begun < 0.4
    assert outcome(await client.sms.send(NUMBER, "Next", span=1)) == sent_on(1)
    assert now() - begun >= 0.4
    assert texts(gateway) == ["Hi", "Late", "Next"]


# Which span


async def test_the_span_used_longest_ago_is_chosen(client: Gateway) -> None:
    """So that all SIM cards are used alike."""
    spans = [(await client.sms.send(NUMBER, "Hi")).span for _ in range(6)]
    assert spans == [1, 2, 3, 4, 1, 2]


async def test_messages_go_out_over_all_spans_at_once(
    gateway: Simulator, client: Gateway
) -> None:
    """A free one is chosen before a busy one; where all are busy it takes turns."""
    for span in gateway.spans.values():
        span.send_duration = 0.3
    sending = [
        asyncio.create_task(client.sms.send(NUMBER, f"Number {n}")) for n in range(8)
    ]
    await until(lambda: len(sends(gateway)) == 4)
    assert len(gateway.sent) < 3  # one by one it would be three
    for span in gateway.spans.values():
        span.send_duration = 0
    results = await asyncio.gather(*sending)
    assert [result.status for result in results] == [SendStatus.SENT] * 8
    assert [result.span for result in results] == [1, 2, 3, 4] * 2
    assert sorted(texts(gateway)) == [f"Number {n}" for n in range(8)]


async def test_a_span_that_only_we_keep_busy_is_ready(
    gateway: Simulator, client: Gateway
) -> None:
    """A poll in the middle of a send does not make the next message fail."""
    gateway.spans[1].send_duration = 0.3
    for number in (2, 3, 4):
        gateway.spans[number].status = "Undetected SIM Card"
    first = asyncio.create_task(client.sms.send(NUMBER, "One"))
    await until(lambda: sends(gateway))
    assert (await client.spans.read())[1].status is SpanStatus.BUSY
    assert client.spans.choose() == 1
    assert outcome(await client.sms.send(NUMBER, "Two")) == sent_on(1)
    assert outcome(await first) == sent_on(1)
    assert client.spans.choose() == 1


async def test_messages_on_one_span_go_out_one_after_the_other(
    gateway: Simulator, client: Gateway
) -> None:
    """In the order in which they were given."""
    gateway.spans[2].send_duration = 0.01
    written = [f"Number {n}" for n in range(5)]
    results = await asyncio.gather(
        *(client.sms.send(NUMBER, text, span=2) for text in written)
    )
    assert [outcome(result) for result in results] == [sent_on(2)] * 5
    assert texts(gateway) == written
    assert len(sends(gateway)) == 5


@pytest.mark.parametrize(
    ("trait", "value", "failure"),
    [
        ("status", "Undetected SIM Card", SendFailure.NO_SIM),
        ("status", "No Signal", SendFailure.NO_NETWORK),
        ("status", "Down", SendFailure.DOWN),
        ("status", "Pin (1234) Error", SendFailure.PIN_ERROR),
        ("status", "Block", SendFailure.SPAN_LOCKED),
        ("status", "Something new", SendFailure.SPAN_NOT_READY),
        ("active", False, SendFailure.DOWN),
        ("state", "DOWN", SendFailure.DOWN),
        ("state", "CALL ACTIVE Called from 10086 00:00:12", SendFailure.IN_CALL),
    ],
)
async def test_a_span_that_is_not_ready_gets_nothing(
    gateway: Simulator,
    client: Gateway,
    trait: str,
    value: object,
    failure: SendFailure,
) -> None:
    """It would keep the message and send it when nobody expects it any more."""
    setattr(gateway.spans[1], trait, value)
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert outcome(result) == failed(failure, 1)
    assert result.certainly_not_sent
    assert await ussd_failure(client, 1) is failure
    assert sends(gateway) == []
    assert not client.spans[1].can_send

    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    assert len(gateway.sent) == 1


async def test_the_span_is_looked_at_right_before(
    gateway: Simulator, client: Gateway
) -> None:
    """What the last poll told may be long outdated."""
    await gateway.incoming_call(1, "10086")
    await gateway.incoming_call(2, "10086")
    gateway.commands.clear()
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(3)
    assert gateway.commands[:3] == [f"gsm show span {number}" for number in (1, 2, 3)]


async def test_a_span_that_became_ready_is_found(
    gateway: Simulator, client: Gateway
) -> None:
    """The spans are read again before a message fails."""
    for number in (2, 3, 4):
        gateway.spans[number].status = "No Signal"
    await client.spans.read()
    gateway.spans[1].status = "No Signal"
    gateway.spans[4].status = "Up"
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(4)


async def test_no_span_is_ready(gateway: Simulator, client: Gateway) -> None:
    """A clear error, whether it is known yet or not."""
    for span in gateway.spans.values():
        span.status = "Undetected SIM Card"
    for _ in range(2):
        result = await client.sms.send(NUMBER, "Hi")
        assert outcome(result) == failed(SendFailure.NO_SPAN_READY)
        assert result.certainly_not_sent
    assert sends(gateway) == []


async def test_the_spans_are_read_where_they_are_not_known(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """A message may come before the first poll."""
    client = new_client()
    await client.start()
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(1)


async def test_a_span_that_is_not_there(gateway: Simulator, client: Gateway) -> None:
    """It never was, or has vanished since the last poll."""
    gateway.remove_span(1)
    for span in (1, 9, 99):
        result = await client.sms.send(NUMBER, "Hi", span=span)
        assert outcome(result) == failed(SendFailure.NO_SUCH_SPAN, span)
        assert await ussd_failure(client, span) is SendFailure.NO_SUCH_SPAN
    assert sends(gateway) == []
    assert 1 not in client.spans
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)


async def test_a_span_that_hangs_is_passed_over(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """The message goes out on the next one."""
    gateway.spans[1].hung = True
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    assert client.spans[1].status is SpanStatus.UNKNOWN
    assert texts(gateway) == ["Hi"]
    assert heard.changes == []


# Mode and coding


async def test_text_mode_is_told(gateway: Simulator, client: Gateway) -> None:
    """The driver never sends in it."""
    gateway.spans[1].sms_mode = "text"
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert outcome(result) == failed(SendFailure.TEXT_MODE, 1)
    assert sends(gateway) == []
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    gateway.spans[1].sms_mode = "pdu"
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)


async def test_a_coding_that_spoils_texts_is_told(
    gateway: Simulator, client: Gateway
) -> None:
    """It doesn't damage plain ASCII."""
    gateway.spans[1].sms_coding = "ASCII"
    result = await client.sms.send(NUMBER, "Größe", span=1)
    assert outcome(result) == failed(SendFailure.WRONG_CODING, 1)
    assert sends(gateway) == []
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)
    gateway.spans[1].sms_coding = "utf-8"
    assert outcome(await client.sms.send(NUMBER, "Größe", span=1)) == sent_on(1)
    assert texts(gateway) == ["Hi", "Größe"]


async def test_mode_and_coding_are_asked_for_once(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """That is, once a connection."""

    def asked() -> int:
        return sum(command.startswith("gsm show send") for command in gateway.commands)

    for text in ("Hi", "Größe", "Hi", "Größe"):
        await client.sms.send(NUMBER, text, span=1)
    assert asked() == 2
    gateway.faults.drop_sessions()
    await until(lambda: None in heard.changes)
    await client.sms.send(NUMBER, "Größe", span=1)
    assert asked() == 4


async def test_mode_that_cannot_be_asked_for_does_not_matter(
    gateway: Simulator, client: Gateway
) -> None:
    """Older drivers have no such command."""
    gateway.cli.leave_out("gsm show send sms mode")
    assert outcome(await client.sms.send(NUMBER, "Größe", span=1)) == sent_on(1)


# What becomes of a message


async def test_a_refusal_of_the_network(gateway: Simulator, client: Gateway) -> None:
    """It is certainly not sent: the next span may try, where none was asked for."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.FAILED] * 2)
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert outcome(result) == failed(SendFailure.REJECTED, 1)
    assert result.certainly_not_sent
    assert gateway.sent == []
    for number in (2, 3, 4):
        await client.sms.send(NUMBER, "Hi", span=number)
    gateway.sent.clear()
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    assert texts(gateway) == ["Hi"]


async def test_a_refusal_on_two_spans(gateway: Simulator, client: Gateway) -> None:
    """A number that two networks refuse is not tried on all the others."""
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)
    gateway.spans[2].status = "No Signal"
    result = await client.sms.send(NUMBER, "Hi")
    assert outcome(result) == failed(SendFailure.REJECTED, 3)
    assert [command.split()[4] for command in sends(gateway)] == ["1", "3"]


async def test_a_message_given_up_is_not_taken_for_the_next_one(
    gateway: Simulator, client: Gateway
) -> None:
    """The span is not free before the answer to the part under way is here."""
    gateway.spans[1].send_duration = 0.2
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    given_up = asyncio.create_task(client.sms.send(NUMBER, "One", span=1))
    await until(lambda: sends(gateway))
    given_up.cancel()
    assert outcome(await client.sms.send(NUMBER, "Two", span=1)) == sent_on(1)
    assert texts(gateway) == ["Two"]


async def test_a_span_that_does_not_answer_is_not_the_last_one_tried(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another span sends the message."""
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.connection.QUICK_TIMEOUT", 0.3
    )
    gateway.faults.silent_commands.add("show send sms mode 1")
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)


async def test_many_messages_share_one_look_at_all_spans(
    gateway: Simulator, client: Gateway
) -> None:
    """Where none is ready the gateway is not asked once for each message."""
    for span in gateway.spans.values():
        span.status = "No Signal"
    await client.spans.read()
    gateway.commands.clear()
    await asyncio.gather(*(client.sms.send(NUMBER, "Hi") for _ in range(20)))
    assert len(gateway.commands) < 10


async def test_a_number_that_cannot_be_encoded(
    gateway: Simulator, client: Gateway
) -> None:
    """The result contains the reason, but not the number."""
    result = await client.sms.send("*100#", "Hi", span=1)
    assert outcome(result) == failed(SendFailure.REFUSED, 1)
    assert result.detail == "The number cannot be encoded"
    assert gateway.sent == []


async def test_a_right_that_was_taken_away(gateway: Simulator, client: Gateway) -> None:
    """New sessions lack it."""
    gateway.users["admin"] = User("admin", "admin", write=["system"])
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert outcome(result) == failed(SendFailure.REFUSED, 1)
    assert "right" in result.detail
    assert await ussd_failure(client, 1) is UssdFailure.REFUSED


async def test_a_time_out_is_not_repeated(gateway: Simulator, client: Gateway) -> None:
    """Nobody knows whether it went out, so no other span tries either."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    result = await client.sms.send(NUMBER, "Hi")
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)
    assert not result.certainly_not_sent
    assert len(sends(gateway)) == 1


async def test_a_refusal_before_the_prompt(gateway: Simulator, client: Gateway) -> None:
    """The module never got the text, so the next span may send it."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.TIMEOUT)
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    assert texts(gateway) == ["Hi"]


async def test_a_refusal_before_the_prompt_on_the_span_asked_for(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails at once, and the span needs no rest."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 9)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.TIMEOUT)
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert outcome(result) == failed(SendFailure.REJECTED, 1)
    assert result.certainly_not_sent
    assert result.settled is None
    assert outcome(await client.sms.send(NUMBER, "Ho", span=1, timeout=5)) == sent_on(1)


@earlier_firmware
async def test_a_refusal_that_cannot_be_seen(
    gateway: Simulator, client: Gateway
) -> None:
    """The module may have got the text, so no other span sends it."""
    gateway.spans[1].send_duration = 0.1
    gateway.spans[1].sms_outcomes.append(SmsOutcome.TIMEOUT)
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi"))
    await until(lambda: sends(gateway))
    gateway.faults.silent_commands.add("gsm show span 1")
    assert outcome(await sending) == unknown(SendFailure.TIMED_OUT, 1)
    assert len(sends(gateway)) == 1


async def test_what_the_last_sms_was_is_kept_nowhere(
    gateway: Simulator, client: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """The line that shows a refusal otherwise contains number and text."""
    caplog.set_level(0)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    await client.sms.send(NUMBER, "Secret", span=1)
    pdu = gateway.spans[1].last_send_at.split("\x1a")[0]
    spans = await client.spans.read()
    assert pdu
    assert pdu not in caplog.text
    assert pdu not in repr([span.lines for span in spans.values()])


@pytest.mark.parametrize("state", ["SMS SENDING", "SMS SENT"])
async def test_a_module_that_still_has_the_sms_may_send_it(
    gateway: Simulator, client: Gateway, state: str
) -> None:
    """Only at rest it has certainly refused it."""
    stuck = {"SMS SENDING": SmsOutcome.NO_PROMPT, "SMS SENT": SmsOutcome.NO_ANSWER}
    gateway.spans[1].sms_outcomes.append(stuck[state])
    result = await client.sms.send(NUMBER, "Hi", span=1)
    assert gateway.spans[1].state == state
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)


@pytest.mark.parametrize("text", ["Hi", LONG.strip()])
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (SmsOutcome.LATE_SUCCESS, sent_on(1)),
        (SmsOutcome.LATE_FAILURE, failed(SendFailure.REJECTED, 1)),
    ],
)
async def test_a_late_verdict_counts(
    gateway: Simulator,
    client: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    late: SmsOutcome,
    expected: object,
    text: str,
) -> None:
    """Where the gateway raises it."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 2)
    gateway.spans[1].send_events = True
    gateway.spans[1].sms_outcomes.append(late)
    result = await client.sms.send(NUMBER, text, span=1)
    assert outcome(result) == expected
    assert texts(gateway) == ([text] if late is SmsOutcome.LATE_SUCCESS else [])
    assert len(sends(gateway)) == (result.parts_sent or 1)


async def test_a_late_verdict_ends_the_wait(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the outcome, and for whatever the span sends next."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 60)
    gateway.spans[1].send_events = True
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_SUCCESS)
    async with asyncio.timeout(2):
        for text in ("One", "Two"):
            result = await client.sms.send(NUMBER, text, span=1)
            assert outcome(result) == sent_on(1)
    assert texts(gateway) == ["One", "Two"]


async def test_a_late_failure_is_tried_on_the_next_span(
    gateway: Simulator, client: Gateway
) -> None:
    """It is as certain as an immediate one."""
    gateway.spans[1].send_events = True
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_FAILURE)
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(2)
    assert texts(gateway) == ["Hi"]


@earlier_firmware
async def test_a_late_verdict_that_is_not_told(
    gateway: Simulator, client: Gateway
) -> None:
    """The message went out, and goes out once. There is nothing more to wait for."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_SUCCESS)
    result = await client.sms.send(NUMBER, "Hi")
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)
    assert result.settled is None
    assert texts(gateway) == ["Hi"]


async def test_a_message_that_is_sent_at_the_last_moment(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """The answer counts: it's the gateway that says when the time is over."""
    gateway.timeout_scale = 10
    gateway.spans[1].send_duration = 2
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1, timeout=2))
    await until(lambda: gateway.spans[1].doing == "SMS SENDING")
    skip(1)
    await until(lambda: gateway.spans[1].doing == "SMS SENT")
    skip(1)
    assert outcome(await sending) == sent_on(1)


@earlier_firmware
async def test_after_a_time_out_the_span_rests(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a late answer would be taken for that to the next message."""
    loop = asyncio.get_running_loop()
    gateway.spans[1].sms_outcomes.append(SmsOutcome.LATE_FAILURE)
    begun = loop.time()
    first, second = await asyncio.gather(
        client.sms.send(NUMBER, "One", span=1), client.sms.send(NUMBER, "Two", span=1)
    )
    assert loop.time() - begun >= 0.15
    assert outcome(first) == unknown(SendFailure.TIMED_OUT, 1)
    assert outcome(second) == sent_on(1)
    assert texts(gateway) == ["Two"]


async def test_a_span_that_rests_is_chosen_last(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are used as often as they like meanwhile."""
    monkeypatch.setattr(ussd_module, "LATE_ANSWER_TIME", 9)
    await client.sms.send(NUMBER, "Hi", span=4)
    gateway.spans[1].ussd_outcomes.append(UssdOutcome.TIMEOUT)
    for number in (2, 3, 4):
        gateway.spans[number].ussd["*100#"] = "Hi"
    assert await ussd_failure(client, 1) is UssdFailure.TIMED_OUT
    spans = [(await client.sms.send(NUMBER, "Hi")).span for _ in range(6)]
    assert spans == [2, 3, 4, 2, 3, 4]


async def test_a_span_that_another_client_uses_is_waited_for(
    gateway: Simulator, client: Gateway
) -> None:
    """The gateway has certainly sent nothing then."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.BUSY] * 3)
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)
    assert texts(gateway) == ["Hi"]
    assert len(sends(gateway)) == 4


@pytest.mark.parametrize("state", ["SMS SENDING", "USSD SENDING", "WAIT READY"])
async def test_a_span_that_is_at_work_is_waited_for(
    gateway: Simulator, client: Gateway, state: str
) -> None:
    """It is not even asked to send."""
    gateway.spans[1].state = state
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1))
    await until(lambda: gateway.commands[-4:] == ["gsm show span 1"] * 4)
    assert sends(gateway) == []
    gateway.spans[1].state = None
    assert outcome(await sending) == sent_on(1)


async def test_a_span_that_stays_busy_is_not_waited_for_forever(
    gateway: Simulator, client: Gateway
) -> None:
    """A time limit given for the network is one for this, too."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.BUSY] * 99)
    result = await client.sms.send(NUMBER, "Hi", span=1, timeout=0)
    assert outcome(result) == failed(SendFailure.BUSY, 1)
    assert result.certainly_not_sent
    assert len(sends(gateway)) == 1
    gateway.spans[2].state = "SMS SENDING"
    result = await client.sms.send(NUMBER, "Hi", span=2, timeout=0)
    assert outcome(result) == failed(SendFailure.BUSY, 2)
    assert len(sends(gateway)) == 1


@later_firmware
async def test_for_how_long_a_busy_span_is_waited_for(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """For the time that was given."""
    gateway.spans[1].state = "WAIT READY"

    async def looks(count: int) -> None:
        gateway.commands.clear()
        await until(lambda: gateway.commands == count * ["gsm show span 1"])

    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1, timeout=20))
    await looks(2)
    skip(18)
    await looks(3)
    assert not sending.done()
    skip(3)
    assert outcome(await sending) == failed(SendFailure.BUSY, 1)
    assert sends(gateway) == []


async def test_a_part_that_fails_ends_the_message(
    gateway: Simulator, client: Gateway
) -> None:
    """A part of it is out, so no other span tries."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])
    result = await client.sms.send(NUMBER, LONG)
    assert outcome(result) == failed(SendFailure.REJECTED, 1)
    assert (result.parts, result.parts_sent) == (3, 1)
    assert not result.certainly_not_sent
    assert len(sends(gateway)) == 2


async def test_a_part_that_finds_the_span_busy_waits(
    gateway: Simulator, client: Gateway
) -> None:
    """With a time limit of its own."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.BUSY])
    assert outcome(await client.sms.send(NUMBER, LONG, span=1)) == sent_on(1)
    assert [part.sequence for part in gateway.sent_parts] == [1, 2, 3]


async def test_a_call_between_two_parts_ends_the_message(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The span is looked at before each of them."""
    record = gateway.record_sent

    def and_then_a_call(part: object) -> None:
        record(part)  # type: ignore[arg-type]
        gateway.spans[1].state = "CALL ACTIVE Called from 10086"

    monkeypatch.setattr(gateway, "record_sent", and_then_a_call)
    result = await client.sms.send(NUMBER, LONG)
    assert outcome(result) == failed(SendFailure.IN_CALL, 1)
    assert result.parts_sent == 1
    assert not result.certainly_not_sent
    assert len(gateway.sent_parts) == len(sends(gateway)) == 1


# Settled later


@pytest.fixture
async def attempts(new_client: MakeClient) -> list[SendResult]:
    """The final results that the connected client in `settling` tells."""
    return []


@pytest.fixture
async def settling(
    gateway: Simulator, new_client: MakeClient, attempts: list[SendResult]
) -> Gateway:
    """A client of a gateway that tells outcomes later than a send is waited for."""
    for span in gateway.spans.values():
        span.send_events = True
        span.late_after = 0.3
    client = new_client(on_attempt=attempts.append)
    await client.start()
    await client.spans.read()
    return client


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (SmsOutcome.LATE_SUCCESS, sent_on(1)),
        (SmsOutcome.LATE_FAILURE, failed(SendFailure.REJECTED, 1)),
    ],
)
async def test_an_unknown_message_is_settled_later(
    gateway: Simulator,
    settling: Gateway,
    attempts: list[SendResult],
    late: SmsOutcome,
    expected: object,
) -> None:
    """It is unknown for now; its final outcome is reported once."""
    gateway.spans[1].sms_outcomes.append(late)
    result = await settling.sms.send(NUMBER, "Hi")
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)
    assert attempts == []
    assert result.settled
    final = await result.settled
    assert outcome(final) == expected
    assert final.parts_sent == (late is SmsOutcome.LATE_SUCCESS)
    assert final.settled is None
    await until(lambda: attempts)
    assert attempts == [final]
    assert len(sends(gateway)) == 1


@gateway_with(
    box=Box.TODAY, users=[User("admin", "admin", read=STOCK_READ - {"system"})]
)
async def test_nothing_is_waited_for_without_the_right_to_see_it(
    gateway: Simulator, client: Gateway
) -> None:
    """It is unknown, and stays so."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    result = await client.sms.send(NUMBER, "Hi")
    assert outcome(result) == unknown(SendFailure.TIMED_OUT, 1)
    assert result.settled is None


@later_firmware
async def test_a_part_that_is_settled_later(
    gateway: Simulator, settling: Gateway
) -> None:
    """The parts after it were never sent, so the message has failed."""
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.LATE_SUCCESS])
    result = await settling.sms.send(NUMBER, LONG, span=1)
    assert (result.status, result.parts_sent) == (SendStatus.UNKNOWN, 1)
    assert result.settled
    final = await result.settled
    assert outcome(final) == failed(SendFailure.TIMED_OUT, 1)
    assert (final.parts, final.parts_sent) == (3, 2)
    assert not final.certainly_not_sent


@later_firmware
async def test_an_unknown_message_that_is_never_settled(
    skip: Callable[[float], None],
    gateway: Simulator,
    settling: Gateway,
    attempts: list[SendResult],
) -> None:
    """It stays unknown, and that is reported after five minutes."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    result = await settling.sms.send(NUMBER, "Hi")
    assert result.settled
    skip(290)
    await asyncio.sleep(0.01)
    assert not result.settled.done()
    skip(10)
    await until(lambda: attempts)
    assert attempts == [result]
    assert result.settled.result() == result


@later_firmware
async def test_only_so_many_messages_are_waited_for(
    gateway: Simulator, settling: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest one stays unknown then."""
    monkeypatch.setattr(delivery_module, "_MAX_KEPT", 1)
    results = []
    for span in (1, 2):
        gateway.spans[span].sms_outcomes.append(SmsOutcome.NO_ANSWER)
        results.append(await settling.sms.send(NUMBER, "Hi", span=span))
    first, second = (result.settled for result in results)
    assert first
    assert second
    assert first.done()
    assert not second.done()


@later_firmware
async def test_nothing_is_waited_for_after_a_stop(
    gateway: Simulator, settling: Gateway, attempts: list[SendResult]
) -> None:
    """What is not known then never will be."""
    gateway.spans[1].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    result = await settling.sms.send(NUMBER, "Hi")
    await settling.stop()
    await until(lambda: attempts)
    assert attempts == [result]


# When the connection goes


@pytest.mark.parametrize("drop", [SmsOutcome.DROP_BEFORE, SmsOutcome.DROP_AFTER])
async def test_a_message_whose_session_is_lost_is_not_repeated(
    gateway: Simulator, client: Gateway, heard: Heard, drop: SmsOutcome
) -> None:
    """Nobody knows whether it went out, unless the gateway says so by an event."""
    gateway.spans[1].sms_outcomes.append(drop)
    result = await client.sms.send(NUMBER, "Hi", timeout=30)
    if gateway.box is Box.TODAY and drop is SmsOutcome.DROP_AFTER:
        assert outcome(result) == sent_on(1)
        assert len(sends(gateway)) == 1
        return
    assert outcome(result) == unknown(SendFailure.CONNECTION_LOST, 1)
    assert len(gateway.sent) == (drop is SmsOutcome.DROP_AFTER)
    assert len(sends(gateway)) == 1
    assert heard.changes == []
    # The span rests until the network's time is over: a late answer would be taken
    # for the answer to the next message.
    assert client.spans.choose() != 1
    assert 29 < await end_rest(client, 1) <= 30
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)


async def test_a_verdict_settles_a_lost_session(
    gateway: Simulator, client: Gateway
) -> None:
    """It comes in another session."""
    gateway.spans[1].send_events = True
    gateway.spans[1].sms_outcomes.append(SmsOutcome.DROP_AFTER)
    assert outcome(await client.sms.send(NUMBER, "Hi")) == sent_on(1)
    assert texts(gateway) == ["Hi"]


async def test_a_restart_while_a_message_is_sent(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """It is unknown, and all works again afterwards."""
    gateway.spans[1].send_duration = 0.05
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", timeout=30))
    await until(lambda: sends(gateway))
    await gateway.restart()
    assert outcome(await sending) == unknown(SendFailure.CONNECTION_LOST, 1)
    await until(lambda: client.is_connected and None in heard.changes)
    assert await end_rest(client, 1) > 20
    assert outcome(await client.sms.send(NUMBER, "Hi", span=1)) == sent_on(1)
    assert len(sends(gateway)) == 2


async def test_a_send_that_is_never_answered(
    gateway: Simulator, client: Gateway
) -> None:
    """It ends a little after its time; other spans are not concerned."""
    gateway.faults.silent_commands.add("sms 1")
    hanging = client.sms.send(NUMBER, "Hi", span=1, timeout=0)
    other = client.sms.send(NUMBER, "Ho", span=2)
    async with asyncio.timeout(3):
        first, second = await asyncio.gather(hanging, other)
    assert outcome(first) == unknown(SendFailure.TIMED_OUT, 1)
    assert outcome(second) == sent_on(2)
    assert len(sends(gateway)) == 2


async def test_nothing_is_sent_without_a_connection(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """Before it is made, and after it is gone."""
    client = new_client()

    async def expect_not_connected() -> None:
        result = await client.sms.send(NUMBER, "Hi")
        assert outcome(result) == failed(SendFailure.NOT_CONNECTED)
        result = await client.sms.send(NUMBER, "Hi", span=1)
        assert outcome(result) == failed(SendFailure.NOT_CONNECTED, 1)
        assert result.certainly_not_sent
        assert await ussd_failure(client, 1) is SendFailure.NOT_CONNECTED
        with pytest.raises(CannotConnectError):
            await client.spans.read()

    await expect_not_connected()
    await client.start()
    await client.stop()
    await expect_not_connected()
    assert sends(gateway) == []


async def test_nothing_is_sent_where_no_session_can_be_had(
    gateway: Simulator, client: Gateway
) -> None:
    """That has nothing to do with the span, so one attempt is enough."""
    gateway.faults.refuse = True
    result = await client.sms.send(NUMBER, "Hi")
    assert outcome(result) == failed(SendFailure.NOT_CONNECTED)
    assert await ussd_failure(client, 2) is SendFailure.NOT_CONNECTED
    gateway.faults.refuse = False
    await until(lambda: gateway.sessions == 2)
    await asyncio.sleep(0)
    # What was never sent leaves nothing behind that a span would have to rest for.
    async with asyncio.timeout(1):
        for span in (1, 2):
            result = await client.sms.send(NUMBER, "Hi", span=span)
            assert outcome(result) == sent_on(span)
    assert len(sends(gateway)) == 2


@later_firmware
async def test_a_flash_that_takes_several_sms(
    gateway: Simulator, client: Gateway
) -> None:
    """It is refused where the command for parts has no place for the flag."""
    await client.sms.send(NUMBER, LONG, flash=True)
    assert all(part.flash for part in gateway.sent_parts)

    client.sms.adapt_to(replace(client.features, part_arguments=("timeout", "id")))
    assert client.sms.count_parts("Hi", flash=True) == 1
    assert client.sms.count_parts(LONG) == 3
    for text, parts in ((LONG, "3"), (161 * "x", "2")):
        with pytest.raises(
            InvalidTextError, match="only what fits into one SMS"
        ) as error:
            await client.sms.send(NUMBER, text, flash=True)
        assert error.value.detail == parts
    assert len(gateway.sent) == 1
    await client.sms.send(NUMBER, 160 * "x", flash=True)
    assert gateway.sent[-1].flash


# Attempts


async def test_every_attempt_is_told(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """Each with its span, though the message had one outcome."""
    attempts: list[SendResult] = []
    client = new_client(on_attempt=attempts.append)
    await client.start()
    await client.spans.read()
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    result = await client.sms.send(NUMBER, "Hi")

    assert [outcome(attempt) for attempt in attempts] == [
        (SendStatus.FAILED, SendFailure.REJECTED, 1),
        outcome(result),
    ]
    assert outcome(result) == sent_on(2)


# Given up


async def test_a_message_may_be_stopped(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """The current part ends, no other begins, and the outcome is reported."""
    attempts: list[SendResult] = []
    client = new_client(on_attempt=attempts.append)
    await client.start()
    await client.spans.read()
    gateway.spans[1].send_duration = 0.02
    given_up = asyncio.Event()
    sending = asyncio.create_task(
        client.sms.send(NUMBER, LONG, span=1, given_up=given_up)
    )
    await until(lambda: len(sends(gateway)) == 2)
    given_up.set()
    result = await sending

    assert outcome(result) == (SendStatus.FAILED, SendFailure.GIVEN_UP, 1)
    assert (result.parts_sent, result.certainly_not_sent) == (2, False)
    assert attempts == [result]
    assert [part.sequence for part in gateway.sent_parts] == [1, 2]


async def test_a_message_that_is_stopped_goes_to_no_other_span(
    gateway: Simulator, client: Gateway
) -> None:
    """Though the first one refused it."""
    gateway.spans[1].send_duration = 0.02
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    given_up = asyncio.Event()
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", given_up=given_up))
    await until(lambda: sends(gateway))
    given_up.set()

    assert outcome(await sending) == (SendStatus.FAILED, SendFailure.REJECTED, 1)
    assert len(sends(gateway)) == 1


async def test_a_message_that_is_stopped_before_it_is_tried(
    gateway: Simulator, client: Gateway
) -> None:
    """It has no span."""
    given_up = asyncio.Event()
    given_up.set()

    result = await client.sms.send(NUMBER, "Hi", given_up=given_up)

    assert outcome(result) == failed(SendFailure.GIVEN_UP)
    assert sends(gateway) == []


async def test_a_send_that_is_given_up_leaves_the_span_usable(
    gateway: Simulator, client: Gateway
) -> None:
    """The gateway still sends the message; the next one follows it."""
    gateway.spans[1].send_duration = 0.05
    given_up = asyncio.create_task(client.sms.send(NUMBER, "One", span=1))
    await until(lambda: sends(gateway))
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert outcome(await client.sms.send(NUMBER, "Two", span=1)) == sent_on(1)
    assert texts(gateway) == ["One", "Two"]
    assert len(sends(gateway)) == 2


async def test_a_long_message_that_is_given_up_ends_there(
    gateway: Simulator, client: Gateway
) -> None:
    """No further part goes out."""
    gateway.spans[1].send_duration = 0.02
    given_up = asyncio.create_task(client.sms.send(NUMBER, LONG, span=1))
    await until(lambda: len(sends(gateway)) == 2)
    given_up.cancel()
    assert outcome(await client.sms.send(NUMBER, "Two", span=1)) == sent_on(1)
    assert [part.sequence for part in gateway.sent_parts] == [1, 2, 1]


async def test_a_send_that_is_given_up_in_the_queue_was_never_sent(
    gateway: Simulator, client: Gateway
) -> None:
    """And holds up nobody behind it."""
    gateway.spans[1].send_duration = 0.02
    first, second, third = (
        asyncio.create_task(client.sms.send(NUMBER, text, span=1))
        for text in ("One", "Two", "Three")
    )
    await until(lambda: sends(gateway))
    second.cancel()
    assert outcome(await first) == outcome(await third) == sent_on(1)
    assert texts(gateway) == ["One", "Three"]
    assert client.spans.choose() == 2


async def test_a_send_that_is_given_up_while_the_span_is_busy(
    gateway: Simulator, client: Gateway
) -> None:
    """Nothing was sent, and nothing stays behind."""
    gateway.spans[1].state = "SMS SENDING"
    given_up = asyncio.create_task(client.sms.send(NUMBER, "One", span=1))
    await until(lambda: gateway.commands[-2:] == ["gsm show span 1"] * 2)
    given_up.cancel()
    gateway.spans[1].state = None
    assert outcome(await client.sms.send(NUMBER, "Two", span=1)) == sent_on(1)
    assert texts(gateway) == ["Two"]
