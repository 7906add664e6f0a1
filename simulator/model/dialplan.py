"""The dialplan of a box: which steps run for an SMS, a call and the outcome of a send."""

from collections.abc import Mapping
from dataclasses import dataclass
import re

from .box import Box

_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Step:
    """One priority of an extension; ``data`` may name channel variables, ``${SMSTXT}``."""

    application: str
    data: str = ""

    def filled(self, variables: Mapping[str, str]) -> str:
        """Give the data with the values of the variables."""
        return _VARIABLE.sub(lambda name: variables.get(name[1], ""), self.data)


DIAL_IN = "SIP/1001,60,r"
"""Whom an incoming call goes to (data of Dial)."""
_HANGUP = Step("Hangup")
SEND_OUTCOME = [Step("NoOp", "${SMS_SEND_ID}"), _HANGUP]
"""What runs for the outcome of a send, where there are extensions for it (recorded)."""


class Dialplan:
    """The contexts ``gsm-N`` of one gateway. All attributes may be set at any time."""

    def __init__(self, box: Box, board: int) -> None:
        """Take the box, and which board of a stack it is, counted from 1."""
        self.box = box
        self.board = board
        self.sms_received = False
        """The switch "SMS Received" of a box of today: off as shipped."""
        self.sms_to_http = False
        """The switch "SMS to HTTP" of a box of today."""

    def extensions(self, span: int, send_events: bool) -> dict[str, list[Step]]:
        """Give the steps of every extension in the context of a span.

        ``send_events`` says whether there are extensions for the outcome of a send.
        """
        extensions = {"s": [Step("Dial", DIAL_IN)], "sms": self.sms(span)}
        if send_events:
            extensions |= {"sms_send_failed": SEND_OUTCOME, "sms_send_ok": SEND_OUTCOME}
        return extensions

    @property
    def hides_sms(self) -> bool:
        """Say whether no client sees anything of an SMS.

        Guess: that it is so where no step of a box of today takes it.
        """
        return self.box is Box.TODAY and not (self.sms_received or self.sms_to_http)

    def sms(self, span: int) -> list[Step]:
        """Give the steps that run for an SMS."""
        if self.box is Box.OF_2013:
            return [
                Step("NoOp", "${SMSTXT}"),
                Step(
                    "System",
                    f'/my_tools/process_sms "{span}" "${{SMSSRC}}" "${{SMSTIME}}" '
                    '"${SMSTXT}" > /dev/null 2>&1 &',
                ),
                _HANGUP,
            ]
        steps = [Step("NoOp", "SMS In")]
        if self.sms_to_http:
            steps += _http(span)
        if self.sms_received:
            steps += self._received(span)
        return [*steps, _HANGUP]

    def _received(self, span: int) -> list[Step]:
        """Give the steps of "SMS Received". Guess: arguments beyond those the notes name."""
        if self.board > 1:
            return [
                Step(
                    "System",
                    f'/my_tools/process_slavesms "1" "{self.board}" "{span}" '
                    '"${SMSSRC}" "${SMSTIME}" "${SMSTXT}" > /dev/null 2>&1 &',
                )
            ]
        return [
            Step(
                "System",
                f'cd /my_tools/lua/sms_receive/ && lua sms_receive.lua "{span}" '
                '"${SMSSRC}" "${SMSTIME}" "${SMSTXT}" "${SMSC}" > /dev/null 2>&1 &',
            ),
            Step(
                "System",
                "cd /my_tools/lua/sms_routing && lua dialplan2redis.lua "
                f'"{span}" "${{SMSTXT}}" > /dev/null 2>&1 &',
            ),
        ]


def _http(span: int) -> list[Step]:
    """Give the steps of "SMS to HTTP". Guess: the web address."""
    return [
        Step("NoOp", "SMS CURL"),
        Step("Set", "phonenumber=${SMSSRC}"),
        Step("Set", f"port={span}"),
        Step("Set", "message=${SMSTXT}"),
        Step("Set", "time=${SMSTIME}"),
        Step("System", "wget -q -O /dev/null http://192.0.2.1/sms > /dev/null 2>&1 &"),
    ]
