"""``gsm power …``: the module of a span on and off."""

from simulator.model.gateway import Gateway
from simulator.model.span import SimSpan

from .command_line import Output, ok


async def power_on(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Switch the module on."""
    if await span.power_switch.on():
        return ok(f"Power on span {span.number} sucessed\n")
    return ok(f"Unable to power on span {span.number}\n")


async def power_off(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Switch the module off; the driver prints nothing if that fails."""
    worked = await span.power_switch.off()
    if worked is None:
        return ok(f"Unable to power off span {span.number}\n")
    return ok(f"Power off span {span.number} sucessed\n" if worked else "")


async def power_reset(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Switch the module off and on."""
    if await span.power_switch.reset():
        return ok(f"Reset power on span {span.number} success\n")
    return ok(f"Power off span {span.number} failed\n")


async def power_stat(gateway: Gateway, span: SimSpan, args: list[str]) -> Output:
    """Print whether the module is on; the driver never gives its lock back (recorded)."""
    span.locked = True
    return ok(f"span {span.number} power {'on' if span.power else 'off'}\n")
