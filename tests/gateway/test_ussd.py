"""USSD: what is asked, what comes of it, and whose turn it is."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.openvox_gsm.gateway import (
    Gateway,
    SendFailure,
    UssdError,
    UssdFailure,
    UssdStatus,
    is_ussd_code,
    is_ussd_text,
    ussd as ussd_module,
)
from simulator import Simulator, UssdMenu, UssdOutcome

from .conftest import Heard, kinds_of_gateway, until
from .outcomes import NUMBER, MakeClient, failed, outcome, sends, sent_on, ussd_failure


@kinds_of_gateway()
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Your balance is 12.50", "Your balance is 12.50"),
        (
            "Guthaben: 3 €\r\n\r\nGültig bis morgen",
            "Guthaben: 3 €\n\nGültig bis morgen",
        ),
        ("1: One\n2: Two", "1: One\n2: Two"),
    ],
)
async def test_a_ussd_code_is_answered(
    gateway: Simulator, client: Gateway, answer: str, text: str
) -> None:
    """With all lines that the network sent."""
    gateway.spans[2].ussd["*100#"] = answer
    reply = await client.ussd.send(2, "*100#")
    assert reply.span == 2
    assert reply.text == text
    assert reply.status is UssdStatus.DONE
    assert reply.coding == (15 if text.isascii() else 72)
    assert len(sends(gateway)) == 1


@kinds_of_gateway()
async def test_an_answer_in_the_form_before_may_2013(
    gateway: Simulator, client: Gateway
) -> None:
    """Another head, the same text."""
    gateway.old_ussd_form = True
    gateway.spans[1].ussd["*100#"] = UssdMenu(
        "Balance: 12.50\nUSSD Code: see below\n\n1 More", {"1": "Done"}
    )
    reply = await client.ussd.send(1, "*100#")
    assert reply.text == "Balance: 12.50\nUSSD Code: see below\n\n1 More"
    assert (reply.status, reply.coding) == (UssdStatus.REPLY_EXPECTED, 15)
    assert (await client.ussd.send(1, "1")).text == "Done"


# The unit of the time limit


def limits(gateway: Simulator) -> list[int]:
    """Return the time limits of the requests."""
    return [int(command.split()[-1]) for command in sends(gateway)]


@kinds_of_gateway()
async def test_a_firmware_that_counts_milliseconds_is_found_out(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """The first request is lost, and not asked again; the next one has its time."""
    units: list[bool] = []
    gateway.timeout_scale = 1
    gateway.ussd_in_milliseconds = True
    gateway.spans[1].ussd["*100#"] = "12.50"
    gateway.spans[1].ussd_duration = 0.1
    client = new_client(on_ussd_unit=units.append)
    await client.start()
    begun = asyncio.get_running_loop().time()
    assert await ussd_failure(client, 1, timeout=2) is UssdFailure.TIMED_OUT
    assert (limits(gateway), units) == ([2], [True])

    assert (await client.ussd.send(1, "*100#", timeout=2)).text == "12.50"
    assert (limits(gateway), units) == ([2, 2000], [True])
    # The answer to the first one was not taken for that to the second one.
    assert asyncio.get_running_loop().time() - begun >= 2


async def test_a_firmware_known_to_count_milliseconds(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It was found out before a restart."""
    gateway.ussd_in_milliseconds = True
    gateway.spans[1].ussd["*100#"] = "12.50"
    client = new_client(ussd_in_milliseconds=True)
    await client.start()
    assert (await client.ussd.send(1, "*100#", timeout=30)).text == "12.50"
    assert limits(gateway) == [30000]


async def test_a_firmware_that_no_longer_counts_milliseconds(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It would wait a thousand times as long."""
    units: list[bool] = []
    gateway.timeout_scale = 1
    gateway.spans[1].ussd_duration = 60
    client = new_client(on_ussd_unit=units.append, ussd_in_milliseconds=True)
    await client.start()
    assert await ussd_failure(client, 1, timeout=1) is UssdFailure.TIMED_OUT
    assert units == [False]


@pytest.mark.parametrize(
    ("scripted", "timeout"), [(UssdOutcome.TIMEOUT, 1), (UssdOutcome.FAILED, 30)]
)
async def test_what_says_nothing_about_the_unit(
    gateway: Simulator, new_client: MakeClient, scripted: UssdOutcome, timeout: int
) -> None:
    """A limit of one second may be over at once, and a failure is no time-out."""
    units: list[bool] = []
    gateway.spans[1].ussd_outcomes.append(scripted)
    client = new_client(on_ussd_unit=units.append)
    await client.start()
    await ussd_failure(client, 1, timeout=timeout)
    assert units == []


async def test_a_time_limit_that_is_not_over_far_too_early(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It was counted in seconds, and the network didn't answer."""
    units: list[bool] = []
    gateway.timeout_scale = 0.3
    gateway.spans[1].ussd_duration = 60
    client = new_client(on_ussd_unit=units.append)
    await client.start()
    assert await ussd_failure(client, 1, timeout=2) is UssdFailure.TIMED_OUT
    assert units == []


@kinds_of_gateway()
async def test_a_ussd_menu_is_gone_through(gateway: Simulator, client: Gateway) -> None:
    """A reply is sent as the next code on the same span."""
    gateway.spans[1].ussd["*111#"] = UssdMenu(
        "1 Balance\n2 Offers", {"1": "12.50 EUR", "2": UssdMenu("1 Yes", {"1": "Done"})}
    )
    first = await client.ussd.send(1, "*111#")
    second = await client.ussd.send(1, "2")
    third = await client.ussd.send(1, "1")
    assert [reply.text for reply in (first, second, third)] == [
        "1 Balance\n2 Offers",
        "1 Yes",
        "Done",
    ]
    assert [reply.status for reply in (first, second, third)] == [
        UssdStatus.REPLY_EXPECTED,
        UssdStatus.REPLY_EXPECTED,
        UssdStatus.DONE,
    ]


@kinds_of_gateway()
@pytest.mark.parametrize(
    ("scripted", "failure"),
    [
        (UssdOutcome.FAILED, UssdFailure.FAILED),
        (UssdOutcome.TIMEOUT, UssdFailure.TIMED_OUT),
        (UssdOutcome.BUSY, SendFailure.BUSY),
    ],
)
async def test_ussd_failures_are_told_apart(
    gateway: Simulator,
    client: Gateway,
    scripted: UssdOutcome,
    failure: UssdFailure | SendFailure,
) -> None:
    """None is tried again."""
    gateway.spans[1].ussd_outcomes.append(scripted)
    assert await ussd_failure(client, 1, timeout=20) is failure
    assert len(sends(gateway)) == 1


@pytest.mark.parametrize("scripted", [UssdOutcome.FAILED, UssdOutcome.BUSY])
async def test_after_a_failure_the_span_needs_no_rest(
    gateway: Simulator, client: Gateway, scripted: UssdOutcome
) -> None:
    """Nothing comes late, unlike after a time-out."""
    gateway.spans[1].ussd["*100#"] = "12.50"
    gateway.spans[1].ussd_outcomes.append(scripted)
    await ussd_failure(client, 1, timeout=300)
    assert (await client.ussd.send(1, "*100#")).text == "12.50"


async def test_a_late_ussd_failure_goes_to_no_other_request(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """After a time-out the span rests a little, and is then as before."""
    span = gateway.spans[1]
    span.ussd["*100#"] = "12.50"
    span.ussd_duration = 0.01
    span.ussd_outcomes.append(UssdOutcome.LATE_FAILURE)
    asking = asyncio.create_task(ussd_failure(client, 1, timeout=1))
    await until(lambda: span.doing)
    skip(1)
    assert await asking is UssdFailure.TIMED_OUT
    span.ussd_duration = 0.2
    assert (await client.ussd.send(1, "*100#")).text == "12.50"


async def test_a_ussd_code_that_is_answered_at_the_last_moment(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """The answer counts: it's the gateway that says when the time is over."""
    gateway.timeout_scale = 10
    gateway.spans[1].ussd["*100#"] = "12.50"
    gateway.spans[1].ussd_duration = 2
    asking = asyncio.create_task(client.ussd.send(1, "*100#", timeout=2))
    await until(lambda: gateway.spans[1].doing)
    skip(2)
    assert (await asking).text == "12.50"


async def test_a_ussd_code_that_is_never_answered(
    gateway: Simulator, client: Gateway
) -> None:
    """It ends a little after its time, and the span is free again after a rest."""
    gateway.faults.silent_commands.add("ussd")
    async with asyncio.timeout(3):
        assert await ussd_failure(client, 1, timeout=0) is UssdFailure.TIMED_OUT
    gateway.faults.silent_commands.clear()
    now = asyncio.get_running_loop().time
    begun = now()
    assert (await client.ussd.send(1, "*100#")).text == "UNKNOWN APPLICATION"
    assert now() - begun > 0.1


async def test_a_ussd_code_whose_session_is_lost(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """It may have an answer that nobody hears."""
    gateway.spans[1].ussd_duration = 0.05
    asking = asyncio.create_task(ussd_failure(client, 1))
    await until(lambda: sends(gateway))
    gateway.faults.drop_sessions()
    assert await asking is UssdFailure.CONNECTION_LOST
    await until(lambda: None in heard.changes)


async def test_a_ussd_code_given_up_keeps_the_span_until_its_time_is_over(
    gateway: Simulator, client: Gateway
) -> None:
    """The driver would give its answer to the next request."""
    loop = asyncio.get_running_loop()
    span = gateway.spans[1]
    span.ussd = {"*100#": "12.50", "*101#": "Hi"}
    span.ussd_duration = 0.2
    given_up = asyncio.create_task(client.ussd.send(1, "*100#", timeout=1))
    await until(lambda: sends(gateway))
    begun = loop.time()
    given_up.cancel()
    span.ussd_duration = 0
    assert (await client.ussd.send(1, "*101#")).text == "Hi"
    assert loop.time() - begun > 0.9
    assert len(sends(gateway)) == 2


async def test_the_usual_time_limit(gateway: Simulator, client: Gateway) -> None:
    """It is given to the gateway, which counts it."""
    await client.ussd.send(1, "*100#")
    await client.ussd.send(1, "*100#", timeout=7)

    assert [command.split()[-1] for command in sends(gateway)] == ["30", "7"]


async def test_a_resting_span_is_busy_for_who_cannot_wait(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit is shorter than the rest."""
    monkeypatch.setattr(ussd_module, "LATE_ANSWER_TIME", 9)
    gateway.spans[1].ussd_outcomes.append(UssdOutcome.TIMEOUT)
    assert await ussd_failure(client, 1) is UssdFailure.TIMED_OUT
    assert await ussd_failure(client, 1, timeout=1) is SendFailure.BUSY
    result = await client.sms.send(NUMBER, "Hi", span=1, timeout=1)
    assert outcome(result) == failed(SendFailure.BUSY, 1)


@pytest.mark.parametrize("code", ["", "*100#\r\nAction: Logoff", "\x00", "1" * 161])
async def test_a_wrong_ussd_code_is_not_sent(
    gateway: Simulator, client: Gateway, code: str
) -> None:
    """It is the caller's mistake."""
    with pytest.raises(ValueError, match="1 to 160 characters on one line"):
        await client.ussd.send(1, code)
    assert sends(gateway) == []


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        *(
            (code, True)
            for code in ("*100#", "#31#", "*1*2*", "1", "12345", "Balance#")
        ),
        *((reply, False) for reply in ("hello", "1 2", "+1", "*100#?", "yes\n#", "")),
    ],
)
def test_what_begins_a_ussd_request(text: str, is_code: bool) -> None:
    """A reply may be anything else as well, on one line."""
    assert is_ussd_code(text) is is_code
    assert is_ussd_text(text) is (text != "" and "\n" not in text)


async def test_nobody_gets_into_a_ussd_conversation(
    gateway: Simulator, client: Gateway
) -> None:
    """Another code waits until the last reply has its answer."""
    gateway.spans[1].ussd["*111#"] = UssdMenu("1 Account", {"1": "12.50"})
    gateway.spans[1].ussd["*100#"] = "other"
    gateway.spans[1].ussd_duration = 0.02
    asking = asyncio.create_task(client.ussd.ask(1, "*111#", ["1", "2"]))
    await until(lambda: sends(gateway))
    other = asyncio.create_task(client.ussd.send(1, "*100#"))

    assert (await asking).text == "12.50"
    assert (await other).text == "other"
    # What is over needs no further reply.
    assert [command.split()[4] for command in sends(gateway)] == [
        '"*111#"',
        '"1"',
        '"*100#"',
    ]


async def test_no_question_goes_into_a_menu_that_is_open(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be taken for a reply. Only the one who opened the menu may reply."""
    gateway.spans[1].ussd["*111#"] = UssdMenu("1 Account", {"1": "12.50"})
    gateway.spans[1].ussd["*100#"] = "other"
    await client.ussd.send(1, "*111#")
    with pytest.raises(UssdError) as caught:
        await client.ussd.ask(1, "*100#")
    failure, was_asked = caught.value.failure, caught.value.was_asked
    assert (failure, was_asked) == (UssdFailure.MENU_OPEN, False)
    assert len(sends(gateway)) == 1

    assert (await client.ussd.send(1, "1")).text == "12.50"
    assert (await client.ussd.ask(1, "*100#")).text == "other"

    monkeypatch.setattr(ussd_module, "_MENU_TIME", 0)
    await client.ussd.send(1, "*111#")
    assert await client.ussd.ask(1, "1")  # nobody replied for so long


async def test_a_question_that_ends_in_a_menu_leaves_it_open(
    gateway: Simulator, client: Gateway
) -> None:
    """The network would take the next code for a reply."""
    gateway.spans[1].ussd["*111#"] = UssdMenu("1 Account", {"1": "12.50"})
    assert (await client.ussd.ask(1, "*111#")).text == "1 Account"
    with pytest.raises(UssdError):
        await client.ussd.ask(1, "*111#")
    assert len(sends(gateway)) == 1


async def test_a_conversation_that_fails_in_the_middle(
    gateway: Simulator, client: Gateway
) -> None:
    """Something of it was asked, though not the last reply."""
    gateway.spans[1].ussd["*111#"] = UssdMenu("1 Account", {"1": "12.50"})
    gateway.spans[1].ussd_outcomes.extend([UssdOutcome.SUCCESS, UssdOutcome.BUSY])
    with pytest.raises(UssdError) as caught:
        await client.ussd.ask(1, "*111#", ["1"])
    assert (caught.value.failure, caught.value.was_asked) == (SendFailure.BUSY, True)


async def test_a_conversation_whose_replies_cannot_be_any(
    gateway: Simulator, client: Gateway
) -> None:
    """Nothing of it is begun."""
    with pytest.raises(ValueError, match="1 to 160 characters on one line"):
        await client.ussd.ask(1, "*111#", ["1", ""])
    assert sends(gateway) == []


async def test_ussd_and_sms_take_turns_on_a_span(
    gateway: Simulator, client: Gateway
) -> None:
    """The driver would mix them up."""
    gateway.spans[1].ussd_duration = 0.05
    asking = asyncio.create_task(client.ussd.send(1, "*100#"))
    await until(lambda: sends(gateway))
    sending = asyncio.create_task(client.sms.send(NUMBER, "Hi", span=1))
    await asking
    assert gateway.sent == []
    assert outcome(await sending) == sent_on(1)
