"""One attempt, from the recorded intent to the recorded outcome: launch it or take it up, see it end.

Called again for an attempt that an earlier daemon left open, it finds out from the attempt's directory
what became of it, and launches only what was never started.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from supervisor.devices.base import DeviceKind
from supervisor.domain.budget import stop_at, stop_in
from supervisor.domain.course import ProcessEnd, classify
from supervisor.domain.events import (
    AttemptAdopted,
    AttemptEnded,
    AttemptStarted,
    EventBody,
    Warned,
)
from supervisor.domain.run import (
    Attempt,
    AttemptOutcome,
    Phase,
    Reason,
    Run,
    RunState,
    Stage,
    transition,
)
from supervisor.engine.inbox import Inbox
from supervisor.engine.journal import Journal
from supervisor.engine.launch import launch_spec
from supervisor.engine.rebuilding import keep_record
from supervisor.engine.roots import outside
from supervisor.engine.script import EditImpossibleError, undo_edit
from supervisor.engine.services import Services
from supervisor.engine.submission import SubmissionError, check_roots
from supervisor.engine.supervision import Supervision, read_out, report_unkillable
from supervisor.process.attempt import (
    AttemptProcess,
    Exit,
    Gone,
    NeverStarted,
    SpawnError,
    Started,
    read_started,
)
from supervisor.process.tree import running
from supervisor.source.file import ScriptError, read_script
from supervisor.store.statedir import SIZE_FILE, SNAPSHOT

log = structlog.get_logger(__name__)

Found = AttemptProcess | Exit | NeverStarted | Gone

_UNKILLABLE_POLL_S = 1.0  # the kernel tells nobody when an uninterruptible process is gone


async def take_up(services: Services, journal: Journal, attempt: Attempt) -> Found:
    """What became of an attempt that is open on record; one that lives is recorded as adopted."""
    directory = services.state_dir.attempt_dir(journal.run.id, attempt.stage, attempt.number)
    found = await AttemptProcess.adopt(directory, timeout_s=services.config.timeouts.launch_s)
    if isinstance(found, AttemptProcess):
        await _record_live(journal, attempt, found, AttemptAdopted(attempt.stage, found.started.pid))
    return found


async def carry(
    services: Services, journal: Journal, inbox: Inbox, attempt: Attempt, found: Found
) -> frozenset[int]:
    """See the open attempt to its recorded end; returns the pids that it was seen to consist of."""
    directory = services.state_dir.attempt_dir(journal.run.id, attempt.stage, attempt.number)
    if isinstance(found, NeverStarted):
        if journal.run.stop_requested:
            await _close(journal, replace(attempt, outcome=AttemptOutcome.STOPPED), None)
            return frozenset()
        if stop_in(journal.run, attempt.stage, services.config.clock.moment()) <= 0:
            cut = replace(attempt, outcome=AttemptOutcome.STOPPED, reason=Reason.BUDGET_EXHAUSTED)
            await _close(journal, cut, None)
            return frozenset()
        try:
            found = await _launch(services, journal.run, attempt, directory)
        except SpawnError as error:
            failed = replace(
                attempt, outcome=AttemptOutcome.FAILED, reason=Reason.SPAWN_FAILED, detail=str(error)
            )
            await _close(journal, failed, None)
            return frozenset()
        await _record_live(journal, attempt, found, AttemptStarted(attempt.stage, found.started.pid))
    if isinstance(found, Gone | Exit) and found.unkillable:
        await _wait_for_unkillable(journal, found.unkillable)
    if isinstance(found, Gone):
        lost = replace(attempt, outcome=AttemptOutcome.LOST, reason=Reason(found.reason))
        await _close(journal, lost, None)
        return frozenset()
    if isinstance(found, Exit):
        if found.error is None:
            attempt = await _record_start_unseen(journal, attempt, directory)
        await read_out(services, journal, directory / "log", attempt, found)
        await _close_ended(journal, directory, found)
        return frozenset()
    return await _supervise(services, journal, inbox, found)


async def _launch(services: Services, run: Run, attempt: Attempt, directory: Path) -> AttemptProcess:
    device = services.devices[run.device_id or ""].info
    if device.kind is DeviceKind.MISSING:
        raise SpawnError(f"device {device.id} is not here any more; bring it back and submit the run again")
    until = stop_at(run, attempt.stage, services.config.clock.moment())
    spec = launch_spec(run, attempt, device, os.environ, stop_at=until)
    script, roots = Path(spec.argv[2]), services.config.allowed_roots
    beside = Path(attempt.size_file.path) if attempt.size_file is not None else None
    await asyncio.to_thread(_prepare, run, directory, script, beside, roots)
    return await AttemptProcess.launch(directory, spec, timeout_s=services.config.timeouts.launch_s)


def _prepare(
    run: Run, directory: Path, script: Path, beside: Path | None, allowed_roots: tuple[Path, ...]
) -> None:
    """Make the attempt's directory, in it the exact script, and the file `beside` it with the batch size.

    A missing script is the interpreter's to report, a missing file beside it the script's. The roots are
    checked at every launch: the script may have been replaced by a link since.
    """
    try:
        check_roots((script,), allowed_roots)
    except SubmissionError as error:
        raise SpawnError(f"{error}; put the script there, or have the daemon allow its place") from error
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(ScriptError):
            (directory / SNAPSHOT).write_bytes(read_script(script).data)
        if beside is not None and not outside(beside, allowed_roots):
            with suppress(ScriptError):
                (directory / SIZE_FILE).write_bytes(read_script(beside).data)
        keep_record(directory.parent, run)
    except OSError as error:
        raise SpawnError(
            f"{directory} cannot be written: {error.strerror}; free space or mend its mode"
        ) from error


async def _record_start(journal: Journal, attempt: Attempt, started: Started, event: EventBody) -> None:
    run = journal.run
    if run.state is RunState.STARTING:
        run = transition(run, RunState.RUNNING, at=started.wall)
    if run.phase is None or run.phase is Phase.RELAUNCHING:
        run = replace(run, phase=Phase.WARMING_UP if attempt.stage is Stage.TRAINING else Phase.FOLLOW_UP)
    attempt = replace(
        attempt,
        pid=started.pid,
        boot_id=started.boot_id,
        started_boottime=started.boottime,
        started_at=started.wall,
    )
    await journal.record(event, run=run, attempt=attempt)


async def _record_start_unseen(journal: Journal, attempt: Attempt, directory: Path) -> Attempt:
    """An attempt that was launched and has ended before any daemon could record that it ran."""
    started = read_started(directory)
    if attempt.pid is not None or started is None:
        return attempt
    await _record_start(journal, attempt, started, AttemptStarted(attempt.stage, started.pid))
    return _current(journal)


async def _record_live(journal: Journal, attempt: Attempt, process: AttemptProcess, event: EventBody) -> None:
    try:
        await _record_start(journal, attempt, process.started, event)
    except BaseException:
        # It is taken up anew at the next try, with a descriptor of its own.
        process.close()
        raise


async def _supervise(
    services: Services, journal: Journal, inbox: Inbox, process: AttemptProcess
) -> frozenset[int]:
    supervision = Supervision(services, journal, inbox, process)
    try:
        end = await supervision.until_ended()
    finally:
        process.close()
    attempt = replace(_current(journal), peak=supervision.peak, peak_utilization=supervision.peak_utilization)
    await journal.record(attempt=attempt)
    if end.unkillable:
        await _wait_for_unkillable(journal, end.unkillable)
    await _close_ended(journal, process.directory, end)
    return supervision.pids


async def _wait_for_unkillable(journal: Journal, pids: tuple[int, ...]) -> None:
    """Stay `stopping`, the device held, until the kernel lets go of what cannot be killed."""
    await report_unkillable(journal, pids)
    while any(running(pid) for pid in pids):  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(_UNKILLABLE_POLL_S)


async def _close_ended(journal: Journal, directory: Path, end: Exit) -> None:
    attempt = _current(journal)
    if end.error is not None:
        outcome, reason = AttemptOutcome.FAILED, Reason.SPAWN_FAILED
    else:
        ended = ProcessEnd(end.code, end.signal, end.stop_requested)
        outcome, reason = classify(ended, attempt)
    attempt = replace(attempt, outcome=outcome, reason=reason, detail=end.error)
    await _undo_needless_edit(journal, directory, attempt)
    await _close(journal, attempt, end)


async def _undo_needless_edit(journal: Journal, directory: Path, attempt: Attempt) -> None:
    """The script ended by itself just when it was to be superseded: it keeps the size that it ran with."""
    intent = attempt.intent
    if intent is None or intent.edited is None or attempt.outcome is AttemptOutcome.SUPERSEDED:
        return
    edited = intent.file or journal.run.spec.script
    snapshot = directory / (SIZE_FILE if intent.file is not None else SNAPSHOT)
    try:
        original = await asyncio.to_thread(snapshot.read_bytes)
        await asyncio.to_thread(undo_edit, edited, intent.edited, original)
    except (OSError, EditImpossibleError) as error:
        await journal.record(Warned("edit_not_undone", f"{edited} keeps its edit: {error}"))


async def _close(journal: Journal, attempt: Attempt, end: Exit | None) -> None:
    """Record the attempt's outcome, and what of it is the run's."""
    code = end.code if end is not None else None
    number = end.signal if end is not None else None
    attempt = replace(
        attempt,
        reason=attempt.reason or Reason.USER_REQUEST,
        ended_at=end.wall if end is not None and end.wall is not None else journal.now(),
        exit_code=code,
        signal=number,
        cpu_s=_cpu_s(end),
    )
    run = replace(journal.run, exit_code=_shell_code(code, number))
    log_size = end.log_size if end is not None else None
    ended = AttemptEnded(attempt.stage, attempt.outcome, attempt.reason or "", code, number, log_size)
    await journal.record(ended, run=run, attempt=attempt)
    log.info("attempt ended", run=run.id, stage=attempt.stage, number=attempt.number, outcome=attempt.outcome)


def _cpu_s(end: Exit | None) -> float | None:
    if end is None or end.user_s is None or end.system_s is None:
        return None
    return end.user_s + end.system_s


def _shell_code(code: int | None, signal: int | None) -> int | None:
    """As a shell reports it: 128 + n for signal n; None where it is unknown."""
    return 128 + signal if signal is not None else code


def _current(journal: Journal) -> Attempt:
    attempt = journal.attempt
    if attempt is None:
        raise RuntimeError(f"run {journal.run.id} has no attempt")
    return attempt
