"""Content for the demo: spans that differ, as they would in a box that is in use."""

from datetime import UTC, datetime, timedelta

from .model.gateway import Gateway
from .model.outcomes import UssdMenu

_NETWORKS = [
    ("Telekom.de", "262011", "+491710760000", 24),
    ("Vodafone.de", "262021", "+491722270333", 19),
    ("o2 - de", "262071", "+491760000443", 27),
    ("Orange F", "208011", "+33689004000", 15),
    ("vodafone UK", "234151", "+447785016005", 22),
    ("A1", "232011", "+436640501", 30),
]
"""Name, start of the IMSI, service centre, signal (CSQ)."""

_BALANCE = UssdMenu(
    "Your balance is 12.50 EUR.\n1: Last top-ups\n2: Data left\n0: End",
    {
        "1": "10.00 EUR on 3 March, 20.00 EUR on 1 February",
        "2": UssdMenu(
            "1.4 GB left until 31 March.\n1: Buy 1 GB for 3 EUR\n0: End",
            {"1": "1 GB was booked.", "0": "Good-bye"},
        ),
        "0": "Good-bye",
    },
)


def furnish(gateway: Gateway) -> None:
    """Give every span a network; span 3 has no SIM card and span 4 a weak signal.

    They reach each other by SMS.
    """
    gateway.carries_sms = True
    for span in gateway.spans.values():
        name, imsi, center, signal = _NETWORKS[(span.number - 1) % len(_NETWORKS)]
        span.operator, span.sms_center, span.signal = name, center, signal
        place = f"{gateway.board - 1:02d}{span.number:02d}"
        span.imsi = f"{imsi}00000{place}"
        span.own_number = f"+49151100{place}"
        span.send_duration = 1.5
        span.ussd_duration = 2.0
        span.send_events = True
        span.ussd["*100#"] = _BALANCE
        span.ussd["*102#"] = f"You have 12.50 EUR, valid until {_in_three_weeks()}."
    if 3 in gateway.spans:
        gateway.spans[3].remove_sim()
    if 4 in gateway.spans:
        gateway.spans[4].signal = 4


def _in_three_weeks() -> str:
    return (datetime.now(UTC) + timedelta(weeks=3)).strftime("%d.%m.%Y")
