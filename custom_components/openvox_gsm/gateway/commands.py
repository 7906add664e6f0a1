r"""Build the ``gsm …`` commands of the gateway's command line.

The commands are those of the vendor's driver chan_extra 2.0.8 and of later firmware
of the same family.
"""

import re
from typing import Final

from .errors import InvalidNumberError

SHOW_SPANS: Final = "gsm show spans"
SHOW_ALL_SPANS: Final = "gsm show span all"
SHOW_VERSION: Final = "gsm show version"
SEND_SMS: Final = "gsm send sync sms"
SEND_SMS_PART: Final = "gsm send sync csms"
HELP: Final = "core show help gsm"
HELP_SEND_SMS: Final = f"core show help {SEND_SMS}"
HELP_SEND_SMS_PART: Final = f"core show help {SEND_SMS_PART}"
HELP_SEND_USSD: Final = "core show help gsm send ussd"
# What the gateway does with an SMS that comes in, and with the outcome of one that
# went out. The dialplan of all spans is the same but for their numbers.
SHOW_SMS_STEPS: Final = "dialplan show sms@gsm-1"
SHOW_OUTCOME_STEPS: Final = "dialplan show sms_send_ok@gsm-1"


def quote(argument: str) -> str:
    r"""Return `argument` as one argument of Asterisk's command line.

    Asterisk splits at spaces, ``"`` begins and ends a quoted stretch, and ``\``
    takes the next character as it is, inside quotes too (main/cli.c).
    """
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def check_number(number: str) -> None:
    """Check that a number can stand in a command as it is, without quotes.

    That is an optional ``+`` and then digits, ``*`` and ``#`` (3GPP TS 23.040,
    9.1.2.3, without its letters), 64 characters at most.

    Raises InvalidNumberError.
    """
    if len(number) > 64 or not re.fullmatch(r"\+?[0-9*#]+", number):
        raise InvalidNumberError(
            "A number has 1 to 64 characters: digits, * and #, with or without a +"
        )


def show_span(span: int) -> str:
    """Return the command that shows one span."""
    return f"gsm show span {span}"


def show_sms_mode(span: int) -> str:
    """Return the command that prints ``pdu`` or ``text``."""
    return f"gsm show send sms mode {span}"


def show_sms_coding(span: int) -> str:
    """Return the command that prints ``utf-8`` or ``ascii``."""
    return f"gsm show send sms coding {span}"


def show_user(username: str) -> str:
    """Return the command that prints the rights of a manager user."""
    return f"manager show user {quote(username)}"


def send_sms(
    span: int, number: str, text: str, *, timeout: int, optional: tuple[str, ...] = ()
) -> str:
    """Return the command that sends one SMS and waits for the network's answer.

    `timeout` is in whole seconds; the driver waits up to one second less. The
    `optional` arguments come after it; which ones exist depends on the firmware.
    """
    return " ".join((f"{SEND_SMS} {span} {number} {quote(text)} {timeout}", *optional))


def send_sms_part(
    span: int,
    number: str,
    text: str,
    *,
    reference: int,
    count: int,
    sequence: int,
    timeout: int,
    optional: tuple[str, ...] = (),
) -> str:
    """Return the command that sends one part of a long SMS.

    `reference` (0 to 255) is the same for all `count` parts and differs from
    message to message; `sequence` counts from 1. The rest is as in `send_sms`.
    """
    return " ".join(
        (
            f"{SEND_SMS_PART} {span} {number} {quote(text)} "
            f"{reference} {count} {sequence} {timeout}",
            *optional,
        )
    )


def send_ussd(span: int, code: str, timeout: int) -> str:
    """Return the command that sends a USSD code, or a reply in an open menu."""
    return f"gsm send ussd {span} {quote(code)} {timeout}"


def power(action: str, span: int) -> str:
    """Return the command that switches a module `on` or `off`, or does a `reset`."""
    return f"gsm power {action} {span}"


def reload_span(span: int) -> str:
    """Return the command that starts a module again without touching its power."""
    return f"gsm reload span {span}"


def is_dangerous(command: str) -> bool:
    """Return whether a command would hang its span until the gateway restarts.

    ``gsm power stat`` locks the span twice and never unlocks it. Asterisk accepts
    it in any case, with any spaces, and with quotes and backslashes inside the
    words. Shorter and longer forms are refused as well, as it isn't known which of
    them a driver accepts.
    """
    words = re.sub(r'["\\]', "", command).lower().split()
    return (
        len(words) >= 3
        and "gsm".startswith(words[0])
        and "power".startswith(words[1])
        and ("stat".startswith(words[2]) or words[2].startswith("stat"))
    )
