"""How many rows Home Assistant's own recorder writes for a gateway in an hour.

The hour is 120 polls, of which two in three find another signal on each span. They
follow each other at once, because a row is written when a state changes, whatever the
time. The statistics are compiled for twelve periods of five minutes, as in an hour:
each takes one row for an entity, whether its state has changed or not.
"""

import asyncio
from datetime import timedelta
import json
from pathlib import Path
import sqlite3
import sys
from tempfile import TemporaryDirectory

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .child import running
from .earlier import earlier_version, measure_both
from .home import add_gateway, coordinator_of, running_home
from .table import Row

_SPANS = (8, 44)
_POLLS = 120
_PERIOD = timedelta(minutes=5)
_PERIODS = 12
_TABLES = (
    "states",
    "state_attributes",
    "events",
    "event_data",
    "statistics_short_term",
    "statistics",
)


def run() -> list[Row]:
    """Count for a small gateway and a large one, beside version 0.1.0."""
    with earlier_version() as earlier:
        return [_row(earlier, spans) for spans in _SPANS]


def _row(earlier: Path, spans: int) -> Row:
    now, before = measure_both(earlier, "recorder", str(spans))
    ratio = now["states"] / before["states"]
    total = sum(now.values()) / sum(before.values())
    return Row(
        f"rows that a recorder writes in an hour, {spans} spans, another signal in two of "
        "three polls",
        _words(now),
        f"version 0.1.0: {_words(before)}",
        f"{ratio:.2f} × of states; {total:.2f} × of all",
        "at most 0.5 × of states",
        ratio <= 1 / 2,
    )


def _words(rows: dict[str, int]) -> str:
    others = sum(rows[table] for table in _TABLES[1:4])
    statistics = rows["statistics_short_term"] + rows["statistics"]
    return (
        f"{rows['states']:,} states, {others:,} events and attributes, "
        f"{statistics:,} statistics"
    )


async def _measure(spans: int) -> dict[str, int]:
    with TemporaryDirectory() as folder:
        database = Path(folder) / "home-assistant_v2.db"
        async with (
            running("box", str(spans)) as box,
            running_home(database) as hass,
        ):
            entry = await add_gateway(hass, (await box.ask("port"))["port"])
            coordinator = coordinator_of(entry)
            before = await _count(hass, database)
            for poll in range(_POLLS):
                if poll % 3:
                    await box.ask("signal", spans=spans)
                await coordinator.async_refresh()
            assert coordinator.last_update_success
            await hass.async_block_till_done()
            await get_instance(hass).async_block_till_done()
            _compile_statistics(hass)
            after = await _count(hass, database)
    return {table: after[table] - before[table] for table in _TABLES}


def _compile_statistics(hass: HomeAssistant) -> None:
    """Compile the statistics of twelve periods, one of which ends an hour."""
    seconds = _PERIOD.total_seconds()
    begin = dt_util.utc_from_timestamp(
        dt_util.utcnow().timestamp() // seconds * seconds
    )
    for period in range(_PERIODS):
        get_instance(hass).queue_task(StatisticsTask(begin + period * _PERIOD, False))


async def _count(hass: HomeAssistant, database: Path) -> dict[str, int]:
    """Count the rows of each table, after all that has happened was written."""
    await get_instance(hass).async_block_till_done()

    def count() -> dict[str, int]:
        connection = sqlite3.connect(database)
        try:
            return {
                table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in _TABLES
            }
        finally:
            connection.close()

    return await hass.async_add_executor_job(count)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
