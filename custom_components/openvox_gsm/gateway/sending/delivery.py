"""Late outcomes of messages that have gone out.

The gateway gives them in one of two ways, each with the ID that the command gave:

- where its dialplan has the extensions, the driver runs ``sms_send_ok`` or
  ``sms_send_failed`` on a channel ``EXTRA-SMSSEND/…``, with the ID in the variable
  ``SMS_SEND_ID`` (chan_extra 2.0.8);
- boxes sold since about 2016 raise an event ``SMSSendStatus`` for every message, up to
  150 seconds later (the vendor's own programs wait that long).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import secrets
from typing import Final

from custom_components.openvox_gsm.ami import Packet

_CHANNEL: Final = "EXTRA-SMSSEND/"
_OUTCOMES: Final = {"sms_send_ok": True, "sms_send_failed": False}
_EVENT: Final = "SMSSendStatus"

SETTLE_TIME: Final = 300.0  # seconds to wait for the outcome of an unknown message
_MAX_KEPT: Final = 200  # unknown messages at a time


class LateOutcomes:
    """Matches the gateway's late events with the messages that wait for them.

    Subscribe `receive` with the test `wants`.
    """

    marker: Final = (_CHANNEL.encode(), f"Event: {_EVENT}".encode())

    def __init__(self) -> None:
        """Create it; no message is waiting yet."""
        self._waiting: dict[str, asyncio.Future[bool | None]] = {}
        # The ID that the channel with this Uniqueid is about.
        self._id_by_uniqueid: dict[str, str] = {}
        # Messages with an unknown outcome, the oldest first.
        self._kept: dict[str, asyncio.TimerHandle] = {}
        #: Whether this gateway has told an outcome by an event of its own.
        self.raises_status = False

    @contextmanager
    def track(self) -> Iterator[tuple[str, asyncio.Future[bool | None]]]:
        """Yield a new message ID, and a future for whether the message was sent.

        Nobody can guess the ID, so the text of an SMS can't forge an outcome.
        """
        message_id = f"ha{secrets.token_hex(6)}"
        future = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        try:
            yield message_id, future
        finally:
            if message_id not in self._kept:
                self._forget(message_id)
                future.cancel()

    def keep(self, message_id: str) -> None:
        """Go on waiting for the outcome of a message that is being tracked.

        Its future gets the outcome, or None if it doesn't come within SETTLE_TIME.
        """
        if len(self._kept) >= _MAX_KEPT:
            self._settle(next(iter(self._kept)), None)
        self._kept[message_id] = asyncio.get_running_loop().call_later(
            SETTLE_TIME, self._settle, message_id, None
        )

    def stop(self) -> None:
        """Wait for no outcome any more."""
        for message_id in list(self._kept):
            self._settle(message_id, None)

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet may be about a sent SMS."""
        channel, event = cls.marker
        return channel in raw or event in raw

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        if packet.event == _EVENT:
            if (message_id := packet.get("ID").strip()) in self._waiting:
                self.raises_status = True
                was_sent = packet.get("Status").strip().upper() == "SUCCESS"
                self._settle(message_id, was_sent)
            return
        if not packet.get("Channel").startswith(_CHANNEL):
            return
        uniqueid = packet.get("Uniqueid")
        if packet.event == "VarSet" and packet.get("Variable") == "SMS_SEND_ID":
            if (message_id := packet.get("Value")) in self._waiting:
                self._forget_channel(message_id)  # there's only one
                self._id_by_uniqueid[uniqueid] = message_id
        elif packet.event == "Newexten":
            outcome = _OUTCOMES.get(packet.get("Extension"))
            if outcome is not None and uniqueid in self._id_by_uniqueid:
                self._settle(self._id_by_uniqueid[uniqueid], outcome)

    def _settle(self, message_id: str, was_sent: bool | None) -> None:
        """Give a message its outcome; the first one counts."""
        future = self._waiting[message_id]
        if not future.done():
            future.set_result(was_sent)
        if timer := self._kept.pop(message_id, None):
            timer.cancel()
            self._forget(message_id)

    def _forget(self, message_id: str) -> None:
        del self._waiting[message_id]
        self._forget_channel(message_id)

    def _forget_channel(self, message_id: str) -> None:
        self._id_by_uniqueid = {
            uniqueid: other
            for uniqueid, other in self._id_by_uniqueid.items()
            if other != message_id
        }
