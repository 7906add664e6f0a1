"""What all spans of a gateway share: Asterisk, the journal, tasks and the clock."""

import asyncio
from collections.abc import Coroutine, Sequence
from time import time
from typing import Any, NoReturn

from .asterisk import Asterisk
from .box import Box, Dialect
from .journal import Journal
from .users import User


class Core(Asterisk, Journal):
    """Asterisk and the journal of one gateway, its tasks, and how fast its time goes."""

    def __init__(self, box: Box, dialect: Dialect, users: Sequence[User]) -> None:
        """Start with nothing under way."""
        Asterisk.__init__(self, dialect, users)
        Journal.__init__(self)
        self.box = box
        self.power_speed = 1.0
        """Factor for the seconds that the power commands take."""
        self.retry_interval = 2.0
        """Seconds after which a span that is not ready tries a message again."""
        self.timeout_scale = 1.0
        """Factor for the timeouts given in commands."""
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in a task that ends with the gateway."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end_tasks(self) -> None:
        """Cancel all tasks, those included that they start while they end."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

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
