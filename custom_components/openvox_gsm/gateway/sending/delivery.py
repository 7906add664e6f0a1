"""Late outcomes of messages that have gone out.

Where its dialplan has the extensions, the driver runs ``sms_send_ok`` or
``sms_send_failed`` on a channel ``EXTRA-SMSSEND/…`` when the network has answered,
with the ID that the command gave in the variable ``SMS_SEND_ID``.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import secrets

from custom_components.openvox_gsm.ami import Packet

_CHANNEL = "EXTRA-SMSSEND/"
_OUTCOMES = {"sms_send_ok": True, "sms_send_failed": False}


class LateOutcomes:
    """Matches the gateway's late events with the messages that wait for them.

    Subscribe `receive` with the test `wants`.
    """

    marker = _CHANNEL.encode()

    def __init__(self) -> None:
        """Create it; no message is waiting yet."""
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        # The same by the Uniqueid of the channel that names their ID.
        self._by_uniqueid: dict[str, asyncio.Future[bool]] = {}

    @contextmanager
    def track(self) -> Iterator[tuple[str, asyncio.Future[bool]]]:
        """Yield a new message ID, and a future for whether the message was sent.

        Nobody can guess the ID, so the text of an SMS can't forge an outcome.
        """
        message_id = f"ha{secrets.token_hex(6)}"
        future = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        try:
            yield message_id, future
        finally:
            del self._waiting[message_id]
            self._by_uniqueid = {
                uniqueid: other
                for uniqueid, other in self._by_uniqueid.items()
                if other is not future
            }
            future.cancel()

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet may be about a sent SMS."""
        return cls.marker in raw

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        if not packet.get("Channel").startswith(_CHANNEL):
            return
        uniqueid = packet.get("Uniqueid")
        if packet.event == "VarSet" and packet.get("Variable") == "SMS_SEND_ID":
            if future := self._waiting.get(packet.get("Value")):
                self._by_uniqueid[uniqueid] = future
        elif packet.event == "Newexten":
            future = self._by_uniqueid.get(uniqueid)
            was_sent = _OUTCOMES.get(packet.get("Extension"))
            if was_sent is not None and future and not future.done():
                future.set_result(was_sent)
