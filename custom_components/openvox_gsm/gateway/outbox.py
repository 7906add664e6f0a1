"""The late word of the gateway about messages whose fate was not known.

Where its dialplan has the extensions, the driver runs ``sms_send_ok`` or
``sms_send_failed`` on a channel ``EXTRA-SMSSEND/…`` when the network has
answered, with the ID that the command gave in the variable ``SMS_SEND_ID``.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import secrets

from custom_components.openvox_gsm.ami import Packet

_CHANNEL = "EXTRA-SMSSEND/"
_VERDICTS = {"sms_send_ok": True, "sms_send_failed": False}


class Outbox:
    """Matches the gateway's late events with the messages that wait for them.

    Subscribe `receive` with the test `wants`.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        # The same by the Uniqueid of the channel that tells their ID.
        self._by_uniqueid: dict[str, asyncio.Future[bool]] = {}

    @contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[bool]]]:
        """Give a new ID and the future that tells whether the message was sent.

        The ID cannot be guessed, so that no text of an SMS can forge a verdict.
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

    mark = _CHANNEL.encode()

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Tell cheaply whether a packet may concern a sent SMS."""
        return cls.mark in raw

    def receive(self, packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        if not packet.get("Channel").startswith(_CHANNEL):
            return
        uniqueid = packet.get("Uniqueid")
        if packet.event == "VarSet" and packet.get("Variable") == "SMS_SEND_ID":
            if future := self._waiting.get(packet.get("Value")):
                self._by_uniqueid[uniqueid] = future
        elif packet.event == "Newexten":
            future = self._by_uniqueid.get(uniqueid)
            verdict = _VERDICTS.get(packet.get("Extension"))
            if verdict is not None and future and not future.done():
                future.set_result(verdict)
