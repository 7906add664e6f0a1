"""Switching modules on and off."""

import pytest

from simulator import Simulator

from .client import Client, connected
from .test_calls import NUMBER


async def test_off_and_on(sim: Simulator, client: Client) -> None:
    """After "off" the open driver still says "Power on", but the span is down."""
    span = sim.spans[1]
    assert await client.command("gsm power off 1") == "Power off span 1 sucessed"
    assert span.status_line == "Power on, Provisioned, Down, Active, Standard"
    assert span.state == "DOWN"
    assert not span.ready
    assert await client.command("gsm power off 1") == "Unable to power off span 1"
    assert await client.command("gsm power on 1") == "Power on span 1 sucessed"
    assert span.ready


async def test_later_firmware_says_power_off(later: Simulator) -> None:
    """Its status tells the truth."""
    async with connected(later) as client:
        await client.command("gsm power off 1")
        assert (
            later.spans[1].status_line
            == "Power off, Provisioned, Down, Active,Standard"
        )
        await client.command("gsm power on 1")
        assert later.spans[1].ready


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
    """Real seconds, unless the simulator is told otherwise."""
    pauses: list[float] = []
    real = sim.power_pause

    async def pause(duration: float) -> None:
        pauses.append(duration)
        await real(duration)

    sim.power_pause = pause  # type: ignore[method-assign]
    await client.command(f"gsm power {command} 1")
    assert sum(pauses) == seconds
    assert Simulator(spans=1).power_speed == 1.0


async def test_power_stat_hangs_the_span(sim: Simulator, client: Client) -> None:
    """The driver takes a lock twice; no command on this span is ever answered again."""
    client.start_command("gsm power stat 1")
    await client.raw_packet_head()
    async with connected(sim) as other:
        assert "Up" in await other.command("gsm show span 2")
        other.start_command("gsm show span 1")
        await other.raw_packet_head()
        assert await other.silent()
    async with connected(sim) as other:
        # All spans are printed one after the other.
        other.start_command("gsm show span all")
        await other.raw_packet_head()
        assert await other.silent()
    assert await client.silent()
