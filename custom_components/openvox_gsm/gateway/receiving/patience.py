"""How often packets are read again that were set aside."""

from typing import Final

_EACH: Final = 4  # times, on average
_MOST: Final = 4000  # packets at a time


class Patience:
    """Ends where a hostile gateway has packets set aside again and again.

    Each new one could make all the others be read once more. The text of an SMS is too
    short for that.
    """

    def __init__(self) -> None:
        """Begin with all of it."""
        self._left = _MOST

    def grow(self) -> None:
        """Note that another packet has come in."""
        self._left = min(self._left + _EACH, _MOST)

    def lasts_for(self, packets: int) -> bool:
        """Return whether so many packets may be read again, which uses it up."""
        if packets > self._left:
            return False
        self._left -= packets
        return True
