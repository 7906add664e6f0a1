"""Names that outlive an update."""

from custom_components.openvox_gsm import const

# What is stored in config entries, and what automations listen to.
NAMES = {
    "DOMAIN": "openvox_gsm",
    "CONF_TLS": "tls",
    "CONF_FINGERPRINT": "fingerprint",
    "CONF_CHALLENGE": "challenge",
    "CONF_LINE_BREAKS": "line_breaks",
    "CONF_FLASH": "flash",
    "CONF_CALL_EVENTS": "call_events",
    "CONF_ONLY_CONFIRMED": "only_confirmed",
    "CONF_ALLOWED": "allowed_destinations",
    "CONF_HOURLY_LIMIT": "hourly_limit",
    "CONF_DAILY_LIMIT": "daily_limit",
    "CONF_CODES_FOR_ALL": "codes_for_all",
    "CONF_MESSAGES_KEPT": "messages_kept",
    "CONF_MESSAGES_FOR_ALL": "messages_for_all",
    "SUBENTRY_CONTACT": "contact",
    "SUBENTRY_USSD_QUERY": "ussd_query",
    "SUBENTRY_SIM_LIMIT": "sim_limit",
    "CONF_NUMBER": "number",
    "CONF_SPAN": "span",
    "CONF_CODE": "code",
    "CONF_REPLIES": "replies",
    "CONF_INTERVAL": "interval",
    "CONF_PATTERN": "pattern",
    "CONF_DATE_PATTERN": "date_pattern",
    "CONF_UNIT": "unit",
    "CONF_SIM": "sim",
    "CONF_MONTHLY_LIMIT": "monthly_limit",
    "CONF_MONTH_BEGINS": "month_begins",
    "EVENT_SMS_RECEIVED": "openvox_gsm_sms_received",
    "EVENT_SMS_SENT": "openvox_gsm_sms_sent",
    "EVENT_SMS_DELIVERED": "openvox_gsm_sms_delivered",
    "EVENT_CALL": "openvox_gsm_call",
}


def test_names_that_stay() -> None:
    """Another name would lose what people have set, or their automations."""
    kinds = ("DOMAIN", "CONF_", "SUBENTRY_", "EVENT_")
    assert {
        name: value for name, value in vars(const).items() if name.startswith(kinds)
    } == NAMES | {"CONF_SEND_PASSWORD": "send_password"}  # only in a form
