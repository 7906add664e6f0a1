"""Finds messages and conversations, the newest first, a page at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
import heapq
from itertools import islice
from typing import Any

from .access import Names
from .history import MessageHistory
from .record import MessageRecord, conversation_of


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which messages are wanted, and which page of them.

    `search` is looked for in text, number and contact, whatever the case of its letters.
    A page has at most `limit` messages or conversations older than the ID `before`.
    """

    span: int | None = None
    search: str = ""
    before: str | None = None
    limit: int

    @property
    def takes_all(self) -> bool:
        """Whether every message is wanted."""
        return self.span is None and not self.search

    def test(
        self, history: MessageHistory, names: Names
    ) -> Callable[[MessageRecord], bool]:
        """Return a test of a gateway's messages."""
        entry_id, span, wanted = (
            history.entry.entry_id,
            self.span,
            self.search.casefold(),
        )

        # The same for all messages of a conversation.
        known: dict[str | None, bool] = {}

        def names_match(record: MessageRecord) -> bool:
            number = record.number
            if number not in known:
                name = names.find(entry_id, number)
                known[number] = any(
                    wanted in each.casefold() for each in (number, name) if each
                )
            return known[number]

        def is_wanted(record: MessageRecord) -> bool:
            if span is not None and record.span != span:
                return False
            return (
                not wanted
                or (record.text is not None and wanted in _folded(record.text))
                or names_match(record)
            )

        return is_wanted


def _folded(text: str) -> str:
    """Return a text without regard to case; much faster for ASCII, and the same."""
    return text.lower() if text.isascii() else text.casefold()


def find_messages(
    histories: Iterable[MessageHistory], names: Names, query: Query
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of messages of all numbers, and whether there are more."""
    return _page(((each, None) for each in histories), names, query)


def find_messages_with(
    histories: Iterable[MessageHistory],
    names: Names,
    query: Query,
    number: str | None,
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of the messages with a number, None for those that withhold it."""
    key = conversation_of(number)
    return _page(
        ((each, each.conversations.get(key, ())) for each in histories), names, query
    )


def _page(
    sources: Iterable[tuple[MessageHistory, Sequence[str] | None]],
    names: Names,
    query: Query,
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of messages, and whether there are more."""

    def wanted(
        history: MessageHistory, ids: Sequence[str] | None
    ) -> Iterator[tuple[str, MessageRecord]]:
        entry_id = history.entry.entry_id
        records = history.newest_first(ids, before=query.before)
        for record in filter(query.test(history, names), records):
            yield entry_id, record

    streams = [wanted(history, ids) for history, ids in sources]
    merged = heapq.merge(*streams, key=lambda found: found[1].id, reverse=True)
    found = list(islice(merged, query.limit + 1))
    page = [names.shown(entry_id, record) for entry_id, record in found[: query.limit]]
    return page, len(found) > query.limit


@dataclass
class _Conversation:
    """The messages with one number, over all gateways."""

    entry_id: str
    last: MessageRecord
    count: int = 0


def find_conversations(
    histories: Iterable[MessageHistory], names: Names, query: Query
) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of conversations, and whether there are more.

    Only the messages that are wanted count, and the last one is the last of them.
    """
    conversations: dict[str | None, _Conversation] = {}
    for history in histories:
        for key, last, count in _wanted_conversations(history, names, query):
            known = conversations.get(key)
            if known is None or last.id > known.last.id:
                others = known.count if known else 0
                known = _Conversation(history.entry.entry_id, last, others)
                conversations[key] = known
            known.count += count
    older = (
        each
        for each in conversations.values()
        if query.before is None or each.last.id < query.before
    )
    found = heapq.nlargest(query.limit + 1, older, key=lambda each: each.last.id)
    page = []
    for each in found[: query.limit]:
        shown = names.shown(each.entry_id, each.last)
        page.append(
            {
                "number": shown["number"],
                "contact": shown["contact"],
                "last": shown,
                "count": each.count,
            }
        )
    return page, len(found) > query.limit


def _wanted_conversations(
    history: MessageHistory, names: Names, query: Query
) -> Iterator[tuple[str | None, MessageRecord, int]]:
    """Yield a gateway's conversations: key, last message, number of messages."""
    is_wanted = query.test(history, names)
    for key, ids in history.conversations.items():
        if query.takes_all:
            yield key, next(history.newest_first(ids)), len(ids)
        elif found := list(filter(is_wanted, history.newest_first(ids))):
            yield key, found[0], len(found)
