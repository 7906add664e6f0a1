"""What Home Assistant's recorder keeps of a gateway."""

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import func, select

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import EventData, StateAttributes
from homeassistant.components.recorder.util import session_scope
from homeassistant.core import HomeAssistant
from simulator import Simulator

from .common import PHONE, until

TEXT = "The garage door is open"


async def test_the_text_of_an_sms_is_kept_once(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """With the bus event, where the logbook finds it; the entity's state has none."""
    entity_id = "event.gsm_1_sms"

    def is_shown() -> bool:
        state = hass.states.get(entity_id)
        return state is not None and state.attributes.get("message") == TEXT

    await gateway.receive_sms(1, PHONE, TEXT)
    await until(is_shown)
    await async_wait_recording_done(hass)

    def count() -> tuple[int | None, int | None]:
        with session_scope(hass=hass, read_only=True) as session:
            return (
                session.scalar(
                    select(func.count()).where(EventData.shared_data.contains(TEXT))
                ),
                session.scalar(
                    select(func.count()).where(
                        StateAttributes.shared_attrs.contains(TEXT)
                    )
                ),
            )

    assert await get_instance(hass).async_add_executor_job(count) == (1, 0)
