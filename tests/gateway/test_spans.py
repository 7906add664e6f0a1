"""The spans of a gateway: how they are read, and which one is chosen."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
import gc
from typing import Any

import pytest

from custom_components.openvox_gsm.ami import ActionTimeoutError, CannotConnectError
from custom_components.openvox_gsm.gateway import (
    Gateway,
    LastSign,
    NetworkStatus,
    SendFailure,
    SpanError,
    SpanStatus,
    Work,
    modules as modules_module,
    spans as spans_module,
)
from custom_components.openvox_gsm.gateway.sending import part as part_module
from simulator import Box, Simulator, SmsOutcome
from simulator.cli.command_line import Output

from .conftest import Heard, gateway_with, kinds_of_gateway, until
from .outcomes import (
    NUMBER,
    failed,
    later_firmware,
    outcome,
    sends,
    sent_on,
    ussd_failure,
)


@kinds_of_gateway()
async def test_spans_are_read_with_as_few_commands_as_the_firmware_allows(
    gateway: Simulator, client: Gateway
) -> None:
    """One for all only where its answer proves to be whole."""
    one_each = [f"gsm show span {number}" for number in (1, 2, 3, 4)]
    first = gateway.commands[gateway.commands.index("gsm show span all") :]
    gateway.commands.clear()
    gateway.spans[3].signal = 31
    spans = await client.spans.read()
    if gateway.box is Box.TODAY:
        assert first == gateway.commands == ["gsm show span all"]
    else:
        assert first == ["gsm show span all", "gsm show spans", *one_each]
        assert gateway.commands == ["gsm show spans", *one_each]
    assert dict(client.spans) == spans
    assert list(spans) == [1, 2, 3, 4]
    assert spans[3].signal_dbm == -51
    assert spans[3].status is SpanStatus.READY
    assert spans[3].network_status is NetworkStatus.HOME
    assert spans[3].operator == "CHINA MOBILE"


@pytest.mark.parametrize(
    "answer", ["", "No such command 'gsm show span all' (type 'help')\n"]
)
@gateway_with(box=Box.TODAY)
async def test_firmware_that_cannot_show_all_spans(
    gateway: Simulator, new_client: Callable[..., Gateway], answer: str
) -> None:
    """They are read one by one, now and from then on."""
    gateway.cli.recorded = lambda line: (
        Output(answer) if line == "gsm show span all" else None
    )
    client = new_client()
    await client.start()
    await client.spans.read()
    assert list(client.spans) == [1, 2, 3, 4]
    gateway.commands.clear()
    await client.spans.read()
    assert gateway.commands == [
        "gsm show spans",
        *(f"gsm show span {number}" for number in (1, 2, 3, 4)),
    ]


@kinds_of_gateway()
async def test_a_span_that_has_not_changed_is_the_same_object(
    gateway: Simulator, client: Gateway
) -> None:
    """So an entity that shows it has nothing to do."""
    before = await client.spans.read()
    again = await client.spans.read()
    assert again == before
    assert all(again[number] is before[number] for number in before)

    gateway.spans[3].signal = 31
    after = await client.spans.read()
    assert after != before
    assert [number for number in before if after[number] is not before[number]] == [3]
    assert before[3].csq != 31  # what was read earlier stays as it was


async def test_a_look_before_sending_keeps_an_unchanged_span(
    gateway: Simulator, client: Gateway
) -> None:
    """It is read once more then, and is still the same object."""
    before = await client.spans.read()
    gateway.commands.clear()
    await client.sms.send(NUMBER, "Hi", span=2)
    assert "gsm show span 2" in gateway.commands
    assert client.spans[2] is before[2]


@kinds_of_gateway()
async def test_spans_come_and_go(gateway: Simulator, client: Gateway) -> None:
    """A board was taken out, another one put in."""
    gateway.remove_span(2)
    gateway.add_span(7)
    assert list(await client.spans.read()) == [1, 3, 4, 7]
    for number in list(gateway.spans):
        gateway.remove_span(number)
    assert await client.spans.read() == {}


async def test_a_span_that_cannot_be_shown_is_known_by_the_list(
    gateway: Simulator, client: Gateway
) -> None:
    """As much as that tells."""
    gateway.spans[2].dchannel_running = False
    span = (await client.spans.read())[2]
    assert span.status_text == "Power on, Provisioned, Up, Active, Standard"
    assert span.operator == ""


async def test_a_span_that_hangs_does_not_take_the_others_along(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """It is unknown, and left alone after the second time; the connection stands."""
    gateway.spans[2].hung = True
    gateway.commands.clear()
    for _ in range(4):
        spans = await client.spans.read()
        assert [span.status for span in spans.values()] == [
            SpanStatus.READY,
            SpanStatus.UNKNOWN,
            SpanStatus.READY,
            SpanStatus.READY,
        ]
    assert gateway.commands.count("gsm show span 2") == 2
    assert client.is_connected
    assert heard.changes == []

    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.SPAN_SILENT, 2)
    assert await ussd_failure(client, 2) is SendFailure.SPAN_SILENT
    assert sends(gateway) == []

    await gateway.restart()
    await until(lambda: client.is_connected and None in heard.changes)
    for hung in (True, False):  # once counts for nothing, as before
        gateway.spans[2].hung = hung
        is_ready = (await client.spans.read())[2].status is SpanStatus.READY
        assert is_ready is not hung


async def test_a_span_that_is_silent_once_is_asked_again_at_once(
    gateway: Simulator, client: Gateway
) -> None:
    """All of the gateway may have been silent, for a moment; it's no reason by itself."""
    for _ in range(2):
        gateway.spans[2].hung = True
        assert (await client.spans.read())[2].status is SpanStatus.UNKNOWN
        gateway.spans[2].hung = False
        assert (await client.spans.read())[2].status is SpanStatus.READY


async def test_a_span_that_is_silent_once_is_sent_nothing(
    gateway: Simulator, client: Gateway
) -> None:
    """The error says that it doesn't respond."""
    gateway.spans[2].hung = True
    assert outcome(await client.sms.send(NUMBER, "Hi", span=2)) == failed(
        SendFailure.SPAN_SILENT, 2
    )


async def test_a_span_has_rested_when_its_time_is_over(
    skip: Callable[[float], None], client: Gateway
) -> None:
    """It gets work at once then."""
    async with client.spans.exclusive(2) as lock:
        lock.block(60)
        skip(60)
        async with asyncio.timeout(0.8):
            deadline = asyncio.get_running_loop().time()
            assert await client.spans.wait_until_ready(lock, deadline) is None


async def test_for_how_long_a_span_that_hangs_is_left_alone(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """For five minutes, after the second time."""
    gateway.spans[2].hung = True
    for _ in range(2):
        assert (await client.spans.read())[2].status is SpanStatus.UNKNOWN
    gateway.spans[2].hung = False
    skip(290)
    assert (await client.spans.read())[2].status is SpanStatus.UNKNOWN
    skip(11)
    assert (await client.spans.read())[2].status is SpanStatus.READY


async def test_when_a_span_is_stuck(
    gateway: Simulator, skip: Callable[[float], None], client: Gateway
) -> None:
    """No SMS may take as long: 300 s at most, and some more."""
    gateway.spans[2].state = "SMS SENDING"
    assert (await client.spans.read())[2].status is SpanStatus.BUSY
    skip(325)
    assert (await client.spans.read())[2].status is SpanStatus.BUSY
    skip(6)
    assert (await client.spans.read())[2].status is SpanStatus.STUCK


@later_firmware
async def test_a_span_that_hangs_up_all_is_found(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """The spans are read one by one from then on, until the gateway has restarted."""
    gateway.spans[2].hung = True
    gateway.faults.silent_commands.add("gsm show span all")
    spans = await client.spans.read()
    assert spans[1].status is SpanStatus.READY
    assert spans[2].status is SpanStatus.UNKNOWN
    gateway.commands.clear()
    await client.spans.read()
    assert "gsm show span all" not in gateway.commands
    assert heard.changes == []

    gateway.faults.silent_commands.clear()
    await gateway.restart()
    await until(lambda: client.is_connected and None in heard.changes)
    gateway.commands.clear()
    await client.spans.read()
    assert gateway.commands == ["gsm show span all"]


async def test_nobody_waits_any_more_when_reading_fails(
    gateway: Simulator, client: Gateway
) -> None:
    """It's no error in the log of one who gave up."""
    errors: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: errors.append(context))
    gateway.faults.freeze()
    waiting = asyncio.create_task(client.spans.read())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    del waiting

    await client.stop()
    with pytest.raises(CannotConnectError):  # from now on nothing holds the failed one
        await client.spans.read()
    await asyncio.sleep(0)
    gc.collect()
    assert errors == []


async def test_reading_fails_where_the_gateway_does_not_answer(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """And works again afterwards."""
    gateway.faults.freeze()
    with pytest.raises(ActionTimeoutError):
        await client.spans.read()
    with pytest.raises(CannotConnectError):
        await client.read_core_status()
    gateway.faults.thaw()
    await until(lambda: client.is_connected and None in heard.changes)
    assert len(await client.spans.read()) == 4


async def test_calls_are_counted(gateway: Simulator, client: Gateway) -> None:
    """All of the gateway."""
    assert (await client.read_core_status()).active_calls == 0
    await gateway.incoming_call(1, "10086")
    await gateway.incoming_call(2, "10086")
    assert (await client.read_core_status()).active_calls == 2


# Spans that can't do all or anything


@later_firmware
async def test_a_limit_keeps_a_span_from_what_it_limits(
    gateway: Simulator, client: Gateway
) -> None:
    """And from nothing else; another span is chosen."""
    for number in (2, 3, 4):
        gateway.spans[number].limits.append("Sms")
    gateway.spans[1].limits.append("Call")
    await client.spans.read()

    assert (await client.sms.send(NUMBER, "Hi")).span == 1
    assert (await client.calls.ring(NUMBER, 20)).span != 1
    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.SPAN_LIMIT, 2)
    with pytest.raises(SpanError) as error:
        await client.calls.ring(NUMBER, 20, span=1)
    assert error.value.failure is SendFailure.SPAN_LIMIT
    gateway.spans[2].ussd["*100#"] = "12.50"
    assert (await client.ussd.send(2, "*100#")).text == "12.50"


@later_firmware
async def test_a_limit_counts_while_a_span_does_our_own_work(
    gateway: Simulator, client: Gateway
) -> None:
    """As when it asks for the balance, which isn't limited."""
    gateway.spans[2].limits.append("Sms")
    async with client.spans.exclusive(2):
        gateway.spans[2].doing = "USSD SENDING"
        assert (await client.spans.read())[2].status is SpanStatus.BUSY
        assert client.spans.choose(frozenset((1, 3, 4))) is None
        assert client.spans.choose(frozenset((1, 3, 4)), Work.USSD) == 2


@later_firmware
async def test_a_locked_span(gateway: Simulator, client: Gateway) -> None:
    """It does nothing, and says why."""
    for span in gateway.spans.values():
        span.lock()

    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.SPAN_LOCKED, 2)
    assert await ussd_failure(client, 2) is SendFailure.SPAN_LOCKED
    result = await client.sms.send(NUMBER, "Hi")
    assert result.failure is SendFailure.NO_SPAN_READY
    assert sends(gateway) == []


# Modules that are switched off


@pytest.fixture
def off(gateway: Simulator) -> None:
    """Let modules start and stop at once."""
    gateway.power_speed = 0


@kinds_of_gateway()
@pytest.mark.usefixtures("off")
async def test_a_module_that_is_off(gateway: Simulator, client: Gateway) -> None:
    """It's off whatever the driver goes on to say, and gets no work."""
    await client.modules.set_power(2, on=False)
    for _ in range(2):
        span = (await client.spans.read())[2]
        assert span.status is SpanStatus.POWER_OFF
        assert (span.csq, span.operator) == (None, "")
        assert span.network_status is NetworkStatus.UNKNOWN
        assert client.spans.choose(frozenset((1, 3, 4))) is None

    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.POWER_OFF, 2)
    assert await ussd_failure(client, 2) is SendFailure.POWER_OFF
    with pytest.raises(SpanError) as error:
        await client.calls.ring(NUMBER, 20, span=2)
    assert error.value.failure is SendFailure.POWER_OFF
    assert sends(gateway) == []
    assert not gateway.spans[2].module_on  # an SMS would have switched it on

    await client.modules.set_power(2, on=True)
    assert (await client.spans.read())[2].status is SpanStatus.READY
    assert outcome(await client.sms.send(NUMBER, "Hi", span=2)) == sent_on(2)


type Deed = Callable[[Simulator], Awaitable[object]]


async def _another_signal(gateway: Simulator) -> None:
    gateway.spans[2].signal = 17


async def _another_sim(gateway: Simulator) -> None:
    gateway.spans[2].imsi = "460021180590999"


async def _an_sms(gateway: Simulator) -> None:
    await gateway.receive_sms(2, NUMBER, "Hi")


async def _a_call(gateway: Simulator) -> None:
    gateway.spans[2].module_on = True
    await gateway.incoming_call(2, NUMBER)


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("deed", [_another_signal, _another_sim, _an_sms, _a_call])
async def test_a_module_that_shows_new_life(
    gateway: Simulator, client: Gateway, deed: Deed
) -> None:
    """Somebody else has switched it on."""
    await client.modules.set_power(2, on=False)
    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF

    await deed(gateway)
    async with asyncio.timeout(3):
        while (await client.spans.read())[2].status is SpanStatus.POWER_OFF:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("deed", [_an_sms, _a_call])
async def test_what_comes_in_tells_of_new_life_at_once(
    gateway: Simulator, new_client: Callable[..., Gateway], deed: Deed
) -> None:
    """Not only the next poll does."""
    news: list[str] = []
    client = new_client(on_span_news=lambda: news.append("news"))
    await client.start()
    await client.modules.set_power(2, on=False)
    assert not news

    await deed(gateway)
    await until(lambda: news)


async def test_what_comes_in_is_no_news_of_a_module_that_is_on(
    gateway: Simulator, new_client: Callable[..., Gateway], heard: Heard
) -> None:
    """Nothing has to be read for it."""
    news: list[str] = []
    client = new_client(on_span_news=lambda: news.append("news"))
    await client.start()

    await _an_sms(gateway)
    await until(lambda: heard.sms)
    assert not news


@pytest.mark.usefixtures("off")
async def test_a_module_that_is_switched_off_again(
    gateway: Simulator, client: Gateway
) -> None:
    """What it showed after the first time is no measure for what it shows now."""
    await client.modules.set_power(2, on=False)
    await client.spans.read()
    await gateway.spans[2].power_switch.on()  # by somebody else, between two looks
    await _another_sim(gateway)
    await client.modules.set_power(2, on=False)

    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF


@later_firmware
@pytest.mark.usefixtures("off")
async def test_a_module_that_the_gateway_says_is_on_again(
    gateway: Simulator, client: Gateway
) -> None:
    """This firmware knows."""
    await client.modules.set_power(2, on=False)
    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF

    await gateway.spans[2].power_switch.on()
    assert (await client.spans.read())[2].status is SpanStatus.READY


@pytest.mark.usefixtures("off")
async def test_a_look_from_before_is_no_sign_of_life(
    gateway: Simulator, client: Gateway
) -> None:
    """A poll may be under way while the module is switched off."""
    gateway.spans[2].signal = 5
    lock = client.spans
    asked: asyncio.Event = asyncio.Event()
    go_on: asyncio.Event = asyncio.Event()
    command = client._connection.command  # noqa: SLF001

    async def slow(text: str) -> str:
        output = await command(text)
        if text == "gsm show span 2" and not asked.is_set():
            asked.set()
            await go_on.wait()
        return output

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client._connection, "command", slow)  # noqa: SLF001
        reading = asyncio.create_task(lock.read())
        await asked.wait()
        await client.modules.set_power(2, on=False)
        gateway.spans[2].signal = 9
        go_on.set()
        assert (await reading)[2].status is SpanStatus.POWER_OFF
    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF


@pytest.mark.usefixtures("off")
async def test_what_is_off_is_kept(
    gateway: Simulator, new_client: Callable[..., Gateway]
) -> None:
    """For the next run; a module that was switched on meanwhile shows another signal."""
    kept: dict[int, LastSign] = {}

    def keep(switched_off: Mapping[int, LastSign]) -> None:
        kept.clear()
        kept.update(switched_off)

    first = new_client(on_power=keep)
    await first.start()
    await first.modules.set_power(2, on=False)
    await first.modules.set_power(3, on=False)
    assert kept == {2: LastSign(), 3: LastSign()}
    await first.spans.read()
    await first.stop()
    assert kept == {2: LastSign(20, False), 3: LastSign(20, False)}

    gateway.spans[3].signal = 11
    second = new_client(on_power=keep, switched_off=dict(kept))
    await second.start()
    spans = await second.spans.read()
    assert spans[2].status is SpanStatus.POWER_OFF
    assert spans[3].status is SpanStatus.READY
    assert kept == {2: LastSign(20, False)}


@pytest.mark.usefixtures("off")
async def test_a_restart_switches_a_module_on(
    gateway: Simulator, client: Gateway
) -> None:
    """Like the switch."""
    await client.modules.set_power(2, on=False)
    await client.modules.restart(2)

    assert (await client.spans.read())[2].status is SpanStatus.READY


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.modules.set_power(2, on=False),
        lambda client: client.modules.restart(2),
        lambda client: client.modules.reload(2),
    ],
    ids=["switch", "restart", "reload"],
)
async def test_a_module_is_left_alone_while_its_span_works(
    gateway: Simulator,
    client: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Gateway], Coroutine[Any, Any, None]],
) -> None:
    """An SMS under way would be lost."""
    monkeypatch.setattr(modules_module, "_RELOAD_TIME", 0.01)
    gateway.commands.clear()

    async with client.spans.exclusive(2):
        acting = asyncio.create_task(act(client))
        for _ in range(2):
            await client.run_command("gsm show version")
        assert gateway.commands == ["gsm show version"] * 2
    await acting
    assert gateway.commands[-1].endswith(" 2")


@pytest.mark.usefixtures("off")
async def test_a_module_that_hangs_while_it_is_off(
    gateway: Simulator, client: Gateway
) -> None:
    """It's off all the same."""
    await client.modules.set_power(2, on=False)
    gateway.spans[2].hung = True

    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF


@pytest.mark.usefixtures("off")
@kinds_of_gateway()
async def test_a_module_that_is_switched_by_a_raw_command(
    gateway: Simulator, client: Gateway
) -> None:
    """It counts like the switch."""
    await client.run_command("gsm  power off 2")
    await client.run_action("Command", [("Command", "gsm power off 3")])
    spans = await client.spans.read()
    assert spans[2].status is spans[3].status is SpanStatus.POWER_OFF

    await client.run_command("gsm power on 2")
    await client.run_action("Command", [("Command", "gsm power reset 3")])
    spans = await client.spans.read()
    assert spans[2].status is spans[3].status is SpanStatus.READY


@pytest.mark.usefixtures("off")
async def test_a_raw_command_that_switches_nothing(
    gateway: Simulator, client: Gateway
) -> None:
    """A refusal is no switch, and the success of something else isn't, either."""
    gateway.spans[2].power_fails = True
    await client.run_command("gsm power off 2")
    [line] = await client.run_command(f'gsm send sync sms 2 {NUMBER} "Hi" 9')
    assert "SUCCESSFULLY" in line

    assert (await client.spans.read())[2].status is SpanStatus.READY


@pytest.mark.usefixtures("off")
@kinds_of_gateway()
async def test_a_look_without_an_answer_is_no_sign_of_life(
    gateway: Simulator, client: Gateway
) -> None:
    """What was read before that shows nothing, nor does the next poll."""
    await client.modules.set_power(2, on=False)
    await client.spans.read()
    gateway.spans[2].hung = True
    for _ in range(2):
        result = await client.sms.send(NUMBER, "Hi", span=2)
        assert outcome(result) == failed(SendFailure.POWER_OFF, 2)

    gateway.spans[2].hung = False
    client.spans.forget_firmware()
    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF


@pytest.mark.usefixtures("off")
async def test_a_module_that_may_be_off_counts_as_off(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SMS would switch it on, and be lost."""
    monkeypatch.setattr(modules_module, "_POWER_TIMEOUT", 0.1)
    gateway.faults.silent_commands.add("gsm power off 2")
    with pytest.raises(ActionTimeoutError):
        await client.modules.set_power(2, on=False)

    assert (await client.spans.read())[2].status is SpanStatus.POWER_OFF


# Spans that are stuck


@pytest.mark.parametrize(
    ("scripted", "state"),
    [(SmsOutcome.NO_PROMPT, "SMS SENDING"), (SmsOutcome.NO_ANSWER, "SMS SENT")],
)
async def test_a_span_that_is_stuck(
    gateway: Simulator,
    client: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    scripted: SmsOutcome,
    state: str,
) -> None:
    """It's told from one that is busy, and gets no work until it's started again."""
    gateway.power_speed = 0
    monkeypatch.setattr(modules_module, "_RELOAD_TIME", 0.01)
    gateway.spans[2].sms_outcomes.append(scripted)
    result = await client.sms.send(NUMBER, "Hi", span=2, timeout=1)
    assert result.failure is SendFailure.TIMED_OUT
    assert gateway.spans[2].state == state
    assert (await client.spans.read())[2].status is SpanStatus.BUSY

    monkeypatch.setattr(spans_module, "STUCK_AFTER", 0.0)
    await asyncio.sleep(0.01)
    assert (await client.spans.read())[2].status is SpanStatus.STUCK
    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.STUCK, 2)
    assert client.spans.choose(frozenset((1, 3, 4))) is None

    await client.modules.reload(2)
    assert gateway.commands[-1] == "gsm reload span 2"
    assert (await client.spans.read())[2].status is SpanStatus.READY
    assert outcome(await client.sms.send(NUMBER, "Hi", span=2)) == sent_on(2)


async def test_a_span_that_sends_at_the_first_look_is_busy(
    gateway: Simulator, new_client: Callable[..., Gateway]
) -> None:
    """For how long it has been sending isn't known."""
    gateway.spans[2].sms_outcomes.append(SmsOutcome.NO_ANSWER)
    other = new_client()
    await other.start()
    await other.sms.send(NUMBER, "Hi", span=2, timeout=1)

    client = new_client()
    await client.start()
    assert (await client.spans.read())[2].status is SpanStatus.BUSY


async def test_a_span_that_sends_all_the_time_is_not_stuck(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look sees it sending, but never the same SMS."""
    monkeypatch.setattr(spans_module, "STUCK_AFTER", 0.08)
    gateway.spans[2].send_duration = 0.05

    async def look() -> None:
        while True:
            assert (await client.spans.read())[2].status is not SpanStatus.STUCK
            await asyncio.sleep(0.002)

    looking = asyncio.create_task(look())
    for _ in range(6):
        assert (await client.sms.send(NUMBER, "Hi", span=2)).parts_sent
    assert not looking.done()
    looking.cancel()
    await asyncio.wait([looking])


async def test_a_reload_that_is_refused(gateway: Simulator, client: Gateway) -> None:
    """Firmware without the command says so."""
    with pytest.raises(SpanError) as error:
        await client.modules.reload(99)
    assert error.value.failure is SendFailure.REFUSED


# Events about spans


@later_firmware
@pytest.mark.parametrize("deed", ["lock", "remove_sim", "insert_sim", "find_network"])
async def test_an_event_tells_at_once(
    gateway: Simulator, new_client: Callable[..., Gateway], deed: str
) -> None:
    """What the next poll would tell."""
    news: list[str] = []
    client = new_client(on_span_news=lambda: news.append("news"))
    await client.start()
    getattr(gateway.spans[2], deed)()

    await until(lambda: news)


@pytest.mark.parametrize(
    ("signal", "comes_last"),
    [(0, True), (5, True), (6, False), (31, False), (-1, False), (99, False)],
)
async def test_a_span_with_hardly_any_signal_comes_last(
    gateway: Simulator, client: Gateway, signal: int, comes_last: bool
) -> None:
    """Even after those that were just used, or are being used."""
    gateway.spans[2].signal = signal
    await client.spans.read()
    for span in (1, 3, 4):
        await client.sms.send(NUMBER, "Hi", span=span)
    assert client.spans.choose() == (1 if comes_last else 2)

    async with client.spans.exclusive(1):
        only_two = frozenset((3, 4))
        assert client.spans.choose(only_two) == (1 if comes_last else 2)
        assert client.spans.choose(only_two | {1}) == 2


async def test_a_span_that_somebody_else_keeps_busy_comes_after_free_ones(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was used longest ago: it has just refused our SMS."""
    monkeypatch.setattr(part_module, "BUSY_INTERVAL", 9)
    gateway.spans[1].sms_outcomes.extend(99 * [SmsOutcome.BUSY])
    result = await client.sms.send(NUMBER, "Hi", span=1, timeout=0)
    assert outcome(result) == failed(SendFailure.BUSY, 1)
    for span in (2, 3, 4):
        await client.sms.send(NUMBER, "Hi", span=span)
    assert client.spans.choose() != 1


@pytest.mark.parametrize("work", [Work.SMS, Work.USSD])
async def test_a_span_that_only_somebody_else_keeps_busy_is_not_chosen(
    gateway: Simulator, client: Gateway, work: Work
) -> None:
    """Nobody knows for how long; it's chosen while we use it as well."""
    gateway.spans[2].doing = "USSD SENDING"
    assert (await client.spans.read())[2].status is SpanStatus.BUSY
    others = frozenset((1, 3, 4))
    assert client.spans.choose(others, work) is None

    async with client.spans.exclusive(2):
        assert client.spans.choose(others, work) == 2
    assert client.spans.choose(others, work) is None


async def test_a_span_is_free_again_after_its_use(client: Gateway) -> None:
    """However often it was used: only when counts."""
    for span in (1, 1, 2, 3, 4):
        await client.sms.send(NUMBER, "Hi", span=span)
    assert client.spans.choose() == 1
