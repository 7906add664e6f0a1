"""Which entities a gateway and each of its spans bring along."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

MAIN = {
    "event.gsm_1_call",
    "event.gsm_1_sms",
    "sensor.gsm_1_sms_failed",
    "sensor.gsm_1_sms_received",
    "sensor.gsm_1_sms_sent",
    "sensor.gsm_1_status",
    "sensor.openvox_active_calls",
}
DIAGNOSTIC = {
    "binary_sensor.openvox_connectivity",
    "sensor.gsm_1_network_status",
    "sensor.gsm_1_operator",
    "sensor.gsm_1_signal_strength",
    "sensor.openvox_sms_left_1_hour",
    "sensor.openvox_sms_left_24_hours",
    "sensor.openvox_start_time",
}
# Few people look at these; the test sends SMS.
DIAGNOSTIC_DISABLED = {
    "binary_sensor.gsm_1_network_registration",
    "binary_sensor.gsm_1_roaming",
    "button.openvox_run_self_test_sends_sms",
    "sensor.gsm_1_answered_calls_asr",
    "sensor.gsm_1_average_call_duration_acd",
    "sensor.gsm_1_bit_error_rate",
    "sensor.gsm_1_module_state",
    "sensor.gsm_1_own_number",
    "sensor.gsm_1_post_dial_delay_pdd",
    "sensor.gsm_1_signal_quality",
    "sensor.gsm_1_sms_center",
    "sensor.openvox_asterisk_version",
    "sensor.openvox_driver_version",
}
# These end what the module is doing.
CONFIG_DISABLED = {
    "button.gsm_1_reload_module",
    "button.gsm_1_restart_module",
    "switch.gsm_1_module_power",
}


async def test_which_there_are(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Each in its part of the device's page, and enabled if most people want it."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    found: dict[tuple[EntityCategory | None, bool], set[str]] = {}
    for each in entities:
        if each.entity_id.partition(".")[2].startswith(("gsm_1_", "openvox_")):
            kind = each.entity_category, each.disabled
            found.setdefault(kind, set()).add(each.entity_id)

    assert found == {
        (None, False): MAIN,
        (EntityCategory.DIAGNOSTIC, False): DIAGNOSTIC,
        (EntityCategory.DIAGNOSTIC, True): DIAGNOSTIC_DISABLED,
        (EntityCategory.CONFIG, True): CONFIG_DISABLED,
    }
