"""Why a message was not sent, in words for a person."""

from typing import Final

from .coordinator import OpenVoxCoordinator
from .gateway import SendFailure, SendResult

SEND_FAILURES: Final = {
    SendFailure.NO_SPAN_READY: "no span of {gateway} is ready to send",
    SendFailure.SPAN_NOT_READY: "span {span} of {gateway} is not ready to send",
    SendFailure.NO_SUCH_SPAN: "{gateway} has no span {span}",
    SendFailure.NOT_CONNECTED: "{gateway} is not connected",
    SendFailure.BUSY: "span {span} of {gateway} was busy the whole time",
    SendFailure.REJECTED: "the network refused it on span {span} of {gateway}",
    SendFailure.REFUSED: "{gateway} refused to send it",
    SendFailure.TEXT_MODE: "span {span} of {gateway} is in SMS text mode, in which "
    "nothing is sent; set it to PDU mode in the gateway's web page",
    SendFailure.WRONG_CODING: "span {span} of {gateway} would spoil the text's special "
    "characters; set its SMS coding to UTF-8 in the gateway's web page",
    SendFailure.TIMED_OUT: "it is not known whether it was sent: the network did not "
    "answer on span {span} of {gateway} in time",
    SendFailure.CONNECTION_LOST: "it is not known whether it was sent: the connection "
    "to {gateway} was lost meanwhile",
}


def failure_reason(coordinator: OpenVoxCoordinator, result: SendResult) -> str | None:
    """Return why a message was not sent by this gateway, None where it was."""
    if result.failure is None:
        return None
    reason = SEND_FAILURES[result.failure].format(
        gateway=coordinator.config_entry.title, span=result.span
    )
    if result.parts_sent:
        reason += f" ({result.parts_sent} of {result.parts} parts were sent)"
    return f"{reason}: {result.detail}" if result.detail else reason
