"""The driver's ``gsm …`` commands, as ``core show help gsm`` lists them.

Texts and order of checks are those of chan_extra 2.0.8 as far as the notes and samples
give them; what the notes leave open is taken from the older open driver or marked as a guess.
"""

from simulator.model.box import Box

from . import gsm_power, gsm_send, gsm_settings, gsm_show
from .command_line import CliCommand, Handler
from .on_span import on_span


def commands(box: Box) -> list[CliCommand]:
    """Give the commands of a box, in the order in which a real gateway lists them."""
    later = box is Box.TODAY
    # Guess: the wording of the flash argument, and the usage of csms; the older open driver
    # has no csms, programs call its arguments flag, smscount and smssequence.
    flash = "[flash] " if later else ""
    send_tail = "<timeout> [id]" if later else "[id]"
    on = "on a given GSM span"
    table: list[tuple[str, str, str, str, Handler]] = [
        ("gsm power off", "Power off gsm module", "<span>",
         f"Set GSM module power off {on}", on_span(3, gsm_power.power_off, 4, 4)),
        ("gsm power on", "Power on gsm module", "<span>",
         f"Set GSM module power on {on}", on_span(3, gsm_power.power_on, 4, 4)),
        ("gsm power reset", "Power reset gsm module", "<span>",
         f"Reset GSM module power {on}", on_span(3, gsm_power.power_reset, 4, 4)),
        ("gsm power stat", "Get gsm module power stat", "<span>",
         f"Get GSM module power stat {on}", on_span(3, gsm_power.power_stat, 4, 4)),
        ("gsm reload span", "Reload GSM module configure", "<span>",
         f"Reload GSM module configure {on}", on_span(3, gsm_settings.quiet, 4, 4)),
        ("gsm send at", f"Send AT Commmand {on}", "<span> <AT Command>",
         f"Send AT Command {on}", on_span(3, gsm_send.send_at, 5)),
        ("gsm send sms", f"Send SMS {on}", f"<span> <destination> <message> {send_tail}",
         f"Send SMS {on}", on_span(3, gsm_send.send_sms, 6)),
        ("gsm send sync csms", f"Send Concatenated SMS and wait finish {on}",
         "<span> <destination> <message> <flag> <smscount> <smssequence> "
         f"<timeout> {flash}[id] ",
         f"Send Concatenated SMS {on}", on_span(4, gsm_send.send_sync_csms, 11)),
        ("gsm send sync sms", f"Send SMS and wait finish {on}",
         f"<span> <destination> <message> <timeout> {flash}[id] ",
         f"Send SMS {on}", on_span(4, gsm_send.send_sync_sms, 8)),
        ("gsm send ussd", f"Send USSD {on}", "<span> <message> [timeout]",
         f"Send USSD {on}", on_span(3, gsm_send.send_ussd, 5, 6)),
        ("gsm set send sms coding", "Setting send sms character coding", "<span> <coding>",
         f"Setting send sms character coding {on}", on_span(5, gsm_settings.set_coding, 7, 7)),
        ("gsm set send sms mode pdu", "Setting send sms mode is pdu", "<span>",
         f"Setting send sms mode is pdu {on}", on_span(6, gsm_settings.set_mode_pdu, 7, 7)),
        ("gsm set send sms mode text", "Setting send sms mode is text", "<span>",
         f"Setting send sms mode is text {on}", on_span(6, gsm_settings.set_mode_text, 7, 7)),
        ("gsm set send sms smsc", "Setting send sms Service Message Center number",
         "<span> <number>", f"Setting send sms service center number {on}",
         on_span(5, gsm_settings.set_smsc, 7, 7)),
        ("gsm show debug", "Displays current GSM debug settings", "",
         "Show the debug state of gsm spans", gsm_show.show_debug),
        ("gsm show send sms coding", "Show send sms character coding", "<span>",
         f"Show send sms character coding {on}", on_span(5, gsm_settings.show_coding, 6, 6)),
        ("gsm show send sms mode", "Show send sms mode", "<span>",
         f"Show send sms mode {on}", on_span(5, gsm_settings.show_mode, 6, 6)),
        ("gsm show send sms smsc", "Show send sms Service Message Center number", "<span>",
         f"Show send sms service center number {on}", on_span(5, gsm_settings.show_smsc, 6, 6)),
        ("gsm show spans", "Displays GSM Information", "", "Displays GSM Information", gsm_show.show_spans),
        ("gsm show span", "Displays GSM Information", "<span>|all",
         f"Displays GSM Information {on}", gsm_show.show_span),
        ("gsm show statistics outbound", "Displays statistics of outbound", "",
         "Displays statistics of outbound", gsm_show.show_statistics),
        ("gsm show version", "Displays libgsmat version", "",
         "Show libgsmat version information", gsm_show.show_version),
        ("gsm unset debug file", "Ends GSM debug output to file", "",
         "Stop sending debug output to the previously specified file", gsm_settings.unset_debug_file),
    ]  # fmt: skip
    return [
        CliCommand(
            name,
            summary,
            f"Usage: {f'{name} {arguments}' if arguments else name}\n       {does}\n",
            run,
        )
        for name, summary, arguments, does, run in table
    ]
