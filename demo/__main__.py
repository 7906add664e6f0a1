"""Starts the simulator and Home Assistant, and waits, or checks that all works."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
import fcntl
import os
from pathlib import Path
import signal
import sys
import time
from typing import TextIO

import aiohttp

from homeassistant.const import RESTART_EXIT_CODE
from simulator import Box
from simulator.control import DEFAULT_PORT as CONTROL_PORT

from .check import STRANGER, Check, check_log
from .home import (
    BALANCE_CODE,
    DASHBOARD,
    MESSAGES,
    PASSWORD,
    PHONE,
    SPAN_NUMBER,
    USER,
    HomeAssistant,
    make_config,
)
from .messages import add_contacts, exchange_messages
from .processes import (
    LOOPBACK,
    PROJECT,
    DemoError,
    Process,
    choose_ports,
    say,
    unless_dead,
)

_HOME_PORT = 8123
_AMI_PORT = 5038
_CHECK_SECONDS = 300.0
"""More than all steps together may take."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="A real Home Assistant with a simulated OpenVox gateway of 8 spans, on this "
        "machine only, until Ctrl-C. Every start begins afresh, in .demo/.",
    )
    parser.add_argument(
        "--check", action="store_true", help="try everything without a person, then end"
    )
    parser.add_argument(
        "--box",
        choices=[box.value for box in Box],
        default=Box.OF_2013.value,
        help="a gateway with the vendor's driver of 2013, or one as sold today",
    )
    options = parser.parse_args(arguments)
    check: bool = options.check
    folder = PROJECT / ".demo" / ("check" if check else "run")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        if not _lock(lock):
            say("Another one runs already: end it first (Ctrl-C in its terminal).")
            return 1
        return asyncio.run(_run(folder, options.box, check))


def _lock(lock: TextIO) -> bool:
    """Keep a second one out of the same folder."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _run(folder: Path, box: str, check: bool) -> int:
    _cancel_on_signal()
    started = time.monotonic()
    processes: list[Process] = []
    try:
        if check:
            async with asyncio.timeout(_CHECK_SECONDS):
                await _demo(folder, box, check, processes)
            check_log(processes[-1].log)
            say(f"All is well, after {time.monotonic() - started:.0f} s.")
        else:
            await _demo(folder, box, check, processes)
    except (DemoError, aiohttp.ClientError, OSError) as err:
        for process in processes:
            say(f"\n--- The end of {process.log.relative_to(PROJECT)}")
            say(process.last_lines())
        say(f"\nscript/demo: {str(err) or 'it took too long.'}")
        return 1
    except asyncio.CancelledError:
        say("Ended.")
        return 128 + signal.SIGINT if check else 0
    return 0


def _cancel_on_signal() -> None:
    """End cleanly on a signal; another one does not disturb that."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def cancel() -> None:
        if task is not None and not task.cancelling():
            task.cancel()
            say("\nEnding Home Assistant and the gateway.")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, cancel)


async def _demo(folder: Path, box: str, check: bool, processes: list[Process]) -> None:
    """Start everything, do what is wanted, end everything."""
    home_port, ami_port, control_port = choose_ports(
        _HOME_PORT, _AMI_PORT, CONTROL_PORT
    )
    config = folder / "config"
    make_config(config, home_port)
    simulator: list[str | Path] = [
        sys.executable,
        "-m",
        "simulator",
        "--demo",
        "--spans",
        "8",
        # As shipped, the switch "SMS Received" of a box sold today is off.
        *("--box", box, "--sms-received", "--status-reports"),
    ]
    simulator += ["--port", str(ami_port), "--control-port", str(control_port)]
    hass = Path(sys.executable).with_name("hass")
    # script/setup has installed everything, so it need not be looked for.
    command: list[str | Path] = [
        hass,
        "--config",
        config,
        "--skip-pip",
        "--log-no-color",
    ]

    say("Starting the gateway and Home Assistant (half a minute the first time).")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        )
        for process in (
            Process("The simulated gateway", simulator, folder / "gateway.log"),
            Process(
                "Home Assistant",
                command,
                folder / "home-assistant.log",
                restarts_with=RESTART_EXIT_CODE,
            ),
        ):
            processes.append(process)
            await stack.enter_async_context(process)
        home = HomeAssistant(session, home_port)
        await unless_dead(home.set_up(ami_port), processes)
        if check:
            await unless_dead(Check(home, control_port).run(), processes)
        else:
            await unless_dead(add_contacts(home), processes)
            await unless_dead(exchange_messages(home, control_port), processes)
            say(_welcome(home, config, ami_port, control_port))
            await unless_dead(_follow(processes[0].log), processes)


async def _follow(log: Path) -> None:
    """Show what the gateway says from now on, for as long as the demo runs."""
    with log.open(errors="replace") as lines:
        lines.seek(0, os.SEEK_END)
        while True:
            for line in lines:
                say(line.rstrip("\n"))
            await asyncio.sleep(0.3)


def _welcome(
    home: HomeAssistant, config: Path, ami_port: int, control_port: int
) -> str:
    steer = f"{os.path.relpath(sys.executable, PROJECT)} -m simulator "
    if control_port != CONTROL_PORT:
        steer += f"--control-port {control_port} "
    return f"""
Home Assistant with a simulated OpenVox gateway is ready.

    Page       {home.url}/{DASHBOARD}
    Messages   {home.url}/{MESSAGES}
    User       {USER}
    Password   {PASSWORD}

Its configuration is in {config.relative_to(PROJECT)}/ and is made afresh at every start
of the demo; what you change there takes effect with a restart in the page.
The gateway has 8 spans and is at {LOOPBACK} port {ami_port} (user admin, password admin).
To try next, in another terminal in this folder:

  An SMS that an automation answers with the state of the house, and one it does not
    {steer}sms --span 2 --from {PHONE} "status"
    {steer}sms --span 2 --from {STRANGER} "status"
  A request that Assist answers, as it comes from a contact who knows the code word
    {steer}sms --span 2 --from {PHONE} "swordfish turn on the lamp"
  A USSD code that opens a menu, *100#: send it to a span with openvox.send_ussd in the
  page (Settings → Tools → Actions); the next code is the reply: 1, 2, or 0 to end the menu.
  Another answer to 1, on span 5
    {steer}ussd 5 '*100#' '12.50 EUR. 1: Data left' --reply '1=1.4 GB'
  The self-test, from one span to another: openvox.self_test in the same place, in YAML
    data: {{send: true, to_span: 2, number: "{SPAN_NUMBER}"}}
  A balance that runs low: press "Query now" in the page before and after this
    {steer}ussd 2 '{BALANCE_CODE}' 'You have 1.20 EUR, valid until 31.12.2099.'
  A span without its SIM card, and with it (the page shows it within half a minute)
    {steer}sim-out 1
    {steer}sim-in 1
  A span that vanishes, and comes back as it was
    {steer}remove-span 6
    {steer}add-span 6
  A gateway that restarts
    {steer}restart --downtime 10
  Everything else
    {steer}--help

What the gateway does shows below. Ctrl-C ends everything.
"""


if __name__ == "__main__":
    sys.exit(main())
