"""A gateway: its spans, sending SMS and USSD through them, and what comes in."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
import math
import random
import re
from types import MappingProxyType
from typing import Any, Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
    Credentials,
    InvalidHeaderError,
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
from .inbox import Inbox
from .model import (
    CallNews,
    CoreStatus,
    Features,
    RingResult,
    SendFailure,
    SendResult,
    SendStatus,
    Span,
    SpanStatus,
    UssdFailure,
    UssdReply,
    UssdStatus,
)
from .outbox import Outbox
from .text import (
    Alphabet,
    InvalidTextError,
    OutgoingText,
    TextFault,
    compose,
    normalise_number,
)

SMS_TIMEOUT: Final = 30  # seconds that the network has for each part of a message
USSD_TIMEOUT: Final = 30  # seconds
# What a command may take beyond the time that it was given.
_COMMAND_SLACK: Final = 10.0  # seconds
_BUSY_WAIT: Final = 1.0  # seconds between two attempts on a busy span
# After a time-out the span rests: the driver may take a late answer for the
# answer to the next message. The late answer is waited for meanwhile.
_REST: Final = 5.0  # seconds
# Guess: for this long a network keeps a USSD menu open that nobody answers.
_MENU_TIME: Final = 120.0  # seconds
# A span that answers nothing is left alone: each command that it does not answer
# takes a session from the gateway until that restarts.
_SILENCE: Final = 300.0  # seconds

_HELP_SEND_SMS_PART: Final = "core show help gsm send sync csms"

# Reset takes about 13 seconds in the driver.
_POWER_TIMEOUT: Final = 60.0  # seconds
# For commands and actions that nothing is known of.
_RAW_TIMEOUT: Final = 60.0  # seconds
# They would log the session out, or make it deliver events that nobody reads.
_SESSION_ACTIONS: Final = frozenset(("login", "logoff", "challenge", "events"))
_HANGS_THE_SPAN: Final = "gsm power stat hangs the span until the gateway is restarted"

_COUNT = re.compile(r"[0-9]{1,9}")
_USSD_CODE = re.compile(r"[^\x00-\x1f\x7f]{1,160}")


def is_ussd_code(code: str) -> bool:
    """Whether this can be a USSD code or a reply: 1 to 160 characters on one line."""
    return _USSD_CODE.fullmatch(code) is not None


def _require_ussd_code(code: str) -> None:
    if not is_ussd_code(code):
        raise ValueError("A USSD code is 1 to 160 characters on one line")


class NotAnOpenVoxGatewayError(AmiError):
    """An Asterisk answers there, but it has no ``gsm`` commands."""


# The gateway looks at the span before anything goes out to the network.
_NOT_ASKED: Final = (
    UssdFailure.BUSY,
    UssdFailure.SPAN_NOT_READY,
    UssdFailure.NO_SUCH_SPAN,
    UssdFailure.NOT_CONNECTED,
)


class UssdError(Exception):
    """A USSD request brought no answer.

    `was_asked` tells whether anything may have gone out to the network.
    """

    def __init__(self, failure: UssdFailure, span: int) -> None:
        """Say why, and on which span."""
        super().__init__(f"USSD on span {span}: {failure}")
        self.failure = failure
        self.span = span
        self.was_asked = failure not in _NOT_ASKED


class SpanError(Exception):
    """A span could not do what it was asked for."""

    def __init__(self, failure: SendFailure, span: int | None) -> None:
        """Say why, and which span; None where there is none that could."""
        super().__init__(f"Span {span}: {failure}")
        self.failure = failure
        self.span = span


class ForbiddenActionError(ValueError):
    """A command or an action that is never sent; the message says why."""


@dataclass(slots=True)
class _Line:
    """A span as the sender of commands sees it: one slow command at a time.

    The times are of the loop's clock.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0  # who holds the lock, and who waits for it
    last_used: float = 0.0
    rests_until: float = 0.0  # gets no slow command before
    silent_until: float = 0.0  # is not even looked at before
    menu_until: float = 0.0  # a USSD code would be taken for a reply before
    sms_mode_checked: bool = False
    sms_coding_checked: bool = False


class Gateway:
    """One gateway. Everything that a user of it can do is a method here."""

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
        self.line_breaks = line_breaks
        self._on_connection = on_connection
        self._on_attempt = on_attempt or (lambda _result: None)
        call_later = asyncio.get_running_loop().call_later
        self._inbox = Inbox(on_part, call_later, requires_pdu=requires_pdu)
        self._outbox = Outbox()
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
        self._lines: defaultdict[int, _Line] = defaultdict(_Line)
        # A phone joins parts by this number, so it must differ between messages.
        self._reference = random.randrange(256)
        # Until when spans are read one by one, by the loop's clock.
        self._one_by_one_until = 0.0
        self._reading: asyncio.Task[dict[int, Span]] | None = None
        self._sending: set[asyncio.Task[SendResult]] = set()
        # The arguments of the two commands that send, by their usage.
        self._sms_arguments: list[str] = []
        self._part_arguments: list[str] = []
        #: The spans as they were last read, by number.
        self.spans: Mapping[int, Span] = MappingProxyType({})
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
            ending = [*self._sending, *([self._reading] if self._reading else [])]
            if ending:
                await asyncio.wait(ending)
        finally:
            self._calls.connection_lost()
            self._inbox.stop()

    def _subscribe(self, session: Session) -> None:
        for part in (self._inbox, self._outbox, self._calls, self._dialer):
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
        self._sms_arguments = cli.usage_arguments(await command(cli.HELP_SEND_SMS))
        self._part_arguments = cli.usage_arguments(await command(_HELP_SEND_SMS_PART))
        user = await command(cli.show_user(self._username))
        may_read, may_write = (
            cli.read_rights(user, kind) for kind in ("read", "write")
        )
        self.features = Features(
            asterisk_version=await self._read_setting(
                "CoreSettings", "AsteriskVersion"
            ),
            driver_version=cli.read_driver_version(version),
            concatenated_sms=cli.is_unknown_command(help_text)
            or cli.has_command(help_text, "gsm send sync csms"),
            message_id="id" in self._sms_arguments,
            flash="flash" in self._sms_arguments,
            may_see_sms=None if may_read is None else "dialplan" in may_read,
            may_see_calls=None if may_read is None else "call" in may_read,
            may_dial=None if may_write is None else "originate" in may_write,
        )
        self._one_by_one_until = 0.0
        for line in self._lines.values():
            line.sms_mode_checked = line.sms_coding_checked = False
            line.silent_until = 0.0

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

    # Spans

    async def read_spans(self) -> Mapping[int, Span]:
        """Read all spans with as few commands as the firmware allows.

        Raises AmiError where the gateway does not answer.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_spans())
            # Whoever waits gets the error; nobody may be waiting any more.
            self._reading.add_done_callback(
                lambda reading: reading.cancelled() or reading.exception()
            )
        spans = await asyncio.shield(self._reading)
        self.spans = MappingProxyType(spans)
        return self.spans

    async def _read_spans(self) -> dict[int, Span]:
        command = self._connection.command
        now = asyncio.get_running_loop().time
        if now() >= self._one_by_one_until:
            try:
                outputs = cli.split_all_spans(await command(cli.SHOW_ALL_SPANS))
            except ActionTimeoutError:
                # One span that hangs holds up all.
                self._one_by_one_until = now() + _SILENCE
            else:
                if outputs is not None:
                    return await self._read_outputs(outputs)
                self._one_by_one_until = math.inf
        listed = cli.read_span_list(await command(cli.SHOW_SPANS))
        for number, span in listed.items():
            try:
                listed[number] = await self._show_span(number) or span
            except ActionTimeoutError:
                listed[number] = replace(span, status=SpanStatus.UNKNOWN)
        return listed

    @staticmethod
    async def _read_outputs(outputs: Mapping[int, str]) -> dict[int, Span]:
        """Read what was printed of each span; not at once, which would hold the loop."""
        spans = {}
        for number, output in outputs.items():
            if span := cli.read_span(number, output):
                spans[number] = span
            await asyncio.sleep(0)
        return spans

    async def _show_span(self, number: int) -> Span | None:
        """Read one span; None where there is no such span.

        Raises ActionTimeoutError where the span does not answer, at once if it did
        not lately.
        """
        line = self._lines[number]
        now = asyncio.get_running_loop().time
        if now() < line.silent_until:
            raise ActionTimeoutError(f"Span {number} does not answer")
        try:
            output = await self._connection.command(cli.show_span(number))
        except ActionTimeoutError:
            line.silent_until = now() + _SILENCE
            raise
        return cli.read_span(number, output)

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

    async def _look_at(self, number: int) -> Span | None:
        """Read one span as it is right now; None where there is no such span."""
        try:
            span = await self._show_span(number)
        except ActionTimeoutError:
            span = replace(
                self.spans.get(number, Span(number)), status=SpanStatus.UNKNOWN
            )
        spans = dict(self.spans)
        if span:
            spans[number] = span
        else:
            spans.pop(number, None)
        self.spans = MappingProxyType(spans)
        return span

    # One slow command at a time per span

    def choose_span(self, excluding: frozenset[int] = frozenset()) -> int | None:
        """Return a span that can send: free before busy, longest unused first.

        None where no span is ready. A span whose only work is ours counts as
        busy, not as unable to send.
        """
        now = asyncio.get_running_loop().time()

        def order(number: int) -> tuple[int, float]:
            line = self._lines[number]
            return line.users + (line.rests_until > now), line.last_used

        able = [
            number
            for number, span in self.spans.items()
            if number not in excluding
            and (
                span.can_send
                or (span.status is SpanStatus.BUSY and self._lines[number].users)
            )
        ]
        return min(able, key=order, default=None)

    @asynccontextmanager
    async def _line(self, span: int) -> AsyncIterator[_Line]:
        """Have a span for oneself."""
        line = self._lines[span]
        line.users += 1
        try:
            async with line.lock:
                yield line
        finally:
            line.users -= 1
            line.last_used = asyncio.get_running_loop().time()

    async def _why_not_ready(
        self, number: int, line: _Line, deadline: float
    ) -> SendFailure | None:
        """Look at a span right before it gets work; wait while it is only busy.

        A span that is not ready would keep what it is given and send it when
        nobody expects it any more.
        """
        now = asyncio.get_running_loop().time
        while True:
            wait = line.rests_until - now()
            if wait <= 0:
                span = await self._look_at(number)
                if span is None:
                    return SendFailure.NO_SUCH_SPAN
                if span.can_send:
                    return None
                if span.status is not SpanStatus.BUSY:
                    return SendFailure.SPAN_NOT_READY
                wait = _BUSY_WAIT
            if now() + wait > deadline:
                return SendFailure.BUSY
            await self._connection.pause(wait)

    # Sending SMS

    def count_parts(self, text: str, *, flash: bool = False) -> int:
        """Return how many SMS a text takes.

        Raises InvalidTextError where it cannot be sent through this gateway.
        """
        return len(self._compose(text, flash).parts)

    def _compose(self, text: str, flash: bool) -> OutgoingText:
        message = compose(text, line_breaks=self.line_breaks)
        if flash and len(message.parts) > 1 and "flash" not in self._part_arguments:
            raise InvalidTextError(
                TextFault.TOO_LONG_FOR_FLASH,
                "This gateway can show at once only what fits into one SMS",
                str(len(message.parts)),
            )
        return message

    async def send_sms(
        self,
        number: str,
        text: str,
        *,
        span: int | None = None,
        timeout: int = SMS_TIMEOUT,
        flash: bool = False,
        given_up: asyncio.Event | None = None,
    ) -> SendResult:
        """Send a message and return what became of it.

        Without a span a ready one is chosen, and the next one where it was
        certainly not sent. `timeout` (whole seconds) is what the network has for
        each part, and how long a busy span is waited for. A message whose fate
        is unknown is never sent again. With `flash` the phone shows the text at
        once and does not keep it, where the firmware can (see `features`). Once
        `given_up` is set nothing more is begun; the part under way ends.

        Raises InvalidNumberError and InvalidTextError; nothing was sent then.
        """
        number = normalise_number(number)
        message = self._compose(text, flash)
        given_up = given_up or asyncio.Event()
        send = partial(
            self._send_on,
            number=number,
            message=message,
            timeout=timeout,
            flash=flash,
            given_up=given_up,
        )
        if span is not None:
            return await send(span)
        result = _not_sent(number, message, SendFailure.NO_SPAN_READY)
        tried: set[int] = set()
        rejections = 0
        for spans_may_be_outdated in (True, False):
            while (choice := self.choose_span(frozenset(tried))) is not None:
                tried.add(choice)
                outcome = await send(choice)
                if outcome.failure is SendFailure.REJECTED:
                    rejections += 1
                if (
                    not outcome.certainly_not_sent
                    or outcome.failure in _HOPELESS
                    or given_up.is_set()
                    or rejections > _MAX_RETRIES
                ):
                    return outcome
                if outcome.failure not in _WAS_NOT_READY:
                    result = outcome
            if spans_may_be_outdated:
                try:
                    await self.read_spans()
                except AmiError:
                    return _not_sent(number, message, SendFailure.NOT_CONNECTED)
        return result

    async def _send_on(
        self,
        span: int,
        number: str,
        message: OutgoingText,
        timeout: int,
        flash: bool,
        given_up: asyncio.Event,
    ) -> SendResult:
        """Send a message on one span.

        Whoever gives this up ends the message, but not the part under way: that
        cannot be taken back, and the span is not free before its answer is here.
        """
        # Eager, so that the span counts as used before another one is chosen.
        sending = asyncio.Task(
            self._send_parts(span, number, message, timeout, flash, given_up),
            eager_start=True,
        )
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            given_up.set()
            raise

    async def _send_parts(
        self,
        span: int,
        number: str,
        message: OutgoingText,
        timeout: int,
        flash: bool,
        given_up: asyncio.Event,
    ) -> SendResult:
        async with self._line(span) as line:
            self._reference = reference = (self._reference + 1) % 256
            sent = 0
            outcome = _GIVEN_UP
            for index in range(len(message.parts)):

                def build(message_id: str, index: int = index) -> str:
                    return self._sms_command(
                        span,
                        number,
                        message,
                        index,
                        reference,
                        timeout,
                        flash,
                        message_id,
                    )

                outcome = await self._send_part(
                    span, line, message.alphabet, build, timeout, given_up
                )
                if outcome.status is not SendStatus.SENT:
                    break
                sent += 1
            result = SendResult(
                number=number,
                status=outcome.status,
                span=span,
                parts=len(message.parts),
                parts_sent=sent,
                failure=outcome.failure,
                detail=outcome.detail,
            )
        self._on_attempt(result)
        return result

    def _sms_command(
        self,
        span: int,
        number: str,
        message: OutgoingText,
        index: int,
        reference: int,
        timeout: int,
        flash: bool,
        message_id: str,
    ) -> str:
        """Return the command that sends one part of a message."""
        count = len(message.parts)
        if count == 1 or not self.features.concatenated_sms:
            # Guess: firmware that cannot join parts still sends each of them.
            return cli.send_sms(
                span,
                number,
                message.parts[index],
                timeout,
                _last_arguments(self._sms_arguments, flash, message_id),
            )
        return cli.send_sms_part(
            span,
            number,
            message.parts[index],
            reference=reference,
            count=count,
            sequence=index + 1,
            timeout=timeout,
            message_id=_last_arguments(self._part_arguments, flash, message_id),
        )

    async def _send_part(
        self,
        span: int,
        line: _Line,
        alphabet: Alphabet,
        build: Callable[[str], str],
        timeout: int,
        given_up: asyncio.Event,
    ) -> _Outcome:
        """Send one SMS; only what certainly was not sent is tried again."""
        try:
            # Before the look at the span: a login takes time in which it may change.
            async with self._connection.slow_session() as session:
                with self._outbox.expect() as (message_id, verdict):
                    command = build(message_id)
                    outcome = await self._send_when_ready(
                        session, span, line, alphabet, command, timeout, given_up
                    )
                    if outcome.status is SendStatus.UNKNOWN and message_id in command:
                        return await self._late_verdict(line, verdict) or outcome
                    return outcome
        except CannotConnectError:
            return _Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)

    async def _send_when_ready(
        self,
        session: Session,
        span: int,
        line: _Line,
        alphabet: Alphabet,
        command: str,
        timeout: int,
        given_up: asyncio.Event,
    ) -> _Outcome:
        """Send one SMS as soon as the span is ready for it, within the time limit."""
        now = asyncio.get_running_loop().time
        deadline = now() + timeout
        while True:
            try:
                failure = await self._why_not_ready(
                    span, line, deadline
                ) or await self._why_unfit(span, line, alphabet)
            except ActionTimeoutError:
                failure = SendFailure.SPAN_NOT_READY
            except AmiError:
                failure = SendFailure.NOT_CONNECTED
            if failure:
                return _Outcome(SendStatus.FAILED, failure)
            if given_up.is_set():
                return _GIVEN_UP
            # Until the network has answered, the driver takes its answer for the
            # answer to whatever is sent next, even if nobody waits for it here.
            line.rests_until = now() + timeout
            outcome = await self._send_once(session, command, timeout)
            if outcome.failure is SendFailure.BUSY:
                line.rests_until = now() + _BUSY_WAIT
                continue
            if outcome.failure is SendFailure.TIMED_OUT:
                line.rests_until = now() + _REST
            elif outcome.status is not SendStatus.UNKNOWN:
                line.rests_until = 0.0
            return outcome

    async def _late_verdict(
        self, line: _Line, verdict: asyncio.Future[bool]
    ) -> _Outcome | None:
        """Wait a moment for the gateway's late word on a message, None without it."""
        ends: list[asyncio.Future[Any]] = [verdict, self._connection.stopped]
        await asyncio.wait(ends, timeout=_REST, return_when=asyncio.FIRST_COMPLETED)
        if not verdict.done():
            return None
        line.rests_until = 0.0  # that was the late answer
        return _SENT if verdict.result() else _FAILED

    async def _why_unfit(
        self, span: int, line: _Line, alphabet: Alphabet
    ) -> SendFailure | None:
        """Check once what the span makes of texts; the driver spoils them else."""
        command = self._connection.command
        if not line.sms_mode_checked:
            if (await command(cli.show_sms_mode(span))).strip().lower() == "text":
                return SendFailure.TEXT_MODE
            line.sms_mode_checked = True
        if alphabet is Alphabet.UCS2 and not line.sms_coding_checked:
            if (await command(cli.show_sms_coding(span))).strip().lower() == "ascii":
                return SendFailure.WRONG_CODING
            line.sms_coding_checked = True
        return None

    async def _send_once(
        self, session: Session, command: str, timeout: int
    ) -> _Outcome:
        try:
            output = await session.command(command, timeout=timeout + _COMMAND_SLACK)
        except CannotConnectError:
            return _Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)
        except (PermissionDeniedError, ActionFailedError, InvalidHeaderError) as err:
            return _Outcome(SendStatus.FAILED, SendFailure.REFUSED, str(err))
        except ActionTimeoutError:
            return _Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT)
        except AmiError:
            return _Outcome(SendStatus.UNKNOWN, SendFailure.CONNECTION_LOST)
        reply, detail = cli.read_sms_reply(output)
        return {
            cli.SmsReply.SENT: _SENT,
            cli.SmsReply.FAILED: _FAILED,
            cli.SmsReply.BUSY: _Outcome(SendStatus.FAILED, SendFailure.BUSY),
            cli.SmsReply.TIMED_OUT: _Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT),
            cli.SmsReply.REFUSED: _Outcome(
                SendStatus.FAILED, SendFailure.REFUSED, detail
            ),
        }[reply]

    # USSD

    async def send_ussd(
        self, span: int, code: str, *, timeout: int = USSD_TIMEOUT
    ) -> UssdReply:
        """Send a USSD code, or a reply in the menu that is open on the span.

        `timeout` (whole seconds) is what the network has for its answer.

        Raises ValueError for a code that cannot be one, UssdError where no
        answer came.
        """
        _require_ussd_code(code)
        async with self._line(span) as line:
            return await self._exchange_ussd(span, line, code, timeout)

    async def ask_ussd(
        self, span: int, code: str, replies: Sequence[str] = ()
    ) -> UssdReply:
        """Send a USSD code, and the replies in turn for as long as one is expected.

        Nobody else's request comes in between, and none goes into a menu that
        somebody has open on the span (UssdFailure.BUSY).

        Raises as `send_ussd` does.
        """
        for text in (code, *replies):
            _require_ussd_code(text)
        async with self._line(span) as line:
            if asyncio.get_running_loop().time() < line.menu_until:
                raise UssdError(UssdFailure.BUSY, span)
            answer = await self._exchange_ussd(span, line, code, USSD_TIMEOUT)
            try:
                for reply in replies:
                    if answer.status is not UssdStatus.REPLY_EXPECTED:
                        break
                    answer = await self._exchange_ussd(span, line, reply, USSD_TIMEOUT)
            except UssdError as err:
                err.was_asked = True
                raise
            return answer

    async def _exchange_ussd(
        self, span: int, line: _Line, code: str, timeout: int
    ) -> UssdReply:
        """Send one USSD request as soon as the span is ready; return its answer."""
        now = asyncio.get_running_loop().time
        try:
            failure = await self._why_not_ready(span, line, now() + timeout)
        except AmiError:
            failure = SendFailure.NOT_CONNECTED
        if failure:
            raise UssdError(UssdFailure(failure.value), span)
        # Until the network has answered, the driver takes its answer for the
        # answer to whatever is asked next.
        line.rests_until = now() + timeout
        try:
            output = await self._connection.slow_command(
                cli.send_ussd(span, code, timeout),
                timeout=timeout + _COMMAND_SLACK,
            )
        except ConnectionLostError as err:
            raise UssdError(UssdFailure.CONNECTION_LOST, span) from err
        except ActionTimeoutError as err:
            line.rests_until = now() + _REST
            raise UssdError(UssdFailure.TIMED_OUT, span) from err
        except AmiError as err:
            line.rests_until = 0.0
            connected = not isinstance(err, CannotConnectError)
            raise UssdError(
                UssdFailure.REFUSED if connected else UssdFailure.NOT_CONNECTED,
                span,
            ) from err
        reply = cli.read_ussd_reply(span, output)
        if isinstance(reply, UssdReply):
            line.rests_until = 0.0
            is_menu = reply.status is UssdStatus.REPLY_EXPECTED
            line.menu_until = now() + _MENU_TIME if is_menu else 0.0
            return reply
        timed_out = reply.failure is UssdFailure.TIMED_OUT
        line.rests_until = now() + _REST if timed_out else 0.0
        raise UssdError(reply.failure, span)

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
            while (choice := self.choose_span(frozenset(tried))) is not None:
                tried.add(choice)
                try:
                    return await self._ring_on(choice, number, ring_time)
                except SpanError as err:  # nothing rang, so the next one may
                    if err.failure not in _WAS_NOT_READY:
                        error = err
            if spans_may_be_outdated:
                await self.read_spans()
        raise error

    async def _ring_on(self, span: int, number: str, ring_time: int) -> RingResult:
        async with self._line(span) as line:
            deadline = asyncio.get_running_loop().time() + ring_time
            if failure := await self._why_not_ready(span, line, deadline):
                raise SpanError(failure, span)
            return await self._dialer.ring(span, number, ring_time)

    async def hang_up(self, span: int) -> int:
        """End all calls on a span; returns how many there were.

        Raises SpanError where there is no such span, and AmiError.
        """
        if span not in self.spans:
            raise SpanError(SendFailure.NO_SUCH_SPAN, span)
        _, channels = await self._connection.list_action("CoreShowChannels")
        prefix = f"EXTRA/{voice_channel(span)}-"
        ended = 0
        for channel in channels:
            name = channel.get("Channel")
            if name.startswith(prefix) and await self._hang_up(name):
                ended += 1
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
        async with self._line(span):
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


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one SMS."""

    status: SendStatus
    failure: SendFailure | None = None
    detail: str = ""


_SENT: Final = _Outcome(SendStatus.SENT)
_GIVEN_UP: Final = _Outcome(SendStatus.FAILED, SendFailure.GIVEN_UP)
_FAILED: Final = _Outcome(SendStatus.FAILED, SendFailure.REJECTED)
# What another span would say, too.
_HOPELESS: Final = (SendFailure.NOT_CONNECTED, SendFailure.REFUSED)
# A number that two SIMs' networks refuse will be refused by all; trying on would
# only get them blocked.
_MAX_RETRIES: Final = 1
_WAS_NOT_READY: Final = (SendFailure.SPAN_NOT_READY, SendFailure.NO_SUCH_SPAN)


def _not_sent(number: str, message: OutgoingText, failure: SendFailure) -> SendResult:
    return SendResult(
        number=number,
        status=SendStatus.FAILED,
        span=None,
        parts=len(message.parts),
        failure=failure,
    )


def _last_arguments(arguments: list[str], flash: bool, message_id: str) -> str | None:
    """Return what stands behind the timeout of a command that sends.

    Where the firmware has a place for a flash flag it stands before the ID.
    """
    last = []
    if "flash" in arguments:
        last.append(str(int(flash)))
    if "id" in arguments:
        last.append(message_id)
    return " ".join(last) or None
