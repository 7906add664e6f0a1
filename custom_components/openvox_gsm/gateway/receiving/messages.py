"""The messages that are coming in, and those that came in lately."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from .events import MessageKey, SmsEvent
from .message import Message

_MAX_RECENT_MESSAGES: Final = 200
# Of all messages. A PDU that can be read in several ways has a dozen.
_MAX_TEXTS: Final = 5000


class Messages:
    """Knows which messages there are, and which Uniqueids no text has forged."""

    def __init__(self) -> None:
        """Begin with none."""
        self.open: dict[MessageKey, Message] = {}
        self.recent: dict[MessageKey, Message] = {}  # already decided
        # The channels of those that are certain, by Uniqueid; one, unless it's forged.
        self._certain: defaultdict[str, list[str]] = defaultdict(list)

    def __iter__(self) -> Iterator[Message]:
        """Iterate over all of them."""
        yield from self.open.values()
        yield from self.recent.values()

    def __contains__(self, key: MessageKey) -> bool:
        """Return whether a message is known."""
        return key in self.open or key in self.recent

    def is_certain(self, uniqueid: str) -> bool:
        """Return whether a Uniqueid is known that no text has forged."""
        return uniqueid in self._certain

    @property
    def has_certain_ones(self) -> bool:
        """Whether the Uniqueid of any message is certain."""
        return bool(self._certain)

    @property
    def any_began_with_step(self) -> bool:
        """Whether one is coming in that began with a step of the dialplan."""
        return any(message.began_with_step for message in self.open.values())

    def lack(self, event: SmsEvent) -> bool:
        """Return whether one that is coming in on the channel lacks this variable.

        Then the event is likely a piece of it.
        """
        return any(
            message.is_certain and event.variable not in message.variables
            for message in self.open_on(event.channel)
        )

    def open_on(self, channel: str) -> Iterator[Message]:
        """Iterate over those that are coming in on a channel."""
        return (each for each in self.open.values() if each.channel == channel)

    def add(self, message: Message) -> None:
        """Add a message that has begun."""
        self.open[message.key] = message
        if message.is_certain:
            self._certain[message.uniqueid].append(message.channel)

    def close(self, message: Message, *, keep: bool) -> None:
        """End a message that is decided; without `keep` forget it."""
        del self.open[message.key]
        if not keep:
            self._forget(message)
            return
        message.forget_content()
        self.recent[message.key] = message
        if len(self.recent) > _MAX_RECENT_MESSAGES:
            self._forget_oldest()

    def make_room(self) -> bool:
        """Forget the oldest decided messages if all have too many texts together.

        Return whether that's enough, as it is unless a gateway is hostile.
        """
        if self._count_texts() <= _MAX_TEXTS:
            return True
        while self.recent and self._count_texts() > _MAX_TEXTS // 2:
            self._forget_oldest()
        return self._count_texts() <= _MAX_TEXTS

    def _count_texts(self) -> int:
        return sum(len(message.texts) for message in self)

    def _forget_oldest(self) -> None:
        self._forget(self.recent.pop(next(iter(self.recent))))

    def _forget(self, message: Message) -> None:
        if message.is_certain:
            self._certain[message.uniqueid].remove(message.channel)
            if not self._certain[message.uniqueid]:
                del self._certain[message.uniqueid]

    def forget_recent(self) -> None:
        """Forget all that are decided."""
        self.recent.clear()
        self._certain.clear()

    # What texts may have forged

    def texts_that_name(self, message: Message) -> list[str]:
        """Return other messages' texts that contain the message's Uniqueid."""
        return [text for text in self.texts_beside(message) if message.uniqueid in text]

    def texts_beside(self, message: Message) -> list[str]:
        """Return the texts of all other messages."""
        return [text for other in self if other is not message for text in other.texts]

    def may_have_forged(self, uniqueid: str) -> bool:
        """Return whether a Uniqueid is an SMS's own, or is part of a suspicious text."""
        return any(
            uniqueid == message.uniqueid
            or any(uniqueid in text for text in message.texts)
            for message in self
        )

    def is_on_wrong_channel(self, message: Message, *, has_pdu: bool) -> bool:
        """Return whether the Uniqueid more likely belongs to another channel.

        No two channels have the same one, so then a text has forged the message.
        """
        if message.is_certain:
            first = self._certain[message.uniqueid][0]
            return first != message.channel and not has_pdu
        return any(
            other.uniqueid == message.uniqueid
            and (other.is_certain or not message.program)
            for other in self
            if other is not message
        )
