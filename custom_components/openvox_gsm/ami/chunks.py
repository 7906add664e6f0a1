"""Reads a little at a time, so that everything else has its turn in between."""

import asyncio
from typing import Final

# Bytes. All other tasks wait while they are read, and a hostile gateway may send more than
# this machine can read.
CHUNK: Final = 8 * 1024


class ChunkedProtocol(asyncio.BufferedProtocol):
    """A protocol that gets what has come in small chunks."""

    def __init__(self) -> None:
        """Reserve the memory for one chunk."""
        self._chunk = memoryview(bytearray(CHUNK))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to put what comes; asyncio calls this."""
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what has come; asyncio calls this."""
        self.receive(bytes(self._chunk[:nbytes]))

    def receive(self, data: bytes) -> None:
        """Read a chunk."""
        raise NotImplementedError
