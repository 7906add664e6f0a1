"""Commands on one span: what they have in common."""

from collections.abc import Awaitable, Callable

from simulator.model.gateway import Gateway
from simulator.model.span import SimSpan
from simulator.wire import atoi

from .command_line import SHOW_USAGE, Handler, Output, failure

type SpanHandler = Callable[[Gateway, SimSpan, list[str]], Awaitable[Output]]


def on_span(
    place: int, run: SpanHandler, least: int, most: int | None = None
) -> Handler:
    """Make a handler that checks the number of arguments, then the span at one place."""

    async def handler(gateway: Gateway, args: list[str]) -> Output:
        if len(args) < least or (most is not None and len(args) > most):
            return SHOW_USAGE
        span = await find_span(gateway, args[place])
        return span if isinstance(span, Output) else await run(gateway, span, args)

    return handler


async def find_span(gateway: Gateway, argument: str) -> SimSpan | Output:
    """Find a span, or say as the driver does why there is none."""
    number = atoi(argument)
    if not 1 <= number <= gateway.span_limit:
        return failure(
            f"Invalid span '{number}'.  Should be a number from 1 to {gateway.span_limit}\n"
        )
    span = gateway.spans.get(number)
    if span is None:
        return failure(f"No GSM running on span {number}\n")
    if not span.dchannel_running:
        return failure(f"No dchannel running on span {number}\n")
    if span.hung:
        await gateway.forever()
    return span
