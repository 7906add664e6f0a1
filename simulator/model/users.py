"""Manager users and their rights."""

from collections.abc import Collection
from dataclasses import dataclass

STOCK_READ = frozenset(
    [
        "system",
        "call",
        "log",
        "verbose",
        "agent",
        "user",
        "config",
        "dtmf",
        "reporting",
        "cdr",
        "dialplan",
    ]
)
"""The event classes a gateway's stock user may read (later firmware's settings)."""

STOCK_WRITE = frozenset(
    [
        "system",
        "call",
        "log",
        "verbose",
        "command",
        "agent",
        "user",
        "config",
        "reporting",
        "originate",
    ]
)
"""The action classes a gateway's stock user may use (later firmware's settings)."""

RIGHTS_1_8 = (
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "cc",
    "aoc",
    "test",
)
"""All rights in the order in which ``manager show user`` lists them (Asterisk 1.8)."""

RIGHTS = (*RIGHTS_1_8, "security", "message")
"""The same of Asterisk 22."""


def grants(rights: Collection[str], classes: Collection[str]) -> bool:
    """Say whether a set of rights covers at least one of some privilege classes."""
    return "all" in rights or any(name in rights for name in classes)


@dataclass(frozen=True)
class User:
    """A manager user with its secret and its rights."""

    name: str
    secret: str
    read: Collection[str] = STOCK_READ
    write: Collection[str] = STOCK_WRITE
    acl: bool = False
    """Whether only some addresses may use it."""
