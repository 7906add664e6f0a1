"""The driver's ``gsm …`` commands, as ``core show help gsm`` lists them.

Texts and order are those of chan_extra 2.0.8, as recorded. Guess: the usage of a few that
nobody needs (debugging, ``gsm send pdu``, ``gsm send sync at``), and all of what boxes of
today have beyond the usages of ``gsm send sync …``.
"""

from collections.abc import Iterator

from simulator.model.box import Box

from . import gsm_power, gsm_send, gsm_settings, gsm_show
from .command_line import CliCommand, Handler
from .on_span import on_span

_ON = "on a given GSM span"


def commands(box: Box) -> list[CliCommand]:
    """Give the commands of a box, in the order in which a real gateway lists them."""
    rows = (
        [*_rows(box)] if box is Box.OF_2013 else sorted([*_rows(box), *_ROWS_OF_TODAY])
    )
    return [
        CliCommand(
            name,
            summary,
            f"Usage: {f'{name} {arguments}' if arguments else name}\n       {does}\n",
            run,
        )
        for name, summary, arguments, does, run in rows
    ]


type _Row = tuple[str, str, str, str, Handler]
"""Name, summary, arguments, what the usage says it does, and the handler."""


def _rows(box: Box) -> Iterator[_Row]:
    """Give the rows that both boxes have."""
    # The blank at the end is the driver's.
    tail = "<timeout> [id] " if box is Box.OF_2013 else "<timeout> [flash sms] [id] "
    yield from (
        ("gsm check phone stat", "Check the stat of the phone",
         "<span> <number> <hangup> [timeout]",
         f"Check the stat of the phone {_ON}", on_span(4, gsm_settings.quiet, 7, 8)),
        ("gsm debug span", "Enables GSM debugging on a span", "<span>",
         "Enables debugging on a given GSM span", on_span(3, gsm_settings.debug, 4, 4)),
        ("gsm intensive debug span", "Enables REALLY INTENSE GSM debugging", "<span>",
         "Enables debugging on a given GSM span", on_span(4, gsm_settings.debug, 5, 5)),
        ("gsm no debug span", "Disables GSM debugging on a span", "<span>",
         "Disables debugging on a given GSM span", on_span(4, gsm_settings.debug, 5, 5)),
        ("gsm power off", "Power off gsm module", "<span>",
         f"Set GSM module power off {_ON}", on_span(3, gsm_power.power_off, 4, 4)),
        ("gsm power on", "Power on gsm module", "<span>",
         f"Set GSM module power on {_ON}", on_span(3, gsm_power.power_on, 4, 4)),
        ("gsm power reset", "Power reset gsm module", "<span>",
         f"Reset GSM module power {_ON}", on_span(3, gsm_power.power_reset, 4, 4)),
        ("gsm power stat", "Get gsm module power stat", "<span>",
         f"Get GSM module power stat {_ON}", on_span(3, gsm_power.power_stat, 4, 4)),
        ("gsm reload span", "Reload GSM module configure", "<span>",
         f"Reload GSM module configure {_ON}", on_span(3, gsm_settings.reload, 4, 4)),
        ("gsm send at", f"Send AT Commmand {_ON}", "<span> <AT Command>",
         f"Send AT Command {_ON}", on_span(3, gsm_send.send_at, 5)),
        ("gsm send pdu", f"Send PDU {_ON}", "<span> <pdu>",
         f"Send PDU {_ON}", on_span(3, gsm_send.send_pdu, 5)),
        ("gsm send sms", f"Send SMS {_ON}",
         f"<span> <destination> <message> {'' if box is Box.OF_2013 else '<timeout> '}[id]",
         f"Send SMS {_ON}", on_span(3, gsm_send.send_sms, 6)),
        ("gsm send sync at", f"Send AT Command and wait finish {_ON}",
         "<span> <AT Command> <response> <timeout>",
         f"Send AT Command {_ON}", on_span(4, gsm_send.send_at, 6)),
        ("gsm send sync csms", f"Send Concatenated SMS and wait finish {_ON}",
         f"<span> <destination> <message> <flag> <smscount> <smssequence> {tail}",
         f"Send Concatenated SMS {_ON}", on_span(4, gsm_send.send_sync_csms, 11)),
        ("gsm send sync sms", f"Send SMS and wait finish {_ON}",
         f"<span> <destination> <message> {tail}",
         f"Send SMS {_ON}", on_span(4, gsm_send.send_sync_sms, 8)),
        ("gsm send ussd", f"Send USSD {_ON}", "<span> <message> [timeout]",
         f"Send USSD {_ON}", on_span(3, gsm_send.send_ussd, 5, 6)),
        ("gsm set debug at", f"Set at command debug mode {_ON}", "<span> <on|off>",
         f"Set at command debug mode {_ON}", on_span(4, gsm_settings.quiet, 6, 6)),
        ("gsm set debug file", "Sends GSM debug output to the specified file", "[output-file]",
         "Sends GSM debug output to the specified output file", gsm_settings.set_debug_file),
        ("gsm set send sms coding", "Setting send sms character coding", "<span> <coding>",
         f"Setting send sms character coding {_ON}", on_span(5, gsm_settings.set_coding, 7, 7)),
        ("gsm set send sms mode pdu", "Setting send sms mode is pdu", "<span>",
         f"Setting send sms mode is pdu {_ON}", on_span(6, gsm_settings.set_mode_pdu, 7, 7)),
        ("gsm set send sms mode text", "Setting send sms mode is text", "<span>",
         f"Setting send sms mode is text {_ON}", on_span(6, gsm_settings.set_mode_text, 7, 7)),
        ("gsm set send sms smsc", "Setting send sms Service Message Center number",
         "<span> <number>", f"Setting send sms service center number {_ON}",
         on_span(5, gsm_settings.set_smsc, 7, 7)),
        ("gsm show debug", "Displays current GSM debug settings", "",
         "Show the debug state of gsm spans", gsm_show.show_debug),
        ("gsm show debug at", f"Show at command debug stat {_ON}", "<span>",
         f"Show at command debug stat {_ON}", on_span(4, gsm_settings.show_debug_at, 5, 5)),
        ("gsm show send sms coding", "Show send sms character coding", "<span>",
         f"Show send sms character coding {_ON}", on_span(5, gsm_settings.show_coding, 6, 6)),
        ("gsm show send sms mode", "Show send sms mode", "<span>",
         f"Show send sms mode {_ON}", on_span(5, gsm_settings.show_mode, 6, 6)),
        ("gsm show send sms smsc", "Show send sms Service Message Center number", "<span>",
         f"Show send sms service center number {_ON}", on_span(5, gsm_settings.show_smsc, 6, 6)),
        ("gsm show spans", "Displays GSM Information", "",
         "Displays GSM Information", gsm_show.show_spans),
        ("gsm show span", "Displays GSM Information", "<span>|all",
         f"Displays GSM Information {_ON}", gsm_show.show_span),
        ("gsm show statistics outbound", "Displays statistics of outbound", "",
         "Displays statistics of outbound", gsm_show.show_statistics),
        ("gsm show version", "Displays libgsmat version", "",
         "Show libgsmat version information", gsm_show.show_version),
        ("gsm unset debug file", "Ends GSM debug output to file", "",
         "Stop sending debug output to the previously specified file",
         gsm_settings.unset_debug_file),
    )  # fmt: skip


_NAMES_OF_TODAY = {
    "gsm set calllimit": "Set the limit of calls",
    "gsm set cf": "Set call forwarding",
    "gsm set cw": "Set call waiting",
    "gsm set interlimit": "Set the limit of international calls",
    "gsm set simlock": "Lock a SIM",
    "gsm set simmark": "Mark a SIM",
    "gsm set simnum": "Set the number of a SIM",
    "gsm set smslimit": "Set the limit of SMS",
    "gsm show cells": "Show the cells",
    "gsm show cfinfo": "Show call forwarding",
    "gsm show curcells": "Show the current cells",
    "gsm show cwinfo": "Show call waiting",
    "gsm show statistics inbound": "Displays statistics of inbound",
    "gsm show valid operator": "Show the operators that are there",
    "gsm start": "Start a module",
}
_ROWS_OF_TODAY: list[_Row] = [
    (name, summary, "<span>", summary, gsm_settings.nothing)
    for name, summary in _NAMES_OF_TODAY.items()
]
"""What boxes of today have besides; only the names are known, so nothing comes of it."""
