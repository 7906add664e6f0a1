"""An action on its way: from being sent to its answer."""

import asyncio
from typing import Any, Final

from .errors import ActionFailedError, AmiError, PermissionDeniedError, ProtocolError
from .packet import Packet

# Bytes that the events of a list take in memory; far more than any honest list takes: 500
# channels take two million.
MAX_LIST: Final = 8 * 1024 * 1024
_MAX_MESSAGE: Final = 200  # characters; Asterisk's own are shorter
# Bytes that are taken beside those that came: by an event, and by each of its headers.
_EVENT: Final = 256
_HEADER: Final = 128


class PendingAction:
    """An action that waits for its answer, and for its list of events."""

    def __init__(
        self, name: str, *, timeout: float, deadline: float, is_list: bool
    ) -> None:
        """Wait up to `timeout` seconds, until `deadline` of the loop's clock."""
        self.name = name
        self.timeout = timeout
        self.deadline = deadline
        self._is_list = is_list
        self._response: Packet | None = None
        self._events: list[Packet] = []
        self._size = 0  # bytes of the events in memory
        #: The answer, and the events of its list.
        self.result: asyncio.Future[tuple[Packet, list[Packet]]] = (
            asyncio.get_running_loop().create_future()
        )

    def answer(self, packet: Packet) -> bool:
        """Set the answer; return whether its list has an end that doesn't show.

        Asterisk 1.8 ends some lists with an event of any name, and the single value
        of DBGet without one (main/db.c). Call `finish` at the end of such a list.
        """
        if self._response or self.result.done():
            return False  # a second answer, or nothing waits any more
        self._response = packet
        if self._is_list:
            if packet.get("EventList").lower() == "start":
                return False
            if packet.get("Message").lower().endswith("will follow"):
                return True
        self.finish()
        return False

    def add_event(self, packet: Packet) -> bool:
        """Add an event to the list; return whether it belongs to the list.

        Raises ProtocolError if the list is larger than MAX_LIST.
        """
        if not self._response or self.result.done():
            return False
        # Only the last one has this header ("Complete", or "cancelled").
        if "EventList" in packet:
            self.finish()
        else:
            headers = packet.raw.count(b"\r\n") + 1
            self._size += len(packet.raw) + _EVENT + headers * _HEADER
            if self._size > MAX_LIST:
                self._events.clear()
                raise ProtocolError(
                    f"The gateway sent a list that takes more than {MAX_LIST} bytes"
                )
            self._events.append(packet)
        return True

    def finish(self) -> None:
        """Set the result: the list is complete."""
        if self._response and not self.result.done():
            self.result.set_result((self._response, self._events))

    def fail(self, error: AmiError) -> None:
        """Set an error as the result, unless there is a result."""
        fail(self.result, error)


def fail(future: asyncio.Future[Any], error: AmiError) -> None:
    """Set an error as the result of a future, unless it is done."""
    if not future.done():
        future.set_exception(error)
        future.exception()  # perhaps nothing waits for it any more


def raise_for_error(name: str, response: Packet) -> None:
    """Raise PermissionDeniedError or ActionFailedError where an action was refused."""
    if response.get("Response").lower() != "error":
        return
    # It's shown to people and logged, so it's one short line.
    message = " ".join(response.get("Message").split())[:_MAX_MESSAGE]
    if message == "Command output follows":
        return  # Asterisk 14 and later answer a failed command like this
    if message.lower() == "permission denied":
        raise PermissionDeniedError(f"The user has no right for the action {name}")
    raise ActionFailedError(message or f"The gateway refused {name}")
