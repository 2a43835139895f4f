"""The store at the daemon's start; where it is damaged, a new one made of what is left, and said."""

import asyncio
from functools import partial

import structlog

from supervisor.engine.config import Clock
from supervisor.engine.rebuilding import look_at_runs, rebuild
from supervisor.store.database import Connection, Database
from supervisor.store.faults import StoreCorruptError
from supervisor.store.salvage import salvage
from supervisor.store.statedir import StateDir

log = structlog.get_logger(__name__)


async def open_store(state_dir: StateDir, clock: Clock) -> tuple[Database, tuple[str, ...]]:
    """The store, and what people must be told about it, in a sentence each.

    Raises `ForeignFileError`, `SchemaTooNewError` and `StoreError`; in each case it was left as it was.
    """
    try:
        return await Database.open(state_dir.database), ()
    except StoreCorruptError as error:
        damaged = str(error)
    log.error("the store is damaged; what can be read of it is brought over", error=damaged)
    found = await look_at_runs(state_dir)
    now, orphans = clock.wall(), list[str]()

    def complete(connection: Connection) -> None:
        orphans.extend(rebuild(connection, found, now))

    known = [item.run_id for item in found]
    salvaged = await asyncio.to_thread(partial(salvage, state_dir.database, now, known, complete))
    notice = (
        f"the store was damaged and is kept as {salvaged.aside.name}; "
        f"{salvaged.rows.get('runs', 0)} runs were read from it: look at them, then put the file elsewhere"
    )
    log.error(notice, path=str(salvaged.aside), rows=salvaged.rows)
    for orphan in orphans:
        log.error(orphan)
    return await Database.open(state_dir.database), (notice, *orphans)
