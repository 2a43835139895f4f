"""What is kept of runs that have ended: the choice of what goes, and its removal.

A run's directory goes before its rows, so a pass that is cut short is taken up by the next one.
"""

import asyncio
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from supervisor.engine.config import RetentionPolicy
from supervisor.engine.services import Services
from supervisor.store import idempotency, runs
from supervisor.store.database import Connection
from supervisor.store.faults import StoreError

log = structlog.get_logger(__name__)

KEY_AGE_S = 24 * 3600.0  # for so long a submission may be repeated under its key


def expendable(
    ended: Sequence[tuple[str, float]], policy: RetentionPolicy, *, now: float, live: Collection[str] = ()
) -> list[str]:
    """The runs to remove, those that ended first before the others. Pure.

    `ended` are ids and when they ended, `now` likewise in Unix seconds. A run goes when more than
    `max_runs` ended ones are kept, or when it ended over `max_age_s` ago; one that is `live` never does.
    """
    oldest_first = sorted(ended, key=lambda item: (item[1], item[0]))
    surplus = len(oldest_first) - policy.max_runs
    return [
        run_id
        for place, (run_id, at) in enumerate(oldest_first)
        if run_id not in live and (place < surplus or (policy.max_age_s > 0 and now - at > policy.max_age_s))
    ]


async def keep_tidy(services: Services, live: Callable[[], Collection[str]]) -> None:
    """A pass now and one every `every_s` seconds, for ever; cancelled at the daemon's end."""
    while True:
        try:
            await tidy(services, live)
        except Exception:
            log.exception("runs that have ended were not tidied up; the next pass tries again")
        await asyncio.sleep(services.config.retention.every_s)


async def tidy(services: Services, live: Callable[[], Collection[str]]) -> list[str]:
    """One pass; the ids of the runs that were removed. Raises `StoreError`."""
    database, now = services.database, services.config.clock.wall()
    ended = await database.read(runs.ended_runs)
    chosen = expendable(ended, services.config.retention, now=now, live=live())
    removed = [run_id for run_id in chosen if await _remove(services, run_id)]
    await database.write(lambda connection: idempotency.delete_keys_before(connection, now - KEY_AGE_S))
    if removed:
        log.info("runs that have ended were removed", runs=len(removed))
    return removed


async def _remove(services: Services, run_id: str) -> bool:
    def delete(connection: Connection) -> None:
        runs.delete_run(connection, run_id)

    directory = services.state_dir.run_dir(run_id)
    try:
        await asyncio.to_thread(remove_directory, directory)
        await services.database.write(delete)
    except (OSError, StoreError) as error:
        log.warning("a run that has ended was not removed", run=run_id, path=str(directory), error=str(error))
        return False
    return True


def remove_directory(directory: Path) -> None:
    """Remove a run's directory and nothing else: links go, what they lead to stays. Raises `OSError`."""
    if directory.is_symlink():
        directory.unlink()
        return
    with suppress(FileNotFoundError):
        shutil.rmtree(directory)
