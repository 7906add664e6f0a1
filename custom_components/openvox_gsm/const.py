"""Names that several modules need."""

from datetime import timedelta
from typing import Final

DOMAIN: Final = "openvox_gsm"

DEFAULT_PORT: Final = 5038
DEFAULT_USERNAME: Final = "admin"
UPDATE_INTERVAL: Final = timedelta(seconds=30)
# How often to look whether the gateway's switch "SMS Received" is on, while it's off.
SMS_RECEIVED_INTERVAL: Final = timedelta(minutes=2)

# Data of an entry
CONF_TLS: Final = "tls"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_CHALLENGE: Final = "challenge"  # the gateway takes MD5 challenges

# Only in a form: send the password to a gateway that no longer has challenges
CONF_SEND_PASSWORD: Final = "send_password"

# Options
CONF_LINE_BREAKS: Final = "line_breaks"
CONF_FLASH: Final = "flash"
CONF_CALL_EVENTS: Final = "call_events"
CONF_ONLY_CONFIRMED: Final = "only_confirmed"
CONF_ALLOWED: Final = "allowed_destinations"
CONF_HOURLY_LIMIT: Final = "hourly_limit"
CONF_DAILY_LIMIT: Final = "daily_limit"
CONF_CODES_FOR_ALL: Final = "codes_for_all"
CONF_MESSAGES_KEPT: Final = "messages_kept"
CONF_MESSAGES_FOR_ALL: Final = "messages_for_all"
DEFAULT_MESSAGES_KEPT: Final = 500

# Subentries
SUBENTRY_CONTACT: Final = "contact"
SUBENTRY_USSD_QUERY: Final = "ussd_query"
SUBENTRY_SIM_LIMIT: Final = "sim_limit"
CONF_NUMBER: Final = "number"
CONF_SPAN: Final = "span"
CONF_CODE: Final = "code"
CONF_REPLIES: Final = "replies"
CONF_INTERVAL: Final = "interval"
CONF_PATTERN: Final = "pattern"
CONF_DATE_PATTERN: Final = "date_pattern"
CONF_UNIT: Final = "unit"
CONF_SIM: Final = "sim"
CONF_MONTHLY_LIMIT: Final = "monthly_limit"
CONF_MONTH_BEGINS: Final = "month_begins"

# Events of the bus
EVENT_SMS_RECEIVED: Final = "openvox_gsm_sms_received"
EVENT_SMS_SENT: Final = "openvox_gsm_sms_sent"
EVENT_SMS_DELIVERED: Final = "openvox_gsm_sms_delivered"
EVENT_CALL: Final = "openvox_gsm_call"
