"""What all spans of a gateway share: Asterisk, the journal, tasks and the clock."""

import asyncio
from collections.abc import Coroutine, Sequence
from time import time
from typing import Any, NoReturn

from simulator.wire import packet

from .asterisk import Asterisk
from .box import Box, Dialect
from .journal import Journal
from .users import User


class Core(Asterisk, Journal):
    """Asterisk and the journal of one gateway, its tasks, and how fast its time goes."""

    def __init__(
        self, box: Box, dialect: Dialect, users: Sequence[User], board: int
    ) -> None:
        """Start with nothing under way; ``board`` is which one of a stack it is, from 1."""
        Asterisk.__init__(self, dialect, users)
        Journal.__init__(self)
        self.box = box
        self.board = board
        self.power_speed = 1.0
        """Factor for the seconds that the power commands take."""
        self.retry_interval = 2.0
        """Seconds after which a span that is not ready tries a message again."""
        self.ring_delay = 3.0
        """Seconds from the first sign of a call that comes in to its ringing (recorded).

        0: it rings at once, as with a dialplan without other extensions that begin with s.
        """
        self.timeout_scale = 1.0
        """Factor for the timeouts given in commands."""
        self.ussd_in_milliseconds = False
        """Whether the time limit of a USSD request counts milliseconds, as some firmware does."""
        self.old_ussd_form = False
        """Whether USSD answers come in the form that drivers had before May 2013."""
        self.status_reports = False
        """Whether the network reports the delivery of each SMS, and the box asks for that."""
        self.carries_sms = False
        """Whether an SMS to the own number of a span comes in there."""
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(
        self, work: Coroutine[Any, Any, None], *, eager_start: bool = False
    ) -> asyncio.Task[None]:
        """Run something in a task that ends with the gateway."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, eager_start=eager_start)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end_tasks(self) -> None:
        """Cancel all tasks, those included that they start while they end."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

    def driver_event(self, name: str, span: int, *lines: str) -> None:
        """Raise an event of the driver's own, which only boxes of today have.

        Guess: its class; of the headers no more is known than is written here.
        """
        if self.box is Box.TODAY:
            self.emit(
                packet(
                    f"Event: {name}",
                    "Privilege: system,all",
                    f"Channel: {span}",
                    *lines,
                )
            )

    async def forever(self) -> NoReturn:
        """Wait until the gateway is stopped."""
        while True:
            await asyncio.Event().wait()

    async def power_pause(self, seconds: float) -> None:
        """Wait as long as a step of a power command takes."""
        await asyncio.sleep(seconds * self.power_speed)

    def whole_seconds(self, seconds: int) -> float:
        """Give how long a timeout really lasts: the driver counts to a whole second."""
        now = time()
        return max(0.0, int(now) + seconds - now) * self.timeout_scale
