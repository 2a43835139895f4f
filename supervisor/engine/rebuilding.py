"""What the directories of runs tell of them, for a store that was damaged.

Nothing is launched for what is rebuilt: a run whose record is gone goes on only where its newest attempt
is alive, and is `lost` where it is not. An attempt that is rebuilt is not judged at a checkpoint again.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from pydantic import ValidationError

from supervisor.domain.checkpoint import Verdict, VerdictKind
from supervisor.domain.events import Event, Warned, data_of
from supervisor.domain.run import Attempt, AttemptOutcome, Phase, Reason, Run, RunState, Stage
from supervisor.engine.script import kept_size
from supervisor.process.attempt import AttemptProcess, Exit, Gone, NeverStarted, Started, read_started
from supervisor.process.records import read_record, write_record
from supervisor.source.file import ScriptError, read_script
from supervisor.store.attempts import list_attempts, put_attempt
from supervisor.store.database import Connection
from supervisor.store.encoding import Codec
from supervisor.store.events import insert_events, last_number
from supervisor.store.runs import get_run, insert_run, update_run
from supervisor.store.statedir import SIZE_FILE, SNAPSHOT, StateDir

log = structlog.get_logger(__name__)

RECORD = "run.json"  # the run as it was at its newest launch, in its directory
_codec = Codec(Run)
_LOOK_S = 5.0  # for a shim between its lock and its record of the start
_GAP = 10_000  # numbers of events that may have been told and are lost
_WHY = "its record was in a store that was damaged"


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """An attempt that its directory knows was started. `ended` is None for one that is alive."""

    directory: Path
    attempt: Attempt
    ended: Exit | Gone | None

    @property
    def started(self) -> float:
        return self.attempt.started_at or 0.0


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run's directory: the run as it was launched, None where no record tells, and its attempts."""

    run_id: str
    kept: Run | None
    attempts: tuple[FoundAttempt, ...]

    @property
    def alive(self) -> bool:
        return any(found.ended is None for found in self.attempts)


def keep_record(directory: Path, run: Run) -> None:
    """Put the run on record in its directory; raises `OSError`."""
    write_record(str(directory), RECORD, json.loads(_codec.encode(run)))


async def look_at_runs(state_dir: StateDir) -> list[FoundRun]:
    """Every run that has a directory with an attempt that was started in it."""
    places = await asyncio.to_thread(lambda: sorted(state_dir.root.glob("runs/*/*/spec.json")))
    by_run: dict[Path, list[FoundAttempt]] = {}
    for place in places:
        directory = place.parent
        try:
            found = await _look_at_attempt(directory)
        except (OSError, ValueError, TypeError) as error:
            log.warning("an attempt's directory cannot be read", path=str(directory), error=str(error))
            continue
        if found is not None:
            by_run.setdefault(directory.parent, []).append(found)
    return [
        FoundRun(directory.name, _kept(directory), tuple(sorted(found, key=lambda item: item.started)))
        for directory, found in by_run.items()
    ]


def rebuild(connection: Connection, found: Sequence[FoundRun], now: float) -> list[str]:
    """Add what the directories know to a store that was made anew; what could not be, in a sentence each."""
    orphans = []
    for item in found:
        run = get_run(connection, item.run_id)
        if run is not None and run.state.ended:
            continue
        if run is None and item.kept is None:
            if item.alive:
                orphans.append(_orphan(item))
            continue
        if run is None and item.kept is not None:
            run = _unknown_run(item.kept, item, now)
            insert_run(connection, run)
        if run is not None:
            _add_attempts(connection, run, item)
    for row in connection.execute("SELECT id FROM runs").fetchall():
        run = get_run(connection, row[0])
        if run is not None and not run.state.ended:
            _tell(connection, run, now)
    return orphans


async def _look_at_attempt(directory: Path) -> FoundAttempt | None:
    """None for an attempt that was never started."""
    try:
        async with asyncio.timeout(_LOOK_S):
            found = await AttemptProcess.adopt(directory)
    except TimeoutError:
        return None
    if isinstance(found, NeverStarted):
        return None
    started = read_started(directory)
    if isinstance(found, AttemptProcess):
        found.close()
        return FoundAttempt(directory, _attempt(directory, started, None), None)
    return FoundAttempt(directory, _attempt(directory, started, found), found)


def _attempt(directory: Path, started: Started | None, ended: Exit | Gone | None) -> Attempt:
    """The attempt by its records. Its outcome is what can be said of one that others may have followed."""
    name, _, number = directory.name.rpartition("-")
    stage = Stage.FOLLOW_UP if name == "follow-up" else Stage.TRAINING
    spec = read_record(str(directory), "spec.json") or {}
    argv = spec.get("argv")
    args = tuple(str(item) for item in argv[3:]) if isinstance(argv, list) else ()
    kept = _kept(directory.parent)
    try:
        script = read_script(directory / SNAPSHOT)
        at = kept.spec.batch_size_at if kept is not None else None
        size, digest = kept_size(script, directory / SIZE_FILE, args, at), script.digest
    except ScriptError:
        size, digest = None, None
    seen = ended if isinstance(ended, Exit) else None
    outcome = AttemptOutcome.LOST
    if seen is not None:
        outcome = AttemptOutcome.COMPLETED if seen.code == 0 else AttemptOutcome.FAILED
    return Attempt(
        stage=stage,
        number=int(number),
        batch_size=size if stage is Stage.TRAINING else None,
        args=args,
        outcome=AttemptOutcome.RUNNING if ended is None else outcome,
        detail=_WHY,
        pid=started.pid if started else None,
        boot_id=started.boot_id if started else None,
        started_boottime=started.boottime if started else None,
        started_at=started.wall if started else None,
        ended_at=seen.wall if seen else None,
        exit_code=seen.code if seen else None,
        signal=seen.signal if seen else None,
        script_digest=digest,
        verdict=Verdict(VerdictKind.NO_EVIDENCE, _WHY, started.wall if started else 0.0),
    )


def _kept(directory: Path) -> Run | None:
    try:
        record = read_record(str(directory), RECORD)
        run = _codec.decode(json.dumps(record)) if record is not None else None
    except (OSError, ValueError, ValidationError) as error:
        log.warning("a run's record cannot be read", path=str(directory / RECORD), error=str(error))
        return None
    return run if run is not None and run.id == directory.name else None


def _unknown_run(kept: Run, found: FoundRun, now: float) -> Run:
    if found.alive:
        return replace(kept, state=RunState.RUNNING, reason=None, started_at=kept.started_at or now)
    detail = f"{_WHY}; what is left of it is in runs/{kept.id}"
    return replace(
        kept, state=RunState.LOST, phase=None, reason=Reason.INTERNAL_ERROR, detail=detail, ended_at=now
    )


def _add_attempts(connection: Connection, run: Run, found: FoundRun) -> None:
    """Attempts that no row tells of; of all of them only the newest may still be running."""
    known = {(attempt.stage, attempt.number): attempt for attempt in list_attempts(connection, run.id)}
    here = {(item.attempt.stage, item.attempt.number): item for item in found.attempts}
    added = [key for key in here if key not in known]
    if not added:
        return
    newest = found.attempts[-1]
    for key, item in here.items():
        attempt = known.get(key, item.attempt)
        if item is not newest and (key in added or attempt.outcome is AttemptOutcome.RUNNING):
            attempt = _followed(attempt, item, newest.attempt.stage)
        elif key in added and not run.state.ended:
            attempt = replace(attempt, outcome=AttemptOutcome.RUNNING)
        put_attempt(connection, run.id, attempt)
    training = [item.attempt for item in found.attempts if item.attempt.stage is Stage.TRAINING]
    if not run.state.ended and training:
        phase = Phase.TRAINING if newest.attempt.stage is Stage.TRAINING else Phase.FOLLOW_UP
        state = RunState.RUNNING if run.state in {RunState.QUEUED, RunState.STARTING} else run.state
        last = training[-1]
        run = replace(run, state=state, phase=phase, attempt=last.number, batch_size=last.batch_size)
        update_run(connection, run)


def _followed(attempt: Attempt, found: FoundAttempt, by: Stage) -> Attempt:
    """An attempt that another came after: what is on record of its end, and else why one ends so."""
    outcome = AttemptOutcome.SUPERSEDED if by is Stage.TRAINING else AttemptOutcome.STOPPED
    if found.attempt.outcome is AttemptOutcome.COMPLETED:
        outcome = AttemptOutcome.COMPLETED
    seen = found.attempt
    return replace(
        attempt, outcome=outcome, ended_at=seen.ended_at, exit_code=seen.exit_code, signal=seen.signal
    )


def _tell(connection: Connection, run: Run, now: float) -> None:
    warned = Warned("store_damaged", "the store was damaged; this run goes on from what could be read of it")
    number = last_number(connection, run.id) + _GAP
    event = Event(number, now, warned.type, run.attempt or None, data_of(warned))
    insert_events(connection, run.id, [event])


def _orphan(found: FoundRun) -> str:
    pids = [str(item.attempt.pid) for item in found.attempts if item.ended is None]
    return f"run {found.run_id} lives and cannot be taken up again; `kill {' '.join(pids)}` stops it"
