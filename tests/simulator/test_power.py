"""Switching modules on and off."""

import pytest

from simulator import Simulator

from .client import Client, connected
from .test_calls import NUMBER


async def test_off_and_on(sim: Simulator, client: Client) -> None:
    """After "off" the driver of 2013 goes on to say what it said before."""
    span = sim.spans[1]
    before = await client.command("gsm show span 1")
    assert await client.command("gsm power off 1") == "Power off span 1 sucessed"
    assert await client.command("gsm show span 1") == before
    assert (span.state, span.ready) == ("READY", False)
    assert await client.command("gsm power off 1") == "Unable to power off span 1"
    assert await client.command("gsm power on 1") == "Power on span 1 sucessed"
    assert span.ready


async def test_an_sms_switches_the_module_on(sim: Simulator, client: Client) -> None:
    """Some half a minute later, and is lost."""
    span = sim.spans[1]
    await client.command("gsm power off 1")
    sim.power_speed = 0.01
    assert "TIMEOUT" in await client.command('gsm send sync sms 1 10086 "lost" 2')
    assert span.state == "SMS SENDING"
    assert not span.module_on
    assert "SUCCESSFULLY" in await client.command('gsm send sync sms 1 10086 "next" 20')
    assert span.ready
    assert [sms.text for sms in sim.sent] == ["next"]


async def test_who_switches_the_module_on_loses_the_sms_as_well(
    sim: Simulator, client: Client
) -> None:
    """What a module without power was given is gone."""
    await client.command("gsm power off 1")
    await client.command('gsm send sms 1 10086 "lost"')
    sim.power_speed = 0.0
    await client.command("gsm power on 1")
    assert "SUCCESSFULLY" in await client.command('gsm send sync sms 1 10086 "next" 20')
    assert [sms.text for sms in sim.sent] == ["next"]


async def test_a_box_of_today_says_power_off(today: Simulator) -> None:
    """Its status tells the truth."""
    async with connected(today) as client:
        await client.command("gsm power off 1")
        assert (
            today.spans[1].status_line
            == "Power off, Provisioned, Down, Active,Standard"
        )
        await client.command("gsm power on 1")
        assert today.spans[1].ready


async def test_reset(sim: Simulator, client: Client) -> None:
    """Off and on again; also of a module that is off."""
    sim.spans[1].status = "Undetected SIM Card"
    for _ in range(2):
        assert (
            await client.command("gsm power reset 1") == "Reset power on span 1 success"
        )
        assert sim.spans[1].status == "Undetected SIM Card"
        await client.command("gsm power off 1")


async def test_failures(sim: Simulator, client: Client) -> None:
    """Switching off prints nothing if it fails."""
    sim.spans[1].power_fails = True
    assert await client.command("gsm power on 1") == "Unable to power on span 1"
    assert await client.command("gsm power off 1") == ""
    assert await client.command("gsm power reset 1") == "Power off span 1 failed"


async def test_a_call_ends_with_the_power(sim: Simulator, client: Client) -> None:
    """Nothing is left of it."""
    call = await sim.incoming_call(1, NUMBER)
    await client.command("gsm power off 1")
    assert call.ended.is_set()


@pytest.mark.parametrize(("command", "seconds"), [("on", 9), ("off", 4), ("reset", 13)])
async def test_it_takes_its_time(
    sim: Simulator, client: Client, command: str, seconds: int
) -> None:
    """Real seconds; tests shorten them."""
    pauses: list[float] = []
    real = sim.power_pause

    async def pause(duration: float) -> None:
        pauses.append(duration)
        await real(duration)

    sim.power_pause = pause  # type: ignore[method-assign]
    await client.command(f"gsm power {command} 1")
    assert sum(pauses) == seconds
    assert Simulator(spans=1).power_speed == 1.0


async def test_power_stat_locks_the_span(sim: Simulator, client: Client) -> None:
    """The driver never gives its lock back: it shows the span, but sends nothing any more."""
    assert await client.command("gsm power stat 1") == "span 1 power on"
    async with connected(sim) as other:
        assert "READY" in await other.command("gsm show span 1")
        assert "timeout" in await other.command("gsm send ussd 1 *100# 1")
        assert "TIMEOUT" in await other.command('gsm send sync sms 1 10086 "x" 1')
        assert "SUCCESSFULLY" in await other.command('gsm send sync sms 2 10086 "x" 9')


async def test_a_span_that_hangs(sim: Simulator, client: Client) -> None:
    """No command on it is ever answered; a list of all spans waits for it."""
    sim.spans[1].hung = True
    assert "Up" in await client.command("gsm show span 2")
    for command in ("gsm show span 1", "gsm show span all"):
        async with connected(sim) as other:
            other.start_command(command)
            await other.raw_packet_head()
            assert await other.silent()
