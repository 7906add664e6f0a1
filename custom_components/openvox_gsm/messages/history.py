"""The messages that are kept of one gateway, in a file of their own."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from custom_components.openvox_gsm.const import (
    CONF_MESSAGES_FOR_ALL,
    CONF_MESSAGES_KEPT,
    DEFAULT_MESSAGES_KEPT,
    DOMAIN,
)
from custom_components.openvox_gsm.errors import exception_text
from custom_components.openvox_gsm.signals import (
    SIGNAL_MESSAGE_CHANGED,
    SIGNAL_MESSAGES_DELETED,
)
from custom_components.openvox_gsm.stored_file import SAVE_DELAY, StoredFile
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import ulid as ulid_util
from homeassistant.util.hass_dict import HassKey

from .record import OPEN, Kind, MessageRecord, Status

# The whole file is written, so the more there is the less often: 500 messages (0.2 MB)
# at most twice a second, 10,000 (3 MB) every ten seconds.
_DELAY_FOR_EACH: Final = 0.001  # seconds
# Of a full history, those that failed go first while they're more than this part: a fifth.
_SHARE_OF_FAILED: Final = 5


class MessageHistory:
    """The last messages of one gateway, in the order of their time.

    Nothing of it reaches logs or diagnostics.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Start empty; `async_load` reads what was saved."""
        self._hass = hass
        self.entry = entry
        self._file = StoredFile(
            hass,
            f"{DOMAIN}.messages.{entry.entry_id}",
            self._as_dict,
            "messages",
            in_thread=True,
        )
        self._records: dict[str, MessageRecord] = {}
        self._ids: list[str] = []  # the oldest first
        self._failed: list[str] = []  # of them
        self._conversations: dict[str | None, list[str]] = {}

    # The file

    async def async_load(self) -> None:
        """Read what was saved; a file with anything else is set aside."""
        records = await self._file.async_load(
            _read, "The stored messages can't be read, so there are none"
        )
        for record in records:  # in their order, so that none is inserted in between
            self._records[record.id] = record
            self._ids.append(record.id)
            self._conversations.setdefault(record.conversation, []).append(record.id)
            if record.is_failed:
                self._failed.append(record.id)
        for record in records:
            if record.status in OPEN:
                self.change(record.id, **self._interrupted(record))
        self.apply_options()

    def _interrupted(self, record: MessageRecord) -> dict[str, Any]:
        """Return the changes of what wasn't over when Home Assistant was stopped."""
        if record.kind is Kind.SMS:
            reason = exception_text(self._hass, "sms_interrupted")
            return {"status": Status.UNKNOWN, "reason": reason}
        return call_not_seen(self._hass)

    async def async_remove(self) -> None:
        """Delete the file; what's still under way doesn't write it again."""
        self._clear()
        await self._file.async_remove()
        self._tell_deleted(None)

    def _save_soon(self) -> None:
        self._file.save_soon(max(SAVE_DELAY, len(self._ids) * _DELAY_FOR_EACH))

    def _as_dict(self) -> dict[str, Any]:
        """Return what is saved; runs in a thread, so it only reads records.

        They never change: they're replaced. Copying the list is one step, in which
        nothing else runs.
        """
        return {"messages": [each.as_dict() for each in list(self._records.values())]}

    # Options

    @property
    def limit(self) -> int:
        """How many messages are kept; none at 0."""
        return int(self.entry.options.get(CONF_MESSAGES_KEPT, DEFAULT_MESSAGES_KEPT))

    @property
    def is_removed(self) -> bool:
        """Whether the gateway was removed, so that nothing more is kept."""
        return self._file.is_removed

    @property
    def is_for_all(self) -> bool:
        """Whether all users may see them, not only administrators."""
        return bool(self.entry.options.get(CONF_MESSAGES_FOR_ALL, False))

    @callback
    def apply_options(self) -> None:
        """Drop at once what the options no longer keep."""
        self.delete(self._surplus())

    def _surplus(self) -> list[str]:
        """Return what's beyond the limit: the oldest, but first those that failed.

        An automation that keeps failing would push out all that came in.
        """
        surplus = len(self._ids) - self.limit
        if surplus <= 0:
            return []
        beyond_share = max(0, len(self._failed) - self.limit // _SHARE_OF_FAILED)
        dropped = dict.fromkeys(self._failed[: min(surplus, beyond_share)])
        others = (each for each in self._ids if each not in dropped)
        return [*dropped, *islice(others, surplus - len(dropped))]

    # Reading

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ids)

    def get(self, message_id: str | None) -> MessageRecord | None:
        """Return a message, None where it isn't kept."""
        return self._records.get(message_id or "")

    @property
    def conversations(self) -> Mapping[str | None, Sequence[str]]:
        """The IDs of all messages by `MessageRecord.conversation`, the oldest first."""
        return self._conversations

    def newest_first(
        self, ids: Sequence[str] | None = None, *, before: str | None = None
    ) -> Iterator[MessageRecord]:
        """Yield messages, of `ids` if given, that are older than `before`."""
        ids = self._ids if ids is None else ids
        end = len(ids) if before is None else bisect_left(ids, before)
        for index in range(end - 1, -1, -1):
            yield self._records[ids[index]]

    # Writing

    @callback
    def new_id(self, time: datetime) -> str:
        """Return an ID for a message of a time, after those of the same moment."""
        new = ulid_util.ulid(time.timestamp())
        last = self._records[self._ids[-1]] if self._ids else None
        if last and new <= last.id and time >= last.time:
            number = int.from_bytes(ulid_util.ulid_to_bytes(last.id)) + 1
            new = ulid_util.bytes_to_ulid(number.to_bytes(16))
        return new

    @callback
    def add(self, record: MessageRecord) -> None:
        """Add a message, if any are kept."""
        if self.is_removed or not self.limit:
            return
        self._insert(record)
        self.apply_options()
        self._save_soon()
        if record.id in self._records:
            self._tell_changed(record)

    @callback
    def change(self, message_id: str | None, **changes: Any) -> None:
        """Change a message, unless it isn't kept any more."""
        if (old := self.get(message_id)) is None:
            return
        new = replace(old, **changes)
        if new == old:
            return
        if (new.conversation, new.is_failed) == (old.conversation, old.is_failed):
            self._records[new.id] = new
        else:
            self._drop(old)
            self._insert(new)
        self._save_soon()
        self._tell_changed(new)

    @callback
    def delete(self, ids: Iterable[str]) -> int:
        """Delete messages; return how many there were."""
        if not (deleted := tuple(each for each in ids if each in self._records)):
            return 0
        if len(deleted) == len(self._ids):
            self._clear()
            self._tell_deleted(None)
        else:
            for each in deleted:
                self._drop(self._records[each])
            self._tell_deleted(deleted)
        self._save_soon()
        return len(deleted)

    def _insert(self, record: MessageRecord) -> None:
        self._records[record.id] = record
        insort(self._ids, record.id)
        insort(self._conversations.setdefault(record.conversation, []), record.id)
        if record.is_failed:
            insort(self._failed, record.id)

    def _drop(self, record: MessageRecord) -> None:
        del self._records[record.id]
        del self._ids[bisect_left(self._ids, record.id)]
        if record.is_failed:
            del self._failed[bisect_left(self._failed, record.id)]
        ids = self._conversations[record.conversation]
        del ids[bisect_left(ids, record.id)]
        if not ids:
            del self._conversations[record.conversation]

    def _clear(self) -> None:
        self._records.clear()
        self._ids.clear()
        self._failed.clear()
        self._conversations.clear()

    def _tell_changed(self, record: MessageRecord) -> None:
        async_dispatcher_send(
            self._hass, SIGNAL_MESSAGE_CHANGED, self.entry.entry_id, record
        )

    def _tell_deleted(self, ids: tuple[str, ...] | None) -> None:
        async_dispatcher_send(
            self._hass, SIGNAL_MESSAGES_DELETED, self.entry.entry_id, ids
        )


def _read(stored: Any) -> list[MessageRecord]:
    """Read what was stored, each message once, the oldest first.

    Raises TypeError and ValueError.
    """
    if stored is None:
        return []
    messages = stored.get("messages") if isinstance(stored, dict) else None
    if not isinstance(messages, list):
        raise TypeError("there is no list of messages in it")
    records = {each.id: each for each in map(MessageRecord.from_dict, messages)}
    return [records[message_id] for message_id in sorted(records)]


def call_not_seen(hass: HomeAssistant) -> dict[str, Any]:
    """Return the changes of a call whose end wasn't seen."""
    return {"status": Status.ENDED, "reason": exception_text(hass, "call_not_seen")}


HISTORIES: HassKey[dict[str, MessageHistory]] = HassKey(f"{DOMAIN}_messages")


async def async_get_history(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> MessageHistory:
    """Return the messages of a gateway; the same until the entry is removed."""
    histories = hass.data.setdefault(HISTORIES, {})
    if entry.entry_id not in histories:
        history = MessageHistory(hass, entry)
        await history.async_load()
        histories[entry.entry_id] = history
    return histories[entry.entry_id]


async def async_remove_history(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete the messages of a gateway, even if it wasn't set up in this run."""
    histories = hass.data.setdefault(HISTORIES, {})
    # An empty one is false.
    if (history := histories.get(entry.entry_id)) is None:
        history = MessageHistory(hass, entry)
    await history.async_remove()
    histories.pop(entry.entry_id, None)
