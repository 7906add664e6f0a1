"""Names that more than one module needs."""

from datetime import timedelta
from typing import Final

DOMAIN: Final = "openvox_gsm"

DEFAULT_PORT: Final = 5038
DEFAULT_USERNAME: Final = "admin"
UPDATE_INTERVAL: Final = timedelta(seconds=30)

CONF_LINE_BREAKS: Final = "line_breaks"

EVENT_SMS_RECEIVED: Final = "openvox_gsm_sms_received"
