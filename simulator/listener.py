"""A port for clients, and what comes from there.

asyncio has servers of its own. But one that closes complains about a connection that it has
accepted and not set up yet, and ``start_tls`` leaves a broken writer if the connection is
lost meanwhile.
"""

import asyncio
from collections.abc import Callable
import socket
import ssl


class Listener:
    """Accepts connections from now on, until it's closed; those that stand stay."""

    def __init__(
        self, host: str, port: int, accepted: Callable[[socket.socket], None]
    ) -> None:
        """Listen; port 0 takes any free one. Each connection goes to ``accepted``."""
        self._accepted = accepted
        self._socket = socket.create_server((host, port))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError, InterruptedError, ConnectionAbortedError:
            return  # its client has gone already
        self._accepted(connection)

    def close(self) -> None:
        """Accept no more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


async def open_streams(
    connection: socket.socket, tls: ssl.SSLContext | None = None, limit: int = 2**16
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Set up a connection that was accepted, encrypted where that is wanted.

    Start the task that does this with ``eager_start``: if it were cancelled before its first
    step, nobody would close the connection. Raises OSError if it's lost, or if the client
    doesn't like the certificate or speaks no TLS.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(
        lambda: protocol, connection, ssl=tls
    )
    if transport.is_closing():
        raise ConnectionAbortedError("The connection was lost while it was set up")
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
