"""Which entities a gateway and each of its spans bring along."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

# The entities with what they are known by, which stays the same for good.
MAIN = {
    "event.gsm_1_call": "1_call",
    "event.gsm_1_sms": "1_sms",
    "sensor.gsm_1_sms_failed": "1_sms_failed",
    "sensor.gsm_1_sms_received": "1_sms_received",
    "sensor.gsm_1_sms_sent": "1_sms_sent",
    "sensor.gsm_1_status": "1_status",
    "sensor.openvox_active_calls": "active_calls",
}
DIAGNOSTIC = {
    "binary_sensor.openvox_connectivity": "connected",
    "sensor.gsm_1_network_status": "1_network_status",
    "sensor.gsm_1_operator": "1_operator",
    "sensor.gsm_1_signal_strength": "1_signal_strength",
    "sensor.openvox_sms_left_1_hour": "sms_left_hour",
    "sensor.openvox_sms_left_24_hours": "sms_left_day",
    "sensor.openvox_start_time": "start_time",
}
# Few people look at these; the test sends SMS.
DIAGNOSTIC_DISABLED = {
    "binary_sensor.gsm_1_network_registration": "1_registered",
    "binary_sensor.gsm_1_roaming": "1_roaming",
    "button.openvox_run_self_test_sends_sms": "self_test",
    "sensor.gsm_1_answered_calls_asr": "1_answer_seizure_ratio",
    "sensor.gsm_1_average_call_duration_acd": "1_average_call_duration",
    "sensor.gsm_1_bit_error_rate": "1_bit_error_rate",
    "sensor.gsm_1_module_state": "1_module_state",
    "sensor.gsm_1_own_number": "1_own_number",
    "sensor.gsm_1_post_dial_delay_pdd": "1_post_dial_delay",
    "sensor.gsm_1_signal_quality": "1_signal_quality",
    "sensor.gsm_1_sms_center": "1_sms_center",
    "sensor.openvox_asterisk_version": "asterisk_version",
    "sensor.openvox_driver_version": "driver_version",
}
# These end what the module is doing.
CONFIG_DISABLED = {
    "button.gsm_1_reload_module": "1_reload_module",
    "button.gsm_1_restart_module": "1_restart_module",
    "switch.gsm_1_module_power": "1_power",
}


async def test_which_there_are(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Each in its part of the device's page, and enabled if most people want it."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    found: dict[tuple[EntityCategory | None, bool], dict[str, str]] = {}
    for each in entities:
        if each.entity_id.partition(".")[2].startswith(("gsm_1_", "openvox_")):
            key = each.unique_id.removeprefix(f"{loaded.entry_id}_")
            kind = each.entity_category, each.disabled
            found.setdefault(kind, {})[each.entity_id] = key

    assert found == {
        (None, False): MAIN,
        (EntityCategory.DIAGNOSTIC, False): DIAGNOSTIC,
        (EntityCategory.DIAGNOSTIC, True): DIAGNOSTIC_DISABLED,
        (EntityCategory.CONFIG, True): CONFIG_DISABLED,
    }
