"""Brings back the script that a run began with, and the file beside it that held the batch size.

It solves the end of a run that left its edits behind. What the run itself launched is kept in its
attempts' directories, so replacing that loses nothing; anything else is somebody's newer work and stays,
unless the caller insists.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor.domain.run import Attempt, Run, SizeFile, Stage
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.submission import SubmissionError, check_roots
from supervisor.source.file import ScriptError, read_script, replace_script
from supervisor.store.statedir import SIZE_FILE, SNAPSHOT, StateDir


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: `digest` is the SHA-256 of the script as it is now, `why` a sentence.

    `size_file` is the file beside the script that held the batch size and is restored with it.
    """

    script: str
    restored: bool
    digest: str
    why: str
    size_file: str | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file of attempt 1: where it belongs, what it held, and where that is kept."""

    path: Path
    original: bytes
    snapshot: Path


def restore_script(
    run: Run,
    attempts: Sequence[Attempt],
    state_dir: StateDir,
    *,
    force: bool,
    allowed_roots: tuple[Path, ...] = (),
) -> Restored:
    """Put what attempt 1 ran back in its place, or raise `RequestRefusedError` with nothing touched.

    Should the second of two files not be written, the first is back already, and another call does the rest.
    """
    directory = state_dir.attempt_dir(run.id, Stage.TRAINING, 1)
    kept = [_kept(Path(run.spec.script), directory / SNAPSHOT, run)]
    beside = _edited_beside(attempts)
    if beside is not None:
        kept.append(_kept(Path(beside.path), directory / SIZE_FILE, run))
    changes: list[tuple[_Kept, str]] = []
    for item in kept:
        changed = _changed_digest(item, run, attempts, state_dir, force=force, allowed_roots=allowed_roots)
        if changed is not None:
            changes.append((item, changed))
    for item, changed in changes:
        with _told(item):
            replace_script(item.path, changed, item.original)
    named = " and ".join(str(item.path) for item in ([item for item, _ in changes] or kept))
    plural = len(changes or kept) > 1
    why = f"{named} {'are' if plural else 'is'} {'again ' if changes else ''}what attempt 1 ran"
    return Restored(
        str(kept[0].path),
        restored=bool(changes),
        digest=_digest(kept[0].original),
        why=why if changes else f"{why} already",
        size_file=beside.path if beside is not None else None,
    )


def _edited_beside(attempts: Sequence[Attempt]) -> SizeFile | None:
    """The file beside the script that attempt 1 read its size from, if this run has changed it."""
    training = [attempt for attempt in attempts if attempt.stage is Stage.TRAINING]
    first = training[0].size_file if training and training[0].number == 1 else None
    if first is None:
        return None
    edited = any(item.intent is not None and item.intent.file == first.path for item in training)
    return first if edited or any(item.size_file not in {None, first} for item in training) else None


def _changed_digest(
    item: _Kept,
    run: Run,
    attempts: Sequence[Attempt],
    state_dir: StateDir,
    *,
    force: bool,
    allowed_roots: tuple[Path, ...],
) -> str | None:
    """The digest of what is to be replaced, None where nothing is; raises `RequestRefusedError`."""
    digest = _digest(item.original)
    with _told(item):
        check_roots((item.path,), allowed_roots)
        found = read_script(item.path)
    if found.digest == digest:
        return None
    if not force and found.digest not in _of_this_run(digest, item.snapshot.name, run, attempts, state_dir):
        raise _changed(
            f"{item.path} is neither what run {run.id} began with nor what it was changed to: "
            f"keep it, or send force=true to have it replaced by {item.snapshot}"
        )
    return found.digest


@contextmanager
def _told(item: _Kept) -> Iterator[None]:
    try:
        yield
    except (ScriptError, SubmissionError) as error:
        raise _changed(f"{error}; what attempt 1 ran is kept in {item.snapshot}") from error


def _of_this_run(
    original: str, kept_as: str, run: Run, attempts: Sequence[Attempt], state_dir: StateDir
) -> set[str]:
    """Digests of what this run launched, and of what an edit made of that."""
    known = {original}
    for attempt in attempts:
        if attempt.stage is not Stage.TRAINING:
            continue
        snapshot = state_dir.attempt_dir(run.id, attempt.stage, attempt.number) / kept_as
        if snapshot.is_file():
            known.add(_digest(snapshot.read_bytes()))
        if attempt.intent is not None and attempt.intent.edited is not None:
            before, after = attempt.intent.edited
            # An edit of somebody's newer text holds their work as well.
            if before in known:
                known.add(after)
    return known


def _kept(path: Path, snapshot: Path, run: Run) -> _Kept:
    return _Kept(path, _original(snapshot, run), snapshot)


def _original(snapshot: Path, run: Run) -> bytes:
    try:
        return snapshot.read_bytes()
    except OSError as error:
        raise RequestRefusedError(
            "snapshot_missing",
            f"what run {run.id} began with is not kept ({snapshot}: {error.strerror}); "
            "restore it from your own copy",
        ) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _changed(text: str) -> RequestRefusedError:
    return RequestRefusedError("script_changed", text)
