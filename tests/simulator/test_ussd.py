"""USSD requests and sessions."""

import asyncio

import pytest

from simulator import Simulator, UssdMenu, UssdOutcome

from .client import Client, connected

ASK = "gsm send ussd 1 *100# 10"


async def test_plain_answer(sim: Simulator, client: Client) -> None:
    """A text and no further action."""
    sim.spans[1].ussd["*100#"] = "Your balance is 3.20 EUR\nThank you"
    assert await client.command(ASK) == (
        "1:Recive USSD on span 1,responses:0,code:15\n"
        "Text:Your balance is 3.20 EUR\nThank you"
    )
    assert sim.spans[1].last_event == "USSD received"


async def test_the_timeout_may_be_missing(sim: Simulator, client: Client) -> None:
    """It is 10 s then."""
    sim.spans[1].ussd["*100#"] = "ok"
    assert "Text:ok" in await client.command("gsm send ussd 1 *100#")


async def test_unknown_code(client: Client) -> None:
    """The network says something too."""
    assert "Text:UNKNOWN APPLICATION" in await client.command("gsm send ussd 1 *9#")


async def test_menu(sim: Simulator, client: Client) -> None:
    """A reply in an open session is the next request."""
    last = UssdMenu("Booked.", response=2)
    sim.spans[1].ussd["*100#"] = UssdMenu(
        "1 more", {"1": UssdMenu("1 book", {"1": last})}
    )
    sim.spans[1].ussd["1"] = "not in a session"
    assert "responses:1,code:15\nText:1 more" in await client.command(ASK)
    assert "responses:1,code:15\nText:1 book" in await client.command(
        "gsm send ussd 1 1"
    )
    assert "responses:2,code:15\nText:Booked." in await client.command(
        "gsm send ussd 1 1"
    )
    assert "Text:not in a session" in await client.command("gsm send ussd 1 1")


async def test_a_code_while_a_menu_is_open(sim: Simulator, client: Client) -> None:
    """The network takes it for a reply, and ends the session if the menu has none such."""
    sim.spans[1].ussd["*100#"] = UssdMenu("1 more", {"1": "more"})
    await client.command(ASK)
    assert "responses:2,code:15\nText:Invalid choice" in await client.command(ASK)
    assert "Text:1 more" in await client.command(ASK)
    assert "Text:more" in await client.command("gsm send ussd 1 1")


async def test_a_menu_that_nobody_answers(sim: Simulator, client: Client) -> None:
    """The network waits for some time only; then a code begins a session again."""
    sim.spans[1].ussd["*100#"] = UssdMenu("1 more", {"1": "more"})
    sim.spans[1].menu_seconds = 0.05
    await client.command(ASK)
    await asyncio.sleep(0.06)
    assert "Text:1 more" in await client.command(ASK)


async def test_other_alphabets(sim: Simulator, client: Client) -> None:
    """They come as UTF-8, with another code."""
    sim.spans[1].ussd["*100#"] = "Баланс 5 ₽"
    answer = (await client.command(ASK)).encode("latin-1").decode()
    assert answer.endswith("code:72\nText:Баланс 5 ₽")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("12345678", "\u3412\u7856"), ("123456", "123456"), ("0x", "0x")],
)
async def test_hex_is_taken_for_ucs_2(
    sim: Simulator, client: Client, text: str, shown: str
) -> None:
    """In groups of four, even if it is meant as a number, and in the wrong byte order."""
    sim.spans[1].ussd["*100#"] = text
    answer = (await client.command(ASK)).encode("latin-1").decode()
    assert answer.endswith(f"\nText:{shown}")


async def test_a_text_may_forge_the_end(sim: Simulator, client: Client) -> None:
    """An answer holds whatever the network sends, empty lines too."""
    text = "a\r\n\r\nResponse: Success"
    sim.spans[1].ussd["*100#"] = UssdMenu(text, code=72)
    assert (await client.command(ASK)).endswith(f"Text:{text}")


async def test_a_plain_text_loses_its_crs(sim: Simulator, client: Client) -> None:
    """Each becomes a blank."""
    sim.spans[1].ussd["*100#"] = "Menu:\r\n1 balance"
    assert (await client.command(ASK)).endswith("Text:Menu: \n1 balance")


async def test_time_limits_in_milliseconds(sim: Simulator, client: Client) -> None:
    """As some firmware counts them."""
    sim.ussd_in_milliseconds = True
    sim.spans[1].ussd_duration = 0.1
    sim.timeout_scale = 1.0
    assert "timeout" in await client.command("gsm send ussd 1 *100# 30")
    assert "1:Recive" in await client.command("gsm send ussd 1 *100# 30000")


async def test_old_form(sim: Simulator, client: Client) -> None:
    """As drivers answered before May 2013."""
    sim.old_ussd_form = True
    sim.spans[1].ussd["*100#"] = UssdMenu("1 more", {"1": "more"})
    assert await client.command(ASK) == (
        "1:Recive USSD sucess on span 1\n"
        "\tUSSD Responses:1\n\tUSSD Code:15\n\tUSSD Message:1 more"
    )


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (UssdOutcome.FAILED, "0:Send USSD failed on span 1"),
        (UssdOutcome.TIMEOUT, "0:Send USSD timeout on span 1(110)"),
        (UssdOutcome.BUSY, "0:Sending USSD now on span 1"),
    ],
)
async def test_scripted_outcome(
    sim: Simulator, client: Client, outcome: UssdOutcome, answer: str
) -> None:
    """The next request has it."""
    sim.spans[1].ussd_outcomes.append(outcome)
    assert await client.command(ASK) == answer
    assert "1:Recive USSD" in await client.command(ASK)


async def test_an_empty_text_is_a_failure(sim: Simulator, client: Client) -> None:
    """The driver takes it for one."""
    sim.spans[1].ussd["*100#"] = ""
    assert await client.command(ASK) == "0:Send USSD failed on span 1"
    assert sim.spans[1].last_event == "USSD send failed"


async def test_a_late_failure_hits_the_next_request(
    sim: Simulator, client: Client
) -> None:
    """The answers go to the one who waits."""
    span = sim.spans[1]
    span.late_after = 0.1
    span.ussd_outcomes.append(UssdOutcome.LATE_FAILURE)
    assert "timeout" in await client.command(ASK)
    span.ussd_duration = 0.2
    sim.timeout_scale = 1.0
    assert "failed" in await client.command(ASK)


async def test_a_late_failure_when_nobody_waits(sim: Simulator, client: Client) -> None:
    """If nobody waits any more."""
    sim.spans[1].late_after = 0.01
    sim.spans[1].ussd_outcomes.append(UssdOutcome.LATE_FAILURE)
    await client.command(ASK)
    await asyncio.sleep(0.03)
    assert sim.spans[1].last_event == "USSD send failed"


async def test_never_answered(sim: Simulator, client: Client) -> None:
    """The command hangs."""
    sim.spans[1].ussd_outcomes.append(UssdOutcome.HANG)
    client.start_command(ASK)
    await client.raw_packet_head()
    assert await client.silent(0.1)


async def test_span_that_is_not_ready(sim: Simulator, client: Client) -> None:
    """No answer within the timeout."""
    sim.spans[1].status = "No Signal"
    assert "timeout" in await client.command("gsm send ussd 1 *100# 1")
    sim.spans[1].status = "Up"


async def test_open_driver_sends_a_second_request_at_once(sim: Simulator) -> None:
    """The first answer goes to the one who waits longest, even if another one asked."""
    span = sim.spans[1]
    span.ussd |= {"*1#": "one", "*2#": "two"}
    span.ussd_duration = 0.1
    async with connected(sim) as one, connected(sim) as two:
        one.start_command("gsm send ussd 1 *1#")
        await one.raw_packet_head()
        await asyncio.sleep(0.02)
        assert span.state == "USSD SENDING"
        span.ussd_duration = 0.01
        two.start_command("gsm send ussd 1 *2#")
        assert "Text:two" in await one.output()
        assert "Text:one" in await two.output()


async def test_a_box_of_today_says_that_it_is_busy(today: Simulator) -> None:
    """One request at a time."""
    today.spans[1].ussd_duration = 0.05
    async with connected(today) as one, connected(today) as two:
        one.start_command(ASK)
        await one.raw_packet_head()
        await asyncio.sleep(0.01)
        assert await two.command(ASK) == "0:Sending USSD now on span 1"
        assert "1:Recive" in await one.output()


async def test_an_answer_in_the_moment_in_which_nobody_waits_any_more(
    sim: Simulator,
) -> None:
    """It goes to the next who waits, and is no error of the simulator."""
    span = sim.spans[1]
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: failures.append(context)
    )
    first, second = (
        asyncio.create_task(span.ussd_sender.send("*100#", 10)) for _ in range(2)
    )
    await asyncio.sleep(0)
    # Both are asked at once; the answers come when the first has just been given up,
    # and has not had its turn to leave.
    await asyncio.sleep(0)
    first.cancel()
    answer = await second
    assert answer.outcome is UssdOutcome.SUCCESS
    await sim.stop()
    assert first.cancelled()
    assert failures == []
