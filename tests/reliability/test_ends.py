"""The entry is unloaded or reloaded, or Home Assistant stops, while something is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.publisher import PUBLISHERS
from custom_components.openvox_gsm.store import STORES
from homeassistant.config_entries import ConfigEntryState
from homeassistant.util import dt as dt_util
from simulator import SmsOutcome, User

from .house import LOST, House
from .test_connection import is_sending, poll_begins, receive_parts

from tests.common import OTHER_PHONE, give_rights_back, set_rights

type Deed = Callable[[House], Awaitable[None]]


async def _nothing(house: House) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Scene:
    """Something that is wrong with a gateway: how it comes about, and how it is fixed."""

    begin: Deed
    fix: Deed = _nothing
    log: tuple[str, ...] = ()


SCENES: dict[str, Scene] = {}


def scene(
    name: str, fix: Deed = _nothing, log: tuple[str, ...] = ()
) -> Callable[[Deed], Deed]:
    """Add a scene that begins with a deed, the gateway being set up."""

    def add(begin: Deed) -> Deed:
        SCENES[name] = Scene(begin, fix, log)
        return begin

    return add


async def _lose(house: House) -> None:
    """Drop the connections, and see that Home Assistant tries to connect again."""
    house.gateway.faults.drop_sessions()
    await house.until(lambda: not house.is_connected)
    await house.pass_time(3)


# Fixing


async def _listen(house: House) -> None:
    house.gateway.faults.refuse = False


async def _thaw(house: House) -> None:
    house.gateway.faults.unreachable = False
    house.gateway.faults.thaw()


async def _greet(house: House) -> None:
    house.gateway.faults.greeting = b"Asterisk Call Manager/1.1\r\n"
    house.gateway.faults.greeting_delay = 0
    house.gateway.faults.login_delay = 0


async def _old_password(house: House) -> None:
    house.gateway.users["admin"] = User("admin", "admin")


async def _rights(house: House) -> None:
    give_rights_back(house.gateway)


async def _start(house: House) -> None:
    await house.gateway.start()


async def _calm(house: House) -> None:
    for span in house.gateway.spans.values():
        span.send_duration = span.ussd_duration = 0
    await house.pass_time(10)


async def _thaw_and_calm(house: House) -> None:
    await _thaw(house)
    await _calm(house)


# Scenes


@scene("away", _listen, LOST[:1])
async def _away(house: House) -> None:
    house.gateway.faults.refuse = True
    await _lose(house)


@scene("unreachable", _thaw, LOST[:1])
async def _unreachable(house: House) -> None:
    house.gateway.faults.unreachable = True
    await _lose(house)


@scene("no banner", _greet, LOST[:1])
async def _no_banner(house: House) -> None:
    house.gateway.faults.greeting = None
    await _lose(house)


@scene("late banner", _greet, LOST[:1])
async def _late_banner(house: House) -> None:
    house.gateway.faults.greeting_delay = 9
    await _lose(house)


@scene("no login", _greet, LOST[:1])
async def _no_login(house: House) -> None:
    house.gateway.faults.login_delay = 1e6
    await _lose(house)


@scene("late login", _greet, LOST[:1])
async def _late_login(house: House) -> None:
    house.gateway.faults.login_delay = 9
    await _lose(house)


@scene("wrong password", _old_password, LOST[:1])
async def _wrong_password(house: House) -> None:
    house.gateway.users["admin"] = User("admin", "new")
    await _lose(house)


@scene("no right for commands", _rights, LOST[:1])
async def _no_command_right(house: House) -> None:
    set_rights(house.gateway, without="command")
    await _lose(house)


@scene("no right for SMS", _rights, LOST)
async def _no_dialplan_right(house: House) -> None:
    set_rights(house.gateway, without="dialplan")
    await _lose(house)


@scene("restarting", _start, LOST[:1])
async def _restarting(house: House) -> None:
    await house.gateway.stop()
    await house.until(lambda: not house.is_connected)


@scene("silent", _thaw)
async def _silent(house: House) -> None:
    house.gateway.faults.freeze()


@scene("silent during a poll", _thaw)
async def _silent_poll(house: House) -> None:
    house.gateway.faults.freeze()
    await poll_begins(house)


@scene("during a send", _calm)
async def _send(house: House) -> None:
    house.gateway.spans[1].send_duration = 3
    house.send(1)
    await is_sending(house)


@scene("silent during a send", _thaw_and_calm)
async def _silent_send(house: House) -> None:
    await _send(house)
    house.gateway.faults.freeze()


@scene("between parts out", _calm)
async def _parts_out(house: House) -> None:
    house.gateway.spans[1].send_duration = 3
    house.send(1, parts=3)
    await is_sending(house, parts_sent=1)


@scene("during USSD", _calm)
async def _ussd(house: House) -> None:
    house.gateway.spans[1].ussd_duration = 3
    house.ask_and_forget()
    await house.until(lambda: house.gateway.spans[1].state == "USSD SENDING")


@scene("silent during USSD", _thaw_and_calm)
async def _silent_ussd(house: House) -> None:
    await _ussd(house)
    house.gateway.faults.freeze()


@scene("garbage")
async def _garbage(house: House) -> None:
    house.gateway.faults.garbage(bytes(range(256)) + b"\r\n\r\n" + bytes(range(256)))
    await house.rest()


@scene("huge packet", log=LOST[:1])
async def _huge_packet(house: House) -> None:
    house.gateway.faults.garbage(b"Event: Huge\r\nX: " + 2 * 1024 * 1024 * b"x")
    await house.until(lambda: not house.is_connected)


@scene("half a packet")
async def _half_a_packet(house: House) -> None:
    house.gateway.faults.garbage(b"Event: Half\r\nX: " + 2000 * b"x")
    await house.rest()


@scene("one byte at a time")
async def _slow_bytes(house: House) -> None:
    house.gateway.faults.slow_bytes = True
    house.hass.async_create_task(house.entry.runtime_data.coordinator.async_refresh())


@scene("flood")
async def _flood(house: House) -> None:
    house.gateway.spawn(house.gateway.noise(5000, sms_like=True))
    house.send()


async def _unhang(house: House) -> None:
    house.gateway.spans[2].hung = False


@scene("span that never answers", _unhang)
async def _hung(house: House) -> None:
    house.gateway.spans[2].hung = True
    await poll_begins(house)


@scene("send that is never answered")
async def _hanging_send(house: House) -> None:
    house.gateway.spans[1].sms_outcomes.append(SmsOutcome.HANG)
    house.send(1)
    await house.rest()


@scene("sleep")
async def _sleep(house: House) -> None:
    house.let_sleep(7200)


async def _span_back(house: House) -> None:
    house.gateway.add_span(4)


@scene("span gone", _span_back)
async def _span_gone(house: House) -> None:
    house.gateway.remove_span(4)
    await house.until(lambda: house.unavailable)


async def _sim_in(house: House) -> None:
    house.gateway.spans[2].insert_sim()


@scene("no SIM", _sim_in)
async def _no_sim(house: House) -> None:
    house.gateway.spans[2].remove_sim()
    await house.pass_time(31)


async def _pin_in(house: House) -> None:
    house.gateway.spans[2].status = "Up"


@scene("PIN", _pin_in)
async def _pin(house: House) -> None:
    house.gateway.spans[2].status = "Pin (73914862) Error"
    await house.pass_time(31)


@scene("other gateway dead", log=(r"Error (?:fetching|requesting) Other data: .+",))
async def _other_dead(house: House) -> None:
    await house.set_up_other()
    house.other.faults.refuse = True
    house.other.faults.drop_sessions()
    await house.until(
        lambda: house.hass.states.is_state("binary_sensor.other_connectivity", "off")
    )


# A client reads in one turn of the loop what the gateway has written in another.
TURNS_UNTIL_READ = 3
DURING_A_POLL = (
    "silent during a poll",
    "one byte at a time",
    "span that never answers",
)


async def _bring_about(house: House, name: str) -> Scene:
    scene = SCENES[name]
    house.log = list(scene.log)
    await house.set_up()
    await scene.begin(house)
    return scene


while_something_is_wrong = pytest.mark.parametrize("name", SCENES)


@while_something_is_wrong
async def test_unload(house: House, name: str) -> None:
    """All is left at once; set up again, all is normal."""
    scene = await _bring_about(house, name)

    unloading = house.hass.async_create_task(
        house.hass.config_entries.async_unload(house.entry.entry_id)
    )
    await house.recovers(unloading.done)

    assert house.entry.state is ConfigEntryState.NOT_LOADED
    house.check_disconnected()
    await scene.fix(house)
    await house.set_up()
    await house.prove_normal()
    await house.close()


@while_something_is_wrong
async def test_reload(house: House, name: str) -> None:
    """Where the gateway cannot be reached it is tried again and again."""
    scene = await _bring_about(house, name)

    reloading = house.hass.async_create_task(
        house.hass.config_entries.async_reload(house.entry.entry_id)
    )
    await house.until(reloading.done)

    await scene.fix(house)
    if house.entry.state is ConfigEntryState.SETUP_ERROR:
        house.log.append(r"Config entry 'OpenVox' .+ could not authenticate: .+")
        await house.do(house.hass.config_entries.async_reload(house.entry.entry_id))
    await house.recovers()
    await house.prove_normal()
    await house.close()


@while_something_is_wrong
async def test_stop(house: House, name: str) -> None:
    """Home Assistant stops; the gateway is left in order where it still listens."""
    await _bring_about(house, name)

    stopping = house.hass.loop.create_task(house.hass.async_stop(force=True))
    await house.recovers(stopping.done)

    house.check_disconnected()
    await house.close()


# Between the parts of a long SMS


async def test_reload_between_parts_in(house: House) -> None:
    """The parts that come after it are joined with those from before."""
    await house.set_up()
    text = house.new_text(3)
    await receive_parts(house, text, 1)
    reloading = house.hass.async_create_task(
        house.hass.config_entries.async_reload(house.entry.entry_id)
    )
    await house.recovers(reloading.done)

    await receive_parts(house, text, 2, 3)

    house.delivered.append(text)
    assert house.texts == [text]
    await house.prove_normal()
    await house.close()


@pytest.mark.parametrize("restarts", [False, True], ids=["reload", "restart"])
async def test_sms_comes_again_after_a_restart(
    house: House, hass_storage: dict[str, Any], restarts: bool
) -> None:
    """The network got no acknowledgement, and delivers it again hours later."""
    house.log = ["Span 1: an SMS came twice; dropped the second"]
    await house.set_up()
    sent_at = dt_util.utcnow()
    text = house.new_text()
    await house.gateway.receive_sms(1, OTHER_PHONE, text, sent_at)
    await house.until(lambda: house.texts_include(text))
    await house.pass_time(1)
    assert await house.do(house.hass.config_entries.async_unload(house.entry.entry_id))
    if restarts:
        saved = hass_storage[f"{DOMAIN}.{house.entry.entry_id}"]
        assert text not in str(saved)
        assert OTHER_PHONE not in str(saved)
        for kept in (STORES, PUBLISHERS):
            house.hass.data[kept].clear()  # type: ignore[index]
    setting_up = house.hass.async_create_task(
        house.hass.config_entries.async_setup(house.entry.entry_id)
    )
    await house.recovers(setting_up.done)
    house.let_sleep(3 * 3600)
    await house.until(lambda: house.is_normal)

    await house.gateway.receive_sms(1, OTHER_PHONE, text, sent_at)
    await house.pass_time(5)

    house.delivered.append(text)
    assert house.texts == [text]
    await house.prove_normal()
    await house.close()


async def test_stop_between_parts_in(house: House) -> None:
    """The parts that are there are published before the end, as incomplete."""
    house.log = ["Span 1: only 1 of 3 parts of a long SMS arrived"]
    await house.set_up()
    text = house.new_text(3)
    await receive_parts(house, text, 1)

    stopping = house.hass.loop.create_task(house.hass.async_stop(force=True))
    await house.recovers(stopping.done)

    house.check_disconnected()
    assert house.received[0].data["complete"] is False
    assert text.startswith(house.texts[0])
    house.delivered.append(house.texts[0])


async def test_reload_during_sms(house: House) -> None:
    """Each comes in once, but for those that arrive between the two connections."""
    await house.set_up()
    old = house.gateway.listeners()
    to_the_old: list[str] = []
    between: list[str] = []
    to_the_new: list[str] = []

    async def arrive() -> None:
        """Let an SMS arrive, and see who certainly got it."""
        is_new_there = house.gateway.listeners() - old
        text = house.new_text()
        await house.gateway.receive_sms(1, OTHER_PHONE, text)
        for _ in range(TURNS_UNTIL_READ):
            await asyncio.sleep(0)
        if is_new_there:
            to_the_new.append(text)
        elif house.gateway.listeners() & old:
            to_the_old.append(text)
        else:
            between.append(text)

    reloading = house.hass.async_create_task(
        house.hass.config_entries.async_reload(house.entry.entry_id)
    )
    arriving = []
    while not reloading.done():
        arriving.append(house.hass.async_create_task(arrive()))
        await asyncio.sleep(0)
    await asyncio.gather(*arriving)
    await house.recovers(lambda: house.is_normal)

    assert to_the_old
    assert to_the_new
    house.delivered += [*to_the_old, *to_the_new]
    house.delivered += [text for text in between if text in house.texts]
    await house.prove_normal()
    await house.close()
