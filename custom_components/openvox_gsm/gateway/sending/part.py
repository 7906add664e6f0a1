"""Sending one SMS on one span: when it's ready, and what the outcome is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
    Session,
)
from custom_components.openvox_gsm.gateway.commands import (
    show_sms_coding,
    show_sms_mode,
)
from custom_components.openvox_gsm.gateway.connection import COMMAND_SLACK, Connection
from custom_components.openvox_gsm.gateway.errors import why_not_asked
from custom_components.openvox_gsm.gateway.firmware import Features
from custom_components.openvox_gsm.gateway.model import SendFailure, SendStatus
from custom_components.openvox_gsm.gateway.replies import SmsReply, read_sms_reply
from custom_components.openvox_gsm.gateway.spans import (
    BUSY_INTERVAL,
    LATE_ANSWER_TIME,
    SpanLock,
    Spans,
)

from .delivery import LateOutcomes
from .reports import ReportedMessage
from .text import Alphabet


class Outcome(NamedTuple):
    """The outcome of one SMS."""

    status: SendStatus
    failure: SendFailure | None = None
    detail: str = ""
    was_sent: asyncio.Future[bool | None] | None = None  # where that may be learned


SENT: Final = Outcome(SendStatus.SENT)
GIVEN_UP: Final = Outcome(SendStatus.FAILED, SendFailure.GIVEN_UP)
REJECTED: Final = Outcome(SendStatus.FAILED, SendFailure.REJECTED)


@dataclass(frozen=True, eq=False)
class Conditions:
    """What an SMS needs, and until when.

    `timeout` (whole seconds) is the time that the network has, and how long to wait for
    a busy span. Once `given_up` is set, nothing is sent any more.
    """

    timeout: int
    alphabet: Alphabet
    given_up: asyncio.Event


class PartSender:
    """Sends single SMS, each of them a message or a part of one."""

    def __init__(self, connection: Connection, spans: Spans) -> None:
        """Send through `connection`, on the `spans` that the caller has locked."""
        self._connection = connection
        self._spans = spans
        self._features = Features()
        self.late_outcomes = LateOutcomes()
        # Spans whose settings have been found right since the last login.
        self._pdu_mode: set[int] = set()
        self._utf8_coding: set[int] = set()

    def adapt_to(self, features: Features) -> None:
        """Use what the firmware can do, and check the settings of the spans again."""
        self._features = features
        self._pdu_mode.clear()
        self._utf8_coding.clear()

    async def send(
        self,
        lock: SpanLock,
        build_command: Callable[[str], str],
        conditions: Conditions,
        report: ReportedMessage,
    ) -> Outcome:
        """Send one SMS; only what certainly was not sent is tried again.

        `build_command` returns the command for a message ID, `report` is the message
        that it belongs to.
        """
        try:
            # Before looking at the span, which may change during a login.
            async with self._connection.slow_session() as session:
                with self.late_outcomes.track() as (message_id, was_sent):
                    command = build_command(message_id)
                    report.handed_over += 1  # it may be reported before it's answered
                    outcome = await self._send_when_ready(
                        conditions, lock, session, command
                    )
                    if outcome.status is SendStatus.UNKNOWN and message_id in command:
                        outcome = await self._late_outcome(
                            lock, message_id, was_sent, outcome
                        )
                    if outcome.status is SendStatus.FAILED:
                        report.handed_over -= 1
                    return outcome
        except CannotConnectError:
            return Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)

    async def _send_when_ready(
        self, conditions: Conditions, lock: SpanLock, session: Session, command: str
    ) -> Outcome:
        """Send one SMS as soon as the span is ready for it, within the time limit."""
        deadline = asyncio.get_running_loop().time() + conditions.timeout
        while True:
            try:
                failure = await self._spans.wait_until_ready(
                    lock, deadline
                ) or await self._check_settings(lock.number, conditions.alphabet)
            except AmiError as err:
                failure = why_not_asked(err, lock.number)
            if failure:
                return Outcome(SendStatus.FAILED, failure)
            if conditions.given_up.is_set():
                return GIVEN_UP
            # Until the network has answered, the driver takes its answer for the
            # answer to whatever is sent next, even if nothing here waits for it.
            lock.block(conditions.timeout)
            outcome = await self._send_once(lock, session, command, conditions.timeout)
            if outcome.failure is SendFailure.BUSY:
                lock.block(BUSY_INTERVAL)
                continue
            if outcome.failure is SendFailure.TIMED_OUT:
                lock.block(LATE_ANSWER_TIME)
            elif outcome.status is not SendStatus.UNKNOWN:
                lock.unblock()
            return outcome

    async def _send_once(
        self, lock: SpanLock, session: Session, command: str, timeout: int
    ) -> Outcome:
        try:
            output = await session.command(command, timeout=timeout + COMMAND_SLACK)
        except CannotConnectError:
            return Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)
        except (PermissionDeniedError, ActionFailedError, InvalidHeaderError) as err:
            return Outcome(SendStatus.FAILED, SendFailure.REFUSED, str(err))
        except ActionTimeoutError:
            return Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT)
        except AmiError:
            return Outcome(SendStatus.UNKNOWN, SendFailure.CONNECTION_LOST)
        reply, detail = read_sms_reply(output)
        if reply is SmsReply.TIMED_OUT and await self._spans.refused_the_last_sms(
            lock.number
        ):
            return REJECTED
        return {
            SmsReply.SENT: SENT,
            SmsReply.FAILED: REJECTED,
            SmsReply.BUSY: Outcome(SendStatus.FAILED, SendFailure.BUSY),
            SmsReply.TIMED_OUT: Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT),
            SmsReply.REFUSED: Outcome(SendStatus.FAILED, SendFailure.REFUSED, detail),
        }[reply]

    async def _late_outcome(
        self,
        lock: SpanLock,
        message_id: str,
        was_sent: asyncio.Future[bool | None],
        unknown: Outcome,
    ) -> Outcome:
        """Wait a moment for the late outcome of a message, then leave it unknown.

        Where this gateway tells outcomes, it may still do so later.
        """
        ends: list[asyncio.Future[Any]] = [was_sent, self._connection.stopped]
        await asyncio.wait(
            ends, timeout=LATE_ANSWER_TIME, return_when=asyncio.FIRST_COMPLETED
        )
        if was_sent.done():
            lock.unblock()  # that was the late answer
            return SENT if was_sent.result() else REJECTED
        if not self._tells_outcomes:
            return unknown
        self.late_outcomes.keep(message_id)
        return Outcome(unknown.status, unknown.failure, was_sent=was_sent)

    @property
    def _tells_outcomes(self) -> bool:
        """Whether this gateway may say later what became of a message.

        Guess: the firmware that has a place for a flash flag raises the events.
        """
        features = self._features
        sees_events = features.read_rights is None or "system" in features.read_rights
        return bool(
            features.outcome_steps
            or (features.flash and sees_events)
            or self.late_outcomes.raises_status
        )

    async def _check_settings(
        self, span: int, alphabet: Alphabet
    ) -> SendFailure | None:
        """Check once whether the span would damage the text."""
        command = self._connection.command
        if span not in self._pdu_mode:
            mode = await command(show_sms_mode(span))
            if mode.strip().lower() == "text":
                return SendFailure.TEXT_MODE
            self._pdu_mode.add(span)
        if alphabet is Alphabet.UCS2 and span not in self._utf8_coding:
            coding = await command(show_sms_coding(span))
            if coding.strip().lower() == "ascii":
                return SendFailure.WRONG_CODING
            self._utf8_coding.add(span)
        return None
