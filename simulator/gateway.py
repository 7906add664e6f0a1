"""The simulated gateway: owns the spans, the users, the sessions and all tasks."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta, timezone
import socket
import ssl
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NoReturn, Self

from . import asterisk_cli, calls, gsm_cli, noise
from .channels import UNKNOWN, Channel, ChannelEvents, ChannelState
from .cli import CommandLine
from .faults import Faults
from .manager import Session
from .model import Dialect, Firmware, Originated, Overrun, SentPart, SentSms, User
from .pdu import deliver
from .sms import driver_escape, driver_reading
from .span import SimSpan
from .wire import to_wire

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SPANS = 44
"""The largest box has one board of 44 spans (later firmware)."""
DRIVER_SPANS = 32
"""The open driver stops here unless it is built for more."""


class Simulator:
    """An OpenVox GSM gateway without hardware, in this event loop.

    Use it as ``async with Simulator(spans=2) as sim``, or with `start` and `stop`. Started
    again after a stop it listens on the same port, as a gateway does after a restart.
    """

    def __init__(
        self,
        spans: int = 4,
        dialect: Dialect = Dialect.ASTERISK_1_8,
        firmware: Firmware = Firmware.CHAN_EXTRA_2_0_8,
        users: Sequence[User] | None = None,
        *,
        challenge: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Make a gateway; port 0 takes any free one. ``challenge``: whether it knows MD5.

        ``tls``: encrypt with this context, which holds the certificate.
        """
        if not 1 <= spans <= MAX_SPANS:
            raise ValueError(f"A gateway has 1 to {MAX_SPANS} spans, not {spans}")
        self.dialect = dialect
        self.firmware = firmware
        self.users = {user.name: user for user in users or [User("admin", "admin")]}
        self.challenge = challenge
        self.host = host
        self.port = port
        self.tls = tls

        self.login_penalty = 1.0
        """Seconds before a wrong password is answered (Asterisk 1.8)."""
        self.power_speed = 1.0
        """Factor for the seconds that the power commands take."""
        self.retry_interval = 2.0
        """Seconds after which a span that is not ready tries a message again."""
        self.timeout_scale = 1.0
        """Factor for the timeouts given in commands."""

        self.spans: dict[int, SimSpan] = {}
        self._vanished: dict[int, SimSpan] = {}
        self.events = ChannelEvents(dialect)
        self.faults = Faults(self)
        self.cli = CommandLine(
            self, [*asterisk_cli.COMMANDS, *gsm_cli.commands(firmware)]
        )
        self.channels: dict[str, Channel] = {}
        self.database: dict[tuple[str, str], str] = {}
        self.globals: dict[str, str] = {}

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
        self.events_sent = 0
        """How many events went to all sessions together."""
        self.on_news: Callable[[str], None] | None = None
        """Is told in plain words what happens."""

        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._running = False
        self._sent_changed = asyncio.Condition()
        self._open_parts: dict[tuple[int, str, int], dict[int, SentPart]] = {}
        self._next_uniqueid = 1
        self.processed_calls = 0
        """How many calls the dialplan has run for since the start, SMS included."""
        self._next_reference = 1
        self._started = monotonic()
        self.started_at = datetime.now()
        for number in range(1, spans + 1):
            self.add_span(number)

    # ---- life ----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen for clients."""
        self._running = True
        self._started = monotonic()
        self.started_at = datetime.now()
        self.processed_calls = 0
        if not self.faults.refuse:
            self._bind()
            await self._listen()

    async def stop(self) -> None:
        """Close everything: afterwards there is no task and no socket left."""
        self._running = False
        self.faults.unreachable = False
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop_connections(abort=True)
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)
        if server is not None:
            await server.wait_closed()
        elif self._listener is not None:
            self._listener.close()
        self._listener = None
        self.channels.clear()
        self._open_parts.clear()
        for span in self.spans.values():
            span.reset()

    async def restart(self, downtime: float = 0.0) -> None:
        """Go down, forget sessions and messages under way, and come back on the same port."""
        await self.stop()
        await asyncio.sleep(downtime)
        await self.start()

    def listen_or_not(self) -> None:
        """Listen, or stop listening, as the faults say; connections stay as they are."""
        if self.faults.refuse and self._server is not None:
            self._server.close()
            self._server = None
        elif not self.faults.refuse and self._running and self._server is None:
            self._bind()
            self.spawn(self._listen())

    def _bind(self) -> None:
        """Take the port at once, so that who connects from now on gets through."""
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, sock=self._listener)

    def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not self._running:
            writer.transport.abort()
            return
        # As Asterisk does; otherwise the output of a command waits 40 ms behind its head.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, reader, writer)
        self._sessions.add(session)
        self.spawn(self._serve(session, writer))

    async def _serve(self, session: Session, writer: asyncio.StreamWriter) -> None:
        try:
            if await self._encrypt(writer):
                await session.run()
        finally:
            self._sessions.discard(session)

    async def _encrypt(self, writer: asyncio.StreamWriter) -> bool:
        """Encrypt a connection where that is wanted; say whether it goes on."""
        try:
            if self.tls:
                await writer.start_tls(self.tls)
        except OSError:
            return False  # the client did not like the certificate, or speaks no TLS
        return True

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in a task that ends at the latest with `stop`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def forever(self) -> NoReturn:
        """Wait until the gateway is stopped."""
        while True:
            await asyncio.Event().wait()

    async def pause(self, seconds: float) -> None:
        """Wait some seconds."""
        await asyncio.sleep(seconds)

    async def power_pause(self, seconds: float) -> None:
        """Wait as long as a step of a power command takes."""
        await asyncio.sleep(seconds * self.power_speed)

    def whole_seconds(self, seconds: int) -> float:
        """Give how long a timeout really lasts: the driver counts to a whole second."""
        now = time()
        return max(0.0, int(now) + seconds - now) * self.timeout_scale

    @property
    def uptime(self) -> int:
        """Give the seconds since the start."""
        return int(monotonic() - self._started)

    # ---- spans ---------------------------------------------------------------------------

    def add_span(self, number: int) -> SimSpan:
        """Add a span, as a new board does; one that vanished comes back as it was."""
        if not 1 <= number <= MAX_SPANS or number in self.spans:
            raise ValueError(
                f"There can be no new span {number}: it is there, or not among 1 to {MAX_SPANS}"
            )
        vanished = self._vanished.pop(number, None)
        self.spans[number] = vanished or SimSpan(self, number)
        return self.spans[number]

    def remove_span(self, number: int) -> None:
        """Let a span vanish."""
        self._vanished[number] = self.spans.pop(number)

    @property
    def span_limit(self) -> int:
        """Give the highest number the driver takes for a span."""
        return DRIVER_SPANS if max(self.spans, default=1) <= DRIVER_SPANS else MAX_SPANS

    # ---- sessions and events -------------------------------------------------------------

    @property
    def sessions(self) -> int:
        """Give the number of logged-in sessions whose client is still there."""
        return len(self.logged_in_sessions)

    @property
    def logged_in_sessions(self) -> list[Session]:
        """Give the sessions of users whose clients are still there."""
        return [session for session in self._sessions if session.logged_in]

    @property
    def logged_in_users(self) -> list[str]:
        """Give the name of the user of every session."""
        return [
            session.user.name for session in self.logged_in_sessions if session.user
        ]

    def find_user(self, name: str) -> User | None:
        """Find a user by name, in ASCII capitals or not where the dialect is a later one."""
        if self.dialect is Dialect.ASTERISK_1_8:
            return self.users.get(name)
        wanted = to_wire(name).encode("latin-1").lower()
        return next(
            (
                user
                for user in self.users.values()
                if to_wire(user.name).encode("latin-1").lower() == wanted
            ),
            None,
        )

    @property
    def connections(self) -> int:
        """Give the number of connections, logged in or not."""
        return sum(session.connected for session in self._sessions)

    @property
    def asterisk_version(self) -> str:
        """Give the version of Asterisk (app note; a real Asterisk 22)."""
        return "1.8.20.0" if self.dialect is Dialect.ASTERISK_1_8 else "22.10.1"

    @property
    def call_count(self) -> int:
        """Give the number of calls that are up or ring."""
        return sum(span.call is not None for span in self.spans.values())

    def emit(self, event: bytes) -> None:
        """Send the raw bytes of an event to every session that may see it, in one order."""
        for session in self._sessions:
            session.deliver(event)

    def listeners(self) -> set[Session]:
        """Give the sessions whose clients see incoming SMS."""
        return {session for session in self._sessions if session.hears_sms}

    async def one_stays(self, sessions: set[Session], seconds: float) -> bool:
        """Say whether one of some sessions gets all that it was sent, and stays on.

        It counts only if it is still there some seconds later: with a connection that
        breaks goes what its client has not read.
        """
        while any(each.logged_in and each.has_unsent for each in sessions):
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        return any(each.logged_in for each in sessions)

    def send_raw(self, data: bytes) -> None:
        """Send raw bytes to every connection."""
        for session in self._sessions:
            session.send(data)

    def drop_connections(self, abort: bool) -> None:
        """Drop every connection."""
        for session in self._sessions:
            session.drop(abort)

    async def noise(
        self, packets: int = 5000, sms_like: bool = False, rate: float | None = None
    ) -> None:
        """Send other people's call traffic: so many packets a second, or as fast as it goes."""
        now = asyncio.get_running_loop().time
        start = now()
        for number, event in enumerate(noise.packets(self.events, packets, sms_like)):
            self.emit(event)
            if number % 100 == 0:
                due = start + number / rate if rate else 0.0
                await asyncio.sleep(max(0.0, due - now()))

    def tell(self, news: str) -> None:
        """Tell in plain words what happened, to whoever listens."""
        if self.on_news is not None:
            self.on_news(news)

    # ---- channels ------------------------------------------------------------------------

    def new_channel(
        self,
        name: str,
        context: str,
        exten: str,
        state: ChannelState = ChannelState.DOWN,
        caller: str = UNKNOWN,
    ) -> Channel:
        """Make a channel with an identifier of its own."""
        uniqueid = f"{int(time())}.{self._next_uniqueid}"
        self._next_uniqueid += 1
        channel = Channel(name, context, exten, uniqueid, state, caller)
        self.channels[name] = channel
        return channel

    def set_variable(
        self, channel: Channel, name: str, value: str, tell: bool = True
    ) -> None:
        """Set a channel variable."""
        channel.variables[name] = value
        if tell:
            self.emit(self.events.var_set(channel, name, value))

    def step(
        self, channel: Channel, application: str, data: str, tell: bool = True
    ) -> None:
        """Go to the application of the channel's current priority."""
        channel.application, channel.data = application, data
        if tell:
            self.emit(self.events.new_exten(channel))

    def destroy_channel(self, channel: Channel, cause: int, tell: bool = True) -> None:
        """Hang a channel up with a cause."""
        self.channels.pop(channel.name, None)
        if tell:
            self.emit(self.events.hangup(channel, cause))

    def run_dialplan(
        self,
        channel: Channel,
        variables: Mapping[str, str],
        steps: Sequence[tuple[str, str]],
        *,
        varset: bool = True,
        newexten: bool = True,
        hangup: bool = True,
    ) -> None:
        """Set variables on a channel of the driver, run an extension on it and hang it up.

        Asterisk 1.8 raises no ``Newchannel`` for such a channel, 14 and later do.
        """
        self.processed_calls += 1
        if self.dialect is Dialect.ASTERISK_14:
            self.emit(self.events.new_channel(channel))
        for name, value in variables.items():
            self.set_variable(channel, name, value, varset)
        for channel.priority, (application, data) in enumerate(
            [*steps, ("Hangup", "")], 1
        ):
            self.step(channel, application, data, newexten)
            if application == "System":
                self.set_variable(channel, "SYSTEMSTATUS", "SUCCESS", varset)
        self.destroy_channel(channel, 0, hangup)

    # ---- SMS in --------------------------------------------------------------------------

    async def receive_sms(
        self,
        span: int,
        sender: str,
        text: str,
        when: datetime | None = None,
        zone_hours: float = 8,
        *,
        wide_reference: bool = False,
        reference: int | None = None,
        order: Sequence[int] | None = None,
        repeat_parts: Sequence[int] = (),
        varset: bool = True,
        newexten: bool = True,
        pdu: bool = True,
        hangup: bool = True,
        service_center: str | None = None,
    ) -> list[str]:
        """Let an SMS come in from the network; gives the ``Uniqueid`` of each part.

        ``when`` is the time of the service centre, by its own clock if naive; ``zone_hours``
        its zone in hours east of Greenwich. A long text comes as parts, each an SMS of its
        own, in the ``order`` given (numbers from 1, some may be missing) and those of
        ``repeat_parts`` twice. ``varset``, ``newexten``, ``pdu`` and ``hangup`` say what a
        session sees of it at all.
        """
        zone = timezone(timedelta(hours=zone_hours))
        local = datetime.now(zone) if when is None else when
        if local.tzinfo is not None:
            local = local.astimezone(zone)
        center = (
            self.spans[span].sms_center if service_center is None else service_center
        )
        if reference is None:
            reference = self._next_reference
            self._next_reference += 1
        parts = deliver(
            sender, text, local, zone_hours, center,
            reference=reference, wide_reference=wide_reference,
        )  # fmt: skip
        uniqueids: list[str] = []
        for number in order if order is not None else range(1, len(parts) + 1):
            variables = self._driver_variables(span, parts[number - 1].pdu, pdu)
            for _ in range(2 if number in repeat_parts else 1):
                uniqueid = await self.receive_variables(
                    span, variables, varset=varset, newexten=newexten, hangup=hangup
                )
                uniqueids.append(uniqueid)
        return uniqueids

    def _driver_variables(
        self, number: int, pdu: str, with_pdu: bool
    ) -> dict[str, str]:
        """Give the channel variables that the driver makes of a PDU.

        In text mode there is no PDU, the sender has a blank in front and the time another
        form. Guess: only chan_extra 2.0.8 escapes the text.
        """
        span = self.spans[number]
        reading = driver_reading(pdu, span.sms_coding)
        text = reading.text
        if self.firmware is Firmware.CHAN_EXTRA_2_0_8:
            text = driver_escape(text)
        text_mode = span.sms_mode == "text"
        return {
            "SMSSRC": f" {reading.sender}" if text_mode else reading.sender,
            "SMSTXT": text,
            "SMSPDU": pdu if with_pdu and not text_mode else "",
            "SMSTIME": reading.time[2:].replace(" ", ",")
            if text_mode
            else reading.time,
            "SMSTZ": reading.zone,
        }

    async def receive_variables(
        self,
        span: int,
        variables: Mapping[str, str | bytes],
        *,
        varset: bool = True,
        newexten: bool = True,
        hangup: bool = True,
    ) -> str:
        """Let an SMS come in whose channel variables are exactly these; gives its Uniqueid.

        Values are bytes, or text of which each character is a byte (Latin-1). What is
        missing of SMSSRC, SMSTXT, SMSTIME is empty in the dialplan's steps.
        """
        port = self.spans[span]
        port.last_event = "SMS received"
        values = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in variables.items()
        }
        sender, text, stamp = (
            values.get(name, "") for name in ("SMSSRC", "SMSTXT", "SMSTIME")
        )
        program = f'/my_tools/process_sms "{span}" "{sender}" "{stamp}" "{text}" > /dev/null 2>&1 &'
        channel = port.sms_channel()
        self.run_dialplan(
            channel,
            values | {"DIALSTATUS": "SMS_END"},
            [("NoOp", text), ("System", program)],
            varset=varset,
            newexten=newexten,
            hangup=hangup,
        )
        await asyncio.sleep(0)
        return channel.uniqueid

    # ---- SMS out -------------------------------------------------------------------------

    def record_sent(self, part: SentPart) -> None:
        """Take an SMS as the phone does: the parts of a long one are joined to one message."""
        self.sent_parts.append(part)
        if part.flag is None:
            self._arrived([part], whole=True)
            return
        key = part.span, part.number, part.flag
        parts = self._open_parts.setdefault(key, {})
        parts[part.sequence] = part
        if len(parts) < part.count:
            return
        del self._open_parts[key]
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
        self.spawn(self._wake_sent())

    async def _wake_sent(self) -> None:
        async with self._sent_changed:
            self._sent_changed.notify_all()

    async def wait_sent(self, count: int, timeout: float = 5) -> list[SentSms]:
        """Wait until so many messages went out, at most some seconds; raises TimeoutError."""
        async with asyncio.timeout(timeout), self._sent_changed:
            await self._sent_changed.wait_for(lambda: len(self.sent) >= count)
        return list(self.sent)

    # ---- calls ---------------------------------------------------------------------------

    async def incoming_call(
        self, span: int, number: str, dial: str = "SIP/1001,60,r"
    ) -> calls.Call:
        """Let a call come in; the dialplan dials ``dial``. Answer it or hang it up yourself."""
        call = calls.ring(self, self.spans[span], to_wire(number), dial)
        await asyncio.sleep(0)
        return call
