"""What was asked of the gateway and what left it, for tests to look at."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class SentSms:
    """One whole message as it arrived on the phone.

    ``parts`` holds the text of each SMS it came in, ``alphabet`` is ``gsm7`` or ``ucs2``,
    ``id`` the identifier given in the (first) command.
    """

    span: int
    number: str
    text: str
    parts: tuple[str, ...]
    alphabet: str
    flash: bool
    id: str | None


@dataclass(frozen=True)
class SentPart:
    """One single SMS as it left a span; ``flag`` is None for one that stands alone."""

    span: int
    number: str
    text: str
    alphabet: str
    flash: bool
    id: str | None
    flag: int | None = None
    count: int = 1
    sequence: int = 1


@dataclass(frozen=True)
class Overrun:
    """A text so long that the driver overruns its own buffer (tried on the vendor's code).

    ``units`` counts septets (``gsm7``, from 289) or UTF-16 units (``ucs2``, from 126).
    """

    span: int
    alphabet: str
    units: int


@dataclass(frozen=True)
class Originated:
    """An outgoing call that a client asked for with ``Originate``."""

    span: int
    number: str
    channel: str
    application: str
    data: str
    context: str
    exten: str
    priority: str
    timeout_ms: int
    asynchronous: bool
    caller_id: str
    variables: tuple[str, ...]


class Journal:
    """Lists of all that was asked for and all that went out."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.commands: list[str] = []
        """Every CLI command received."""
        self.actions: list[str] = []
        """The name of every action received, as the client wrote it."""
        self.sent: list[SentSms] = []
        """Every whole message that went out."""
        self.sent_parts: list[SentPart] = []
        """Every single SMS that went out."""
        self.overruns: list[Overrun] = []
        """Every text so long that the real driver would overrun its buffer."""
        self.ussd_requests: list[str] = []
        """The code of every USSD request received."""
        self.ussd_overlaps: list[str] = []
        """The code of every one received while its span waited for another answer."""
        self.ussd_answers: list[tuple[str, str]] = []
        """Every code that the network answered, with its text."""
        self.originated: list[Originated] = []
        """Every outgoing call that was asked for."""
        self.on_news: Callable[[str], None] | None = None
        """Gets a sentence about each thing that happens."""
        self._unfinished: dict[tuple[int, str, int], dict[int, SentPart]] = {}
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def tell(self, news: str) -> None:
        """Say in plain words what happened."""
        if self.on_news is not None:
            self.on_news(news)

    def record_sent(self, part: SentPart) -> None:
        """Take an SMS as the phone does: the parts of a long one are joined to one message."""
        self.sent_parts.append(part)
        if part.flag is None:
            self._arrived([part], whole=True)
            return
        key = part.span, part.number, part.flag
        parts = self._unfinished.setdefault(key, {})
        parts[part.sequence] = part
        if len(parts) < part.count:
            return
        del self._unfinished[key]
        # 7-bit parts get a 16-bit reference, UCS-2 parts an 8-bit one: phones do not join them.
        together = {
            (other.alphabet, other.count, other.flash) for other in parts.values()
        }
        self._arrived(
            [parts[sequence] for sequence in sorted(parts)], whole=len(together) == 1
        )

    def _arrived(self, parts: list[SentPart], whole: bool) -> None:
        messages = [parts] if whole else [[part] for part in parts]
        for message in messages:
            first = message[0]
            texts = tuple(part.text for part in message)
            sms = SentSms(
                first.span,
                first.number,
                "".join(texts),
                texts,
                first.alphabet,
                first.flash,
                first.id,
            )
            self.sent.append(sms)
            kind = "flash SMS" if sms.flash else "SMS"
            self.tell(f"span {sms.span}: {kind} to {sms.number}: {sms.text}")
        for count, enough in self._waiting:
            if len(self.sent) >= count and not enough.done():
                enough.set_result(None)

    async def wait_sent(self, count: int, timeout: float = 5) -> list[SentSms]:
        """Wait until this many messages went out, at most some seconds.

        Raises TimeoutError.
        """
        if len(self.sent) < count:
            enough = asyncio.get_running_loop().create_future()
            self._waiting.append((count, enough))
            try:
                async with asyncio.timeout(timeout):
                    await enough
            finally:
                self._waiting.remove((count, enough))
        return list(self.sent)

    def forget_unfinished(self) -> None:
        """Forget the parts of messages that are not whole."""
        self._unfinished.clear()
