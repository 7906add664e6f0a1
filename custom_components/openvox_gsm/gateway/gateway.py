"""A gateway: its connection, and everything that can be done through it."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, datetime
import re
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    Credentials,
    Packet,
    PermissionDeniedError,
    Session,
    Tls,
)
from custom_components.openvox_gsm.ami.session import Headers

from . import commands, replies
from .calls.calls import Calls
from .calls.dialer import Dialer
from .calls.tracker import CallTracker
from .connection import Connection
from .errors import ForbiddenActionError, ForbiddenReason
from .firmware import Features, learn_features, learn_sms_steps
from .model import (
    CallDirection,
    CallEvent,
    CallEventType,
    CoreStatus,
    SendResult,
    StatusReport,
)
from .modules import Modules
from .observing.observer import Observer
from .observing.recording import look_around
from .port_events import PortEvents
from .power import LastSign, Power
from .receiving.inbox import Inbox
from .receiving.received_part import ReceivedPart
from .sending.reports import DeliveryReports
from .sending.sender import Sender
from .spans import Spans
from .timer import Timer
from .ussd import Ussd

# For commands and actions that could be anything.
_RAW_TIMEOUT: Final = 60.0  # seconds
# They would log the session out, or make it deliver events.
_SESSION_ACTIONS: Final = frozenset(("login", "logoff", "challenge", "events"))


class Gateway:
    """One gateway.

    `spans` reads its spans, `modules` switches them, `sms` sends, `ussd` asks the
    networks, `calls` rings phones. What comes in goes to the callbacks of the constructor.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        on_part: Callable[[ReceivedPart], None],
        on_connection: Callable[[AmiError | None], None],
        on_call: Callable[[CallEvent], None] | None = None,
        on_attempt: Callable[[SendResult], None] | None = None,
        on_report: Callable[[StatusReport], None] | None = None,
        on_ussd_unit: Callable[[bool], None] | None = None,
        ussd_in_milliseconds: bool = False,
        on_span_news: Callable[[], None] = lambda: None,
        on_power: Callable[[Mapping[int, LastSign]], None] = lambda _off: None,
        switched_off: Mapping[int, LastSign] | None = None,
        rests: dict[int, float] | None = None,
        line_breaks: bool = False,
        requires_pdu: bool = False,
        tls: Tls | None = None,
        plain_login: bool = True,
    ) -> None:
        r"""Prepare; nothing is opened before `start`.

        `on_part` gets each SMS that comes in, which may be a part of a long one: an
        Assembler joins them. `on_connection` gets the reason when the connection is
        lost, and None when it is back; after an AuthenticationError nothing more is
        tried. `on_call` gets what happens to the calls on the spans, `on_attempt` the
        final result of each message on each span where it was tried, `on_report` the
        reports about whether messages reached their phones. `on_ussd_unit` gets a new
        `ussd_in_milliseconds`, when it's found out how the firmware counts.
        `on_span_news` is called when the spans are worth reading now, and `on_power`
        gets the modules that we switched off whenever that changes; `switched_off` are
        those of an earlier run. `rests` keeps until when (loop's clock) spans get no
        slow command; hand it to the next Gateway for the same one.

        With `line_breaks` the firmware turns ``\n`` in a text into a line break. With
        `requires_pdu` an SMS without its PDU is dropped. Both may be changed at any
        time. `tls` encrypts. Without `plain_login`, and after a first login by
        challenge, the secret itself is never sent.
        """
        self._username = username
        self._on_connection = on_connection
        self._on_part = on_part
        self._on_call = on_call
        self._on_span_news = on_span_news
        self._power = Power(switched_off or {}, on_power)
        self._inbox = Inbox(
            self._part_received,
            self._call_later,
            on_report=lambda report: self.reports.reported(report),
            requires_pdu=requires_pdu,
        )
        self._call_tracker = CallTracker(
            self._call_changed, self._inbox, self._call_later
        )
        self._port_events = PortEvents(on_span_news)
        #: Counts and keeps what goes to and fro, without anything private.
        self.observer = Observer(self._inbox)
        self._connection = Connection(
            host,
            port,
            Credentials(username, secret, plain_login),
            subscribe=self._subscribe,
            prepare=self._prepare,
            on_change=self._connection_changed,
            on_answer=self.observer.answered,
            tls=tls,
        )
        self._dialer = Dialer(self._connection, self._call_tracker)
        self.spans = Spans(
            self._connection, self._power, self.observer.seen.span, rests
        )
        self.modules = Modules(self._connection, self.spans, self._power)
        self.calls = Calls(self._connection, self.spans, self._dialer)
        #: Takes status reports that come as PDUs.
        self.reports = DeliveryReports(self.spans, on_report or (lambda _report: None))
        self.sms = Sender(
            self._connection,
            self.spans,
            self.reports,
            on_attempt or (lambda _result: None),
            line_breaks=line_breaks,
        )
        self.ussd = Ussd(
            self._connection,
            self.spans,
            on_ussd_unit or (lambda _in_milliseconds: None),
            in_milliseconds=ussd_in_milliseconds,
        )
        #: What firmware and rights allow; learnt after each login.
        self.features = Features()

    @property
    def requires_pdu(self) -> bool:
        """Whether an SMS is accepted only with its PDU."""
        return self._inbox.requires_pdu

    @requires_pdu.setter
    def requires_pdu(self, required: bool) -> None:
        self._inbox.requires_pdu = required

    @property
    def sms_seen(self) -> Counter[str]:
        """How often what kind of incoming SMS has come by, since the beginning."""
        return self._inbox.seen

    @property
    def was_challenged(self) -> bool:
        """Whether the gateway accepts a login without being sent the secret."""
        return self._connection.was_challenged

    @property
    def is_connected(self) -> bool:
        """Whether the gateway can be used now."""
        return self._connection.is_up

    @property
    def connection_error(self) -> AmiError | None:
        """Why the last attempt to connect again failed, None while connected."""
        return self._connection.error

    async def start(self) -> None:
        """Connect, and stay connected until `stop`.

        Raises AmiError where that fails: CannotConnectError, ActionTimeoutError,
        ConnectionLostError, ProtocolError, AuthenticationError,
        PermissionDeniedError (no right for commands), NotAnOpenVoxGatewayError.
        """
        try:
            await self._connection.start()
        except BaseException:
            self._inbox.stop()
            raise

    async def stop(self) -> None:
        """Disconnect for good; what has come in is still delivered.

        Sends under way end at once, each with its result.
        """
        try:
            await self._dialer.stop()
            await self._connection.stop()
            await self.sms.stop()
            await self.spans.stop()
        finally:
            self._call_tracker.stop()
            self._inbox.stop()

    def _call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        return self._connection.call_later(delay, function)

    def _subscribe(self, session: Session) -> None:
        self.observer.seen.clear()
        # First, as it has to know how things were before each packet.
        for part in (
            self.observer,
            self._inbox,
            self.sms.late_outcomes,
            self.reports,
            self._call_tracker,
            self._dialer,
            self._port_events,
        ):
            session.subscribe(part.wants, part.receive, marker=part.marker)

    def _part_received(self, part: ReceivedPart) -> None:
        self._shows_life(part.span)
        self._on_part(part)

    def _call_changed(self, call: CallEvent) -> None:
        if call.type is CallEventType.ANSWERED or (
            call.type is CallEventType.RINGING
            and call.direction is CallDirection.INCOMING
        ):
            self._shows_life(call.span)
        if self._on_call:
            self._on_call(call)

    def _shows_life(self, span: int) -> None:
        """Note that a module works, no matter who switched it on."""
        if self._power.is_alive(span):
            self._on_span_news()

    def _connection_changed(self, error: AmiError | None) -> None:
        if error:
            self._inbox.connection_lost()
            self._call_tracker.connection_lost()
            self._dialer.connection_lost()
        self._on_connection(error)

    async def _prepare(self) -> None:
        self.features = await learn_features(self._connection, self._username)
        self._inbox.learn_steps(self.features.sms_steps)
        self.sms.adapt_to(self.features)
        self.spans.forget_firmware()

    async def read_sms_steps(self) -> None:
        """Read again which steps the dialplan runs for an incoming SMS.

        Its owner may have changed that. Raises AmiError.
        """
        self.features = await learn_sms_steps(self._connection, self.features)
        self._inbox.learn_steps(self.features.sms_steps)

    async def read_rights_now(self) -> frozenset[str]:
        """Return what the user may read after a new login, as far as that is known.

        A session keeps the rights that it had at its login. Raises AmiError.
        """
        user = await self._connection.command(commands.show_user(self._username))
        return replies.read_rights(user, "read") or frozenset()

    async def read_core_status(self) -> CoreStatus:
        """Read how many calls go through the gateway, and when it was started.

        Both are None without the right. Raises AmiError where the gateway doesn't
        answer.
        """
        try:
            answer = await self._connection.action("CoreStatus")
        except ActionFailedError, PermissionDeniedError:
            return CoreStatus()
        calls = answer.get("CoreCurrentCalls")
        date, time = answer.get("CoreStartupDate"), answer.get("CoreStartupTime")
        started_at: datetime | None
        try:
            started_at = datetime.strptime(f"{date} {time}", "%Y-%m-%d %H:%M:%S")
            if started_at.year in (MINYEAR, MAXYEAR):
                started_at = None  # a time zone may lead out of the calendar
        except ValueError:
            started_at = None
        return CoreStatus(
            active_calls=int(calls) if re.fullmatch("[0-9]{1,9}", calls) else None,
            started_at=started_at,
        )

    # Anything else

    async def read_events(self) -> None:
        """Wait until all that the gateway has sent is read, or the connection is lost.

        For who compares what both sides saw.
        """
        await self._connection.read_events()

    async def look_around(self) -> None:
        """Run every command that only shows something, for who observes."""
        await look_around(self._connection, self._username, self.spans)

    async def run_command(self, command: str) -> list[str]:
        """Run any command of the command line; return the lines that it prints.

        A command that fails says so in these lines.

        Raises ForbiddenActionError for what would harm the gateway, and AmiError, such
        as InvalidHeaderError for what can't be a command.
        """
        if commands.is_dangerous(command):
            raise ForbiddenActionError(ForbiddenReason.HANGS_SPAN, "gsm power stat")
        output = await self._connection.slow_command(command, timeout=_RAW_TIMEOUT)
        self.modules.commanded(command, output)
        return [line.rstrip("\r") for line in output.split("\n")] if output else []

    async def run_action(
        self, name: str, headers: Headers = ()
    ) -> tuple[Packet, list[Packet]]:
        """Run any action of the manager; return its answer and its list's events.

        Raises ForbiddenActionError for what would harm the gateway or end the session
        of the action, and AmiError, such as InvalidHeaderError for what can't be an
        action.
        """
        # Asterisk skips the spaces in front of a value.
        name, headers = name.strip(), list(headers)
        if name.lower() in _SESSION_ACTIONS:
            raise ForbiddenActionError(ForbiddenReason.SESSION_ACTION, name)
        for key, value in headers:
            if key.strip().lower() in ("action", "actionid"):
                raise ForbiddenActionError(ForbiddenReason.SESSION_HEADER, key.strip())
            if key.strip().lower() == "command" and commands.is_dangerous(value):
                raise ForbiddenActionError(ForbiddenReason.HANGS_SPAN, "gsm power stat")
        response, events = await self._connection.slow_list_action(
            name, headers, timeout=_RAW_TIMEOUT
        )
        for key, value in headers:
            if key.strip().lower() == "command":
                self.modules.commanded(value, response.output)
        return response, events
