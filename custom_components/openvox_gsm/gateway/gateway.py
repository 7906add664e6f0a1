"""A gateway: its connection, and all that can be done through it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
import re
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
    Credentials,
    Packet,
    PermissionDeniedError,
    Session,
    Tls,
)
from custom_components.openvox_gsm.ami.session import Headers

from . import cli
from .assembly import ReceivedPart
from .calls import CallTracker, voice_channel
from .connection import Connection
from .dialer import Dialer
from .errors import ForbiddenActionError, NotAnOpenVoxGatewayError, SpanError
from .inbox import Inbox
from .model import CallNews, CoreStatus, Features, RingResult, SendFailure, SendResult
from .sender import Sender, SmsUsage
from .spans import NOT_READY, Spans
from .text import normalise_number
from .ussd import Ussd

# Reset takes about 13 seconds in the driver.
_POWER_TIMEOUT: Final = 60.0  # seconds
# For commands and actions that nothing is known of.
_RAW_TIMEOUT: Final = 60.0  # seconds
# They would log the session out, or make it deliver events that nobody reads.
_SESSION_ACTIONS: Final = frozenset(("login", "logoff", "challenge", "events"))
_HANGS_THE_SPAN: Final = "gsm power stat hangs the span until the gateway is restarted"

_COUNT = re.compile(r"[0-9]{1,9}")


class Gateway:
    """One gateway.

    `spans` reads its spans, `sms` sends, `ussd` asks the networks; what comes in is
    told to the functions that it is made with.
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
        on_call: Callable[[CallNews], None] | None = None,
        on_attempt: Callable[[SendResult], None] | None = None,
        line_breaks: bool = False,
        requires_pdu: bool = False,
        tls: Tls | None = None,
        plain_login: bool = True,
    ) -> None:
        r"""Prepare; nothing is opened before `start`.

        `on_part` is called with each SMS that comes in, which may be a part of a
        long one: an Assembler joins them. `on_connection` is told
        when the connection goes, with the reason, and when it is back, with
        None; after an AuthenticationError nothing more is tried. `on_call` is
        told what happens to the calls on the spans, `on_attempt` what became of
        each message on each span on which it was tried. `line_breaks` says that
        the firmware makes a line break of ``\n`` in a text. With `requires_pdu`
        no SMS is taken that the gateway does not confirm by its PDU; both may be
        changed at any time. `tls` encrypts. Without `plain_login` the secret is
        never sent; nor is it after a login without it.
        """
        self._username = username
        self._on_connection = on_connection
        call_later = asyncio.get_running_loop().call_later
        self._inbox = Inbox(on_part, call_later, requires_pdu=requires_pdu)
        self._calls = CallTracker(
            on_call or (lambda _news: None), self._inbox, call_later
        )
        self._connection = Connection(
            host,
            port,
            Credentials(username, secret, plain_login),
            subscribe=self._subscribe,
            prepare=self._learn_features,
            on_change=self._connection_changed,
            tls=tls,
        )
        self._dialer = Dialer(self._connection, self._calls)
        self.spans = Spans(self._connection)
        self.sms = Sender(
            self._connection,
            self.spans,
            on_attempt or (lambda _result: None),
            line_breaks=line_breaks,
        )
        self.ussd = Ussd(self._connection, self.spans)
        #: What firmware and rights allow; read after each login.
        self.features = Features()

    @property
    def requires_pdu(self) -> bool:
        """Whether an SMS is taken only with its PDU."""
        return self._inbox.requires_pdu

    @requires_pdu.setter
    def requires_pdu(self, required: bool) -> None:
        self._inbox.requires_pdu = required

    @property
    def was_challenged(self) -> bool:
        """Whether the gateway takes a login without being sent the secret."""
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
        """Disconnect for good; what has come in is told.

        What is being sent ends at once, with a result of its own.
        """
        try:
            await self._dialer.stop()
            await self._connection.stop()
            await self.sms.stop()
            await self.spans.stop()
        finally:
            self._calls.connection_lost()
            self._inbox.stop()

    def _subscribe(self, session: Session) -> None:
        for part in (self._inbox, self.sms.outbox, self._calls, self._dialer):
            session.subscribe(part.wants, part.receive, mark=part.mark)

    def _connection_changed(self, error: AmiError | None) -> None:
        if error:
            self._inbox.connection_lost()
            self._calls.connection_lost()
            self._dialer.connection_lost()
        self._on_connection(error)

    async def _learn_features(self) -> None:
        """Read what firmware and rights allow, from texts that change nothing."""
        command = self._connection.command
        help_text = await command(cli.HELP)
        version = await command(cli.SHOW_VERSION)
        if cli.is_unknown_command(help_text) and cli.is_unknown_command(version):
            raise NotAnOpenVoxGatewayError(
                "The Asterisk there has no gsm commands: it is no OpenVox GSM gateway"
            )
        self.sms.usage = usage = SmsUsage(
            sms=cli.usage_arguments(await command(cli.HELP_SEND_SMS)),
            part=cli.usage_arguments(await command(cli.HELP_SEND_SMS_PART)),
            has_parts=cli.is_unknown_command(help_text)
            or cli.has_command(help_text, "gsm send sync csms"),
        )
        user = await command(cli.show_user(self._username))
        may_read, may_write = (
            cli.read_rights(user, kind) for kind in ("read", "write")
        )
        self.features = Features(
            asterisk_version=await self._read_setting(
                "CoreSettings", "AsteriskVersion"
            ),
            driver_version=cli.read_driver_version(version),
            concatenated_sms=usage.has_parts,
            message_id="id" in usage.sms,
            flash="flash" in usage.sms,
            may_see_sms=None if may_read is None else "dialplan" in may_read,
            may_see_calls=None if may_read is None else "call" in may_read,
            may_dial=None if may_write is None else "originate" in may_write,
        )
        self.spans.forget_firmware()

    async def read_rights_now(self) -> frozenset[str]:
        """Return what the user may read after a new login, as far as that is told.

        A session keeps the rights that it had at its login. Raises AmiError.
        """
        user = await self._connection.command(cli.show_user(self._username))
        return frozenset(cli.read_rights(user, "read") or ())

    async def _read_setting(self, action: str, key: str) -> str:
        """Read one header of an action's answer; empty without the right for it."""
        try:
            return (await self._connection.action(action)).get(key)
        except ActionFailedError, PermissionDeniedError:
            return ""

    async def read_core_status(self) -> CoreStatus:
        """Read how many calls go through the gateway, and since when it runs.

        Nothing is known without the right. Raises AmiError where the gateway does
        not answer.
        """
        try:
            answer = await self._connection.action("CoreStatus")
        except ActionFailedError, PermissionDeniedError:
            return CoreStatus()
        calls = answer.get("CoreCurrentCalls")
        date, time = answer.get("CoreStartupDate"), answer.get("CoreStartupTime")
        try:
            started_at = datetime.strptime(f"{date} {time}", "%Y-%m-%d %H:%M:%S")
        except ValueError:
            started_at = None
        return CoreStatus(
            active_calls=int(calls) if _COUNT.fullmatch(calls) else None,
            started_at=started_at,
        )

    # Calls

    async def ring(
        self, number: str, ring_time: int, *, span: int | None = None
    ) -> RingResult:
        """Ring a phone for at most `ring_time` (whole) seconds, and hang up.

        Without a span a ready one is chosen. A call that was begun ends whatever
        happens, also if whoever called this is cancelled.

        Raises InvalidNumberError, SpanError where no span or that one can call
        now, and AmiError where the gateway refuses the call or the connection is
        lost.
        """
        number = normalise_number(number)
        if span is not None:
            return await self._ring_on(span, number, ring_time)
        error = SpanError(SendFailure.NO_SPAN_READY, None)
        tried: set[int] = set()
        for spans_may_be_outdated in (True, False):
            while (choice := self.spans.choose(frozenset(tried))) is not None:
                tried.add(choice)
                try:
                    return await self._ring_on(choice, number, ring_time)
                except SpanError as err:  # nothing rang, so the next one may
                    if err.failure not in NOT_READY:
                        error = err
            if spans_may_be_outdated:
                await self.spans.read()
        raise error

    async def _ring_on(self, span: int, number: str, ring_time: int) -> RingResult:
        async with self.spans.turn(span) as line:
            deadline = asyncio.get_running_loop().time() + ring_time
            if failure := await self.spans.why_not_ready(line, deadline):
                raise SpanError(failure, span)
            return await self._dialer.ring(span, number, ring_time)

    async def hang_up(self, span: int) -> int:
        """End all calls on a span; returns how many there were.

        Raises SpanError where there is no such span, and AmiError; after
        CannotConnectError nothing was done.
        """
        if span not in self.spans:
            raise SpanError(SendFailure.NO_SUCH_SPAN, span)
        _, channels = await self._connection.list_action("CoreShowChannels")
        prefix = f"EXTRA/{voice_channel(span)}-"
        ended = 0
        for channel in channels:
            name = channel.get("Channel")
            if not name.startswith(prefix):
                continue
            try:
                ended += await self._hang_up(name)
            except CannotConnectError as err:
                if not ended:
                    raise
                raise ConnectionLostError(str(err)) from err
        return ended

    async def _hang_up(self, channel: str) -> bool:
        """End a call; False where it has just ended by itself."""
        try:
            await self._connection.action(
                "Hangup", [("Channel", channel), ("Cause", "16")]
            )
        except ActionFailedError:
            return False
        return True

    # The module of a span

    async def set_power(self, span: int, on: bool) -> None:
        """Switch the module of a span on (about 9 s) or off (4 s).

        Raises SpanError where the gateway could not, AmiError.
        """
        await self._power(span, "on" if on else "off")

    async def restart_module(self, span: int) -> None:
        """Switch the module of a span off and on again (about 13 s).

        Raises SpanError where the gateway could not, AmiError.
        """
        await self._power(span, "reset")

    async def _power(self, span: int, action: str) -> None:
        async with self.spans.turn(span):
            output = await self._connection.slow_command(
                cli.power(action, span), timeout=_POWER_TIMEOUT
            )
            if not cli.power_succeeded(output):
                raise SpanError(SendFailure.REFUSED, span)

    # Whatever else the gateway can do

    async def run_command(self, command: str) -> list[str]:
        """Run any command of the command line; returns the lines that it prints.

        A command that fails says so in its lines.

        Raises ForbiddenActionError for what would harm the gateway, and AmiError:
        InvalidHeaderError for what cannot be a command.
        """
        if cli.is_dangerous(command):
            raise ForbiddenActionError(_HANGS_THE_SPAN)
        output = await self._connection.slow_command(command, timeout=_RAW_TIMEOUT)
        return [line.rstrip("\r") for line in output.split("\n")] if output else []

    async def run_action(
        self, name: str, headers: Headers = ()
    ) -> tuple[Packet, list[Packet]]:
        """Run any action of the manager; returns its answer and its list's events.

        Raises ForbiddenActionError for what would harm the gateway or end the
        session that the action runs in, and AmiError: InvalidHeaderError for what
        cannot be an action.
        """
        # Asterisk skips the blanks in front of a value.
        name, headers = name.strip(), list(headers)
        if name.lower() in _SESSION_ACTIONS:
            raise ForbiddenActionError(f"{name} is done by the session itself")
        for key, value in headers:
            if key.strip().lower() in ("action", "actionid"):
                raise ForbiddenActionError(
                    f"{key.strip()} is set by the session itself"
                )
            if key.strip().lower() == "command" and cli.is_dangerous(value):
                raise ForbiddenActionError(_HANGS_THE_SPAN)
        return await self._connection.slow_list_action(
            name, headers, timeout=_RAW_TIMEOUT
        )
