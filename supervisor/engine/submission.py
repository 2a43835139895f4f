"""A submission as a caller sends it, checked against this machine and filled in to a `RunSpec`.

Everything that can be told before a launch is told here, in one sentence, with nothing half done.
"""

import ast
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from supervisor.domain.budget import reserve_of, shortest_budget
from supervisor.domain.checkpoint import CheckpointPolicy
from supervisor.domain.review import Kind, ReviewMode
from supervisor.domain.run import Artifact, FollowUp, RunSpec
from supervisor.domain.sizing import SizePlace, SizingEdit, SizingKind, SizingPolicy
from supervisor.engine.artifacts import UnreadableError, check_sample
from supervisor.engine.config import EngineConfig
from supervisor.engine.roots import outside
from supervisor.engine.script import candidates_of
from supervisor.source.chosen import choose
from supervisor.source.file import ScriptError, read_script
from supervisor.source.notebook import notebook_told, read_notebook

_COMPILE_TIMEOUT_S = 10.0
# Compiles what it is given without running it: the interpreter's own word on whether it is Python.
_COMPILE = "import sys; compile(sys.stdin.buffer.read(), sys.argv[1], 'exec')"

Text = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]


def _number(value: object) -> object:
    """JSON tells numbers from strings and booleans, and so does the schema."""
    if isinstance(value, bool | str):
        raise ValueError("send a JSON number")  # noqa: TRY004 - pydantic's way of refusing a value
    return value


Number = BeforeValidator(_number)  # stands behind the bounds, or they are lost to the schema
Fraction = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), Number]
Seconds = Annotated[float, Field(ge=0, le=30 * 86400, allow_inf_nan=False), Number]
BatchSize = Annotated[int, Field(ge=1, le=2**31 - 1, examples=[256]), Number]
P = TypeVar("P")


class SubmissionError(Exception):
    """A submission that cannot be taken. `code` is stable; the message says what to send instead.

    `findings` are those of a review that failed, `candidates` where a batch size may stand, as plain dicts.
    """

    def __init__(
        self,
        code: str,
        message: str,
        findings: Sequence[dict[str, Any]] = (),
        candidates: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.findings = list(findings)
        self.candidates = list(candidates)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckpointOptions(_Strict):
    """What differs from the daemon's own checkpoint settings. Times in seconds, fractions from 0 to 1."""

    after_s: Seconds | None = None
    min_fraction: Fraction | None = None
    max_fraction: Fraction | None = None
    tolerance: Fraction | None = None
    retry_s: Annotated[float, Field(ge=0.05, le=3600), Number] | None = None
    max_wait_s: Seconds | None = None
    window_s: Annotated[float, Field(gt=0, le=300), Number] | None = None
    settle_s: Annotated[float, Field(gt=0, le=300), Number] | None = None


class SizingOptions(_Strict):
    """What differs from the daemon's own sizing settings."""

    policy: Literal["double", "off"] | None = None
    max_relaunches: Annotated[int, Field(ge=0, le=32), Number] | None = None
    max_batch_size: BatchSize | None = None
    max_fraction: Fraction | None = None
    target_fraction: Fraction | None = None
    edit: Literal["file", "args"] | None = None


class FollowUpOptions(_Strict):
    """The script that runs after training, by the same interpreter in the same directory."""

    script: Text
    args: tuple[Text, ...] = Field(default=(), max_length=512)


class ArtifactOptions(_Strict):
    """A file that the run must leave behind; `like` is a sample with its header and number of rows."""

    path: Text = Field(min_length=1, examples=["submission.csv"])
    like: Annotated[Text, Field(min_length=1)] | None = None


class Submission(_Strict):
    """A run as it is asked for. `script` is an absolute path, or relative to `cwd`.

    `batch_size_at` is the script's line that holds the batch size, for a script where that is not certain.
    """

    script: Text = Field(min_length=1, examples=["/data/train.py"])
    args: tuple[Text, ...] = Field(default=(), max_length=512)
    cwd: Text | None = None
    env: dict[Annotated[str, Field(pattern=r"^[^=\x00]+$")], Text] = Field(
        default_factory=dict, max_length=512, json_schema_extra={"additionalProperties": False}
    )
    python: Text | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    devices: tuple[Text, ...] = Field(default=(), max_length=1)
    checkpoint: CheckpointOptions = CheckpointOptions()
    sizing: SizingOptions = SizingOptions()
    grace_s: Seconds | None = None
    follow_up: FollowUpOptions | None = None
    kind: Kind | None = None
    review: ReviewMode = ReviewMode.WARN
    budget_s: Annotated[float, Field(gt=0, le=30 * 86400, allow_inf_nan=False), Number] | None = None
    reserve_s: Seconds | None = None
    artifacts: tuple[ArtifactOptions, ...] = Field(default=(), max_length=32)
    batch_size_at: Annotated[int, Field(ge=1, le=10**7, examples=[12]), Number] | None = None


def resolve(submission: Submission, config: EngineConfig) -> RunSpec:
    """The run that this submission means here. Reads the script; raises `SubmissionError`."""
    script = script_path(submission.script, submission.cwd)
    cwd = Path(submission.cwd) if submission.cwd is not None else script.parent
    # Before anything is looked at: what lies outside is not even told to be there.
    check_roots((script, cwd), config.allowed_roots)
    # A directory that was not named is the script's own, and the script is looked at below.
    named = submission.cwd is not None
    if named and not (cwd.is_absolute() and os.path.isdir(cwd)):  # noqa: PTH112 - pathlib's raises for long names
        raise SubmissionError("cwd_not_found", f"there is no directory {cwd}; send an absolute path as cwd")
    env = dict(submission.env)
    python = _interpreter(submission.python or config.python, cwd, env)
    text = _check_script(script, python)
    follow_up = None
    if submission.follow_up is not None:
        # It need not exist yet: agents write it while training runs.
        path = cwd / submission.follow_up.script
        check_roots((path,), config.allowed_roots)
        follow_up = FollowUp(str(path), submission.follow_up.args)
    grace_s = config.grace_s if submission.grace_s is None else submission.grace_s
    _check_budget(submission, grace_s)
    return RunSpec(
        script=str(script),
        cwd=str(cwd),
        python=python,
        args=submission.args,
        env=env,
        name=submission.name,
        device=submission.devices[0] if submission.devices else None,
        checkpoint=_checkpoint(submission.checkpoint, config.checkpoint),
        sizing=_sizing(submission.sizing, config.sizing),
        grace_s=grace_s,
        follow_up=follow_up,
        kind=submission.kind,
        review=submission.review,
        budget_s=submission.budget_s,
        reserve_s=reserve_of(
            submission.budget_s, submission.reserve_s, follow_up=submission.follow_up is not None
        ),
        artifacts=tuple(_artifact(wanted, cwd, config.allowed_roots) for wanted in submission.artifacts),
        batch_size_at=_chosen(text, submission.batch_size_at),
    )


def _checkpoint(options: CheckpointOptions, default: CheckpointPolicy) -> CheckpointPolicy:
    policy = _overlay(default, options.model_dump(exclude_none=True))
    if policy.min_fraction >= policy.max_fraction:
        low, high = policy.min_fraction, policy.max_fraction
        message = f"checkpoint.min_fraction ({low:g}) must lie below checkpoint.max_fraction ({high:g})"
        raise SubmissionError("contradictory", f"{message}; send both, in this order")
    return policy


def _sizing(options: SizingOptions, default: SizingPolicy) -> SizingPolicy:
    changes = options.model_dump(exclude_none=True)
    if "policy" in changes:
        changes["policy"] = SizingKind(changes["policy"])
    if "edit" in changes:
        changes["edit"] = SizingEdit(changes["edit"])
    policy = _overlay(default, changes)
    if policy.target_fraction > policy.max_fraction:
        target, most = policy.target_fraction, policy.max_fraction
        message = f"sizing.target_fraction ({target:g}) must not exceed sizing.max_fraction ({most:g})"
        raise SubmissionError("contradictory", f"{message}; send both, in this order")
    return policy


def _check_budget(submission: Submission, grace_s: float) -> None:
    follow_up = submission.follow_up is not None
    shortest = shortest_budget(grace_s, submission.reserve_s, follow_up=follow_up)
    budget_s = submission.budget_s
    if budget_s is None or budget_s > shortest:
        return
    reserve_s = reserve_of(budget_s, submission.reserve_s, follow_up=follow_up)
    message = (
        f"a budget_s of {budget_s:g} leaves no time for training: reserve_s ({reserve_s:g}) and "
        f"grace_s ({grace_s:g}) come off it; send a budget_s of more than {shortest:.6g}, or less of these"
    )
    raise SubmissionError("budget_too_short", message)


def _artifact(wanted: ArtifactOptions, cwd: Path, roots: tuple[Path, ...]) -> Artifact:
    """The artifact by absolute paths. The file need not exist yet; the sample must."""
    path = cwd / wanted.path
    check_roots((path,), roots)
    if wanted.like is None:
        return Artifact(str(path))
    like = cwd / wanted.like
    check_roots((like,), roots)
    try:
        check_sample(like)
    except UnreadableError as error:
        message = f"the sample {like} {error}; send as like a CSV file that exists, or leave it out"
        raise SubmissionError("sample_not_readable", message) from error
    return Artifact(str(path), str(like))


def script_path(script: str, cwd: str | None) -> Path:
    """The absolute path of a script as it was named; raises `SubmissionError`."""
    path = Path(script)
    if path.is_absolute():
        return path
    if cwd is None or not Path(cwd).is_absolute():
        message = f"script {script!r} is relative: send an absolute path, or an absolute cwd with it"
        raise SubmissionError("script_not_absolute", message)
    return Path(cwd) / path


def _interpreter(python: str, cwd: Path, env: dict[str, str]) -> str:
    """The absolute path of the interpreter: a path is taken as it is, a name is looked up."""
    if os.sep in python:
        path = Path(python) if Path(python).is_absolute() else cwd / python
        found = str(path) if os.access(path, os.X_OK) and path.is_file() else None
    else:
        found = shutil.which(python, path=env.get("PATH"))
    if found is None:
        message = (
            f"there is no interpreter {python}; send python as an absolute path, such as /venv/bin/python"
        )
        raise SubmissionError("python_not_found", message)
    return found


def _chosen(script: bytes, line: int | None) -> SizePlace | None:
    if line is None:
        return None
    found = choose(script, line)
    if isinstance(found, SizePlace):
        return found
    message = f"batch_size_at {line}: {found.reason.rstrip('.')}"
    raise SubmissionError("batch_size_not_there", message, candidates=candidates_of(found.candidates))


def _check_script(path: Path, python: str) -> bytes:
    """The script's bytes; raises `SubmissionError` for what no interpreter would run."""
    try:
        script = read_script(path)
    except ScriptError as error:
        raise SubmissionError("script_not_readable", str(error)) from error
    notebook = read_notebook(script.data)
    if notebook is not None:
        message = f"{notebook_told(path, notebook)}; then submit the script"
        raise SubmissionError("script_not_python", message)
    try:
        ast.parse(script.data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Another version of Python may well accept it: the run's own interpreter decides.
        _compile_with(python, path, script.data)
    return script.data


def _compile_with(python: str, path: Path, data: bytes) -> None:
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _COMPILE, str(path)],
            input=data,
            capture_output=True,
            timeout=_COMPILE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode == 0:
        return
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    where = next((line.strip() for line in reversed(lines) if ", line " in line), "")
    what = lines[-1] if lines else f"exit code {done.returncode}"
    place = f" at line {where.rsplit('line ', 1)[-1]}" if where else ""
    message = f"{path} is not a Python script for {python}: {what}{place}; mend it and submit again"
    raise SubmissionError("script_not_python", message)


def check_roots(paths: tuple[Path, ...], roots: tuple[Path, ...]) -> None:
    """Raise `SubmissionError` for a path outside the allowed roots, symlinks resolved."""
    for path in paths:
        if outside(path, roots):
            allowed = ", ".join(map(str, roots))
            raise SubmissionError(
                "outside_allowed_roots", f"{path} lies outside the allowed roots: {allowed}"
            )


def _overlay(policy: P, changes: dict[str, Any]) -> P:
    known = {field.name for field in fields(policy)}  # type: ignore[arg-type] # P is one of our dataclasses
    return replace(policy, **{name: value for name, value in changes.items() if name in known})  # type: ignore[type-var] # likewise
