"""Brings back the script that a run began with. It solves the end of a run that left its edits behind.

What the run itself launched is kept in its attempts' directories, so replacing that loses nothing;
anything else is somebody's newer work and stays, unless the caller insists.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from supervisor.domain.run import Attempt, Run, Stage
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.submission import SubmissionError, check_roots
from supervisor.source.file import ScriptError, read_script, replace_script
from supervisor.store.statedir import SNAPSHOT, StateDir


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: `digest` is the SHA-256 of the script as it is now, `why` a sentence."""

    script: str
    restored: bool
    digest: str
    why: str


def restore_script(
    run: Run,
    attempts: Sequence[Attempt],
    state_dir: StateDir,
    *,
    force: bool,
    allowed_roots: tuple[Path, ...] = (),
) -> Restored:
    """Put the script of attempt 1 back in its place, or raise `RequestRefusedError` with nothing touched."""
    path = Path(run.spec.script)
    snapshot = state_dir.attempt_dir(run.id, Stage.TRAINING, 1) / SNAPSHOT
    original = _original(snapshot, run)
    digest = _digest(original)
    try:
        check_roots((path,), allowed_roots)
        script = read_script(path)
        if script.digest == digest:
            why = f"{path} is what attempt 1 ran already"
            return Restored(str(path), restored=False, digest=digest, why=why)
        if not force and script.digest not in _of_this_run(digest, run, attempts, state_dir):
            raise _changed(
                f"{path} is neither what run {run.id} began with nor what it was changed to: "
                f"keep it, or send force=true to have it replaced by {snapshot}"
            )
        replace_script(path, script.digest, original)
    except (ScriptError, SubmissionError) as error:
        raise _changed(f"{error}; what attempt 1 ran is kept in {snapshot}") from error
    return Restored(str(path), restored=True, digest=digest, why=f"{path} is again what attempt 1 ran")


def _of_this_run(original: str, run: Run, attempts: Sequence[Attempt], state_dir: StateDir) -> set[str]:
    """Digests of what this run launched, and of what an edit made of that."""
    known = {original}
    for attempt in attempts:
        if attempt.stage is not Stage.TRAINING:
            continue
        snapshot = state_dir.attempt_dir(run.id, attempt.stage, attempt.number) / SNAPSHOT
        if snapshot.is_file():
            known.add(_digest(snapshot.read_bytes()))
        if attempt.intent is not None and attempt.intent.edited is not None:
            before, after = attempt.intent.edited
            # An edit of somebody's newer text holds their work as well.
            if before in known:
                known.add(after)
    return known


def _original(snapshot: Path, run: Run) -> bytes:
    try:
        return snapshot.read_bytes()
    except OSError as error:
        raise RequestRefusedError(
            "snapshot_missing",
            f"the script that run {run.id} began with is not kept ({snapshot}: {error.strerror}); "
            "restore it from your own copy",
        ) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _changed(text: str) -> RequestRefusedError:
    return RequestRefusedError("script_changed", text)
