"""What an action is, and two kinds of action that do nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from simulator.manager.framing import Action
from simulator.manager.session import Session

type Handler = Callable[[Session, Action], Awaitable[None]]


@dataclass(frozen=True)
class ActionKind:
    """One action: its name, the rights of which one is needed (none: everybody), its handler."""

    name: str
    rights: tuple[str, ...]
    synopsis: str
    run: Handler

    @classmethod
    def of(cls, name: str, rights: str, synopsis: str, run: Handler) -> Self:
        """Make a kind; ``rights`` are divided by blanks."""
        return cls(name, tuple(rights.split()), synopsis, run)


def always(message: str) -> Handler:
    """Make a handler that does nothing and says that it worked."""

    async def handler(session: Session, action: Action) -> None:
        session.success(action, message)

    return handler


def never(message: str) -> Handler:
    """Make a handler that does nothing and says why it did not work."""

    async def handler(session: Session, action: Action) -> None:
        session.error(action, message)

    return handler
