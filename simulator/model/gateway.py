"""The gateway: its spans, and what comes in through them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from simulator.wire import to_wire

from .box import Box, Dialect
from .calls import Call
from .core import Core
from .deliver import deliver, status_report
from .dialplan import DIAL_IN, Dialplan
from .driver_sms import driver_escape, driver_reading
from .journal import SentPart, SentSms
from .span import SimSpan
from .submit import submit_length
from .users import User

MAX_SPANS = 44
"""The largest box has one board of 44 spans (later firmware)."""
DRIVER_SPANS = 32
"""The open driver stops here unless it is built for more."""


class Gateway(Core):
    """A gateway with its spans, without its port for clients."""

    def __init__(
        self,
        spans: int,
        box: Box,
        dialect: Dialect,
        users: Sequence[User],
        board: int = 1,
    ) -> None:
        """Make a gateway whose spans are ready."""
        if not 1 <= spans <= MAX_SPANS:
            raise ValueError(f"A gateway has 1 to {MAX_SPANS} spans, not {spans}")
        super().__init__(box, dialect, users, board)
        self.dialplan = Dialplan(box, board)
        self.variable_order: Sequence[str] = ("SIMIMSI", "SMSC", "SMSORITXT")
        """The channel variables of an SMS that come first; others in the driver's order."""
        self.spans: dict[int, SimSpan] = {}
        self._vanished: dict[int, SimSpan] = {}
        self._next_reference = 1
        for number in range(1, spans + 1):
            self.add_span(number)

    def reset(self) -> None:
        """Forget everything that is under way, as a restart does."""
        self.channels.clear()
        self.forget_unfinished()
        for span in self.spans.values():
            span.reset()

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

    @property
    def call_count(self) -> int:
        """Give the number of calls that are up or ring."""
        return sum(span.call is not None for span in self.spans.values())

    # ---- what comes in -------------------------------------------------------------------

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
            reference = self._take_reference()
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
        form. Guess: only the driver of 2013 escapes the text.
        """
        span = self.spans[number]
        reading = driver_reading(pdu.partition("\r")[0], span.sms_coding)
        text_mode = span.sms_mode == "text"
        variables = {
            "SMSSRC": f" {reading.sender}" if text_mode else reading.sender,
            "SMSTXT": reading.text,
            "SMSPDU": pdu if with_pdu and not text_mode else "",
            "SMSTIME": reading.time[2:].replace(" ", ",")
            if text_mode
            else reading.time,
            "SMSTZ": reading.zone,
        }
        if self.box is Box.OF_2013:
            return variables | {"SMSTXT": driver_escape(reading.text)}
        variables |= {
            "SMSORITXT": reading.text,
            "SMSC": span.sms_center,
            "SIMIMSI": span.imsi,
        }
        first = {name: variables[name] for name in self.variable_order}
        return first | variables

    async def receive_in_one_read(
        self, span: int, messages: Sequence[tuple[str, str]]
    ) -> int:
        """Let SMS come in that the module hands over in one read; gives how many parts.

        Each message is a sender and a text of any length.
        """
        zone_hours = 8
        now = datetime.now(timezone(timedelta(hours=zone_hours)))
        pdus = [
            part.pdu
            for sender, text in messages
            for part in deliver(
                sender,
                text,
                now,
                zone_hours,
                self.spans[span].sms_center,
                reference=self._take_reference(),
            )
        ]
        await self.receive_pdus(span, *pdus)
        return len(pdus)

    def _take_reference(self) -> int:
        """Give the reference of the next long message."""
        self._next_reference += 1
        return self._next_reference - 1

    async def receive_pdus(self, span: int, *pdus: str) -> str:
        """Let PDUs come in that the module hands over in one read; gives the Uniqueid.

        The driver takes them for one SMS: the first, with the others in ``SMSPDU``
        (recorded).
        """
        first, *others = pdus
        read = "".join(
            f"\r\n\r\n+CMT: ,{submit_length(pdu)}\r\n{pdu}" for pdu in others
        )
        return await self.receive_variables(
            span, self._driver_variables(span, first + read, with_pdu=True)
        )

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

        Values are bytes, or text of which each character is a byte (Latin-1).
        """
        port = self.spans[span]
        port.last_event = "SMS received"
        values = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in variables.items()
        }
        channel = port.sms_channel()
        if self.dialplan.hides_sms:
            del self.channels[channel.name]
            return channel.uniqueid
        self.run_dialplan(
            channel,
            values | {"DIALSTATUS": "SMS_END"},
            self.dialplan.sms(span),
            varset=varset,
            newexten=newexten,
            hangup=hangup,
        )
        self.driver_event("SMSRecevied", span)
        await asyncio.sleep(0)
        return channel.uniqueid

    def record_sent(self, part: SentPart) -> None:
        """Take an SMS as the network does, which may report the delivery."""
        before = len(self.sent)
        super().record_sent(part)
        if self.carries_sms:
            for sms in self.sent[before:]:
                self.spawn(self._carry(sms))
        if self.status_reports:
            self.spawn(self._report_later(part))

    async def _carry(self, sms: SentSms) -> None:
        """Bring a whole SMS to the span that has its number, if one is ready."""
        source = self.spans[sms.span]
        await asyncio.sleep(source.delivery_duration)
        for span in self.spans.values():
            if span.own_number == sms.number and span.ready:
                await self.receive_sms(span.number, source.own_number, sms.text)

    async def _report_later(self, part: SentPart) -> None:
        span = self.spans[part.span]
        delivered = span.deliveries.popleft() if span.deliveries else True
        await asyncio.sleep(span.delivery_duration)
        await self.receive_status_report(part.span, part.number, delivered)

    async def receive_status_report(
        self, span: int, number: str, delivered: bool = True
    ) -> None:
        """Let the network report what became of an SMS to a number.

        In 2013 it comes as an SMS with a senseless text (recorded); today as an event of
        the driver's. Guess: ``Cause``, and the word for a failure.
        """
        port, zone_hours = self.spans[span], 8
        now = datetime.now(timezone(timedelta(hours=zone_hours)))
        if self.box is Box.OF_2013:
            pdu = status_report(
                number,
                now,
                zone_hours,
                port.sms_center,
                reference=self._take_reference() % 256,
                delivered=delivered,
            )
            await self.receive_pdus(span, pdu)
            return
        self.driver_event(
            "SMSStatusReport",
            span,
            f"Board: {self.board}",
            f"Sender: {number}",
            f"IMSI: {port.imsi}",
            f"Time_scts: {now:%Y/%m/%d %H:%M:%S}",
            f"Status: {'SUCCESS' if delivered else 'FAILED'}",
            f"Cause: {'' if delivered else 70}",
        )

    async def incoming_call(self, span: int, number: str, dial: str = DIAL_IN) -> Call:
        """Let a call come in; the dialplan dials ``dial``. Answer it or hang it up yourself."""
        call = self.spans[span].phone.ring(to_wire(number), dial)
        await asyncio.sleep(0)
        return call
