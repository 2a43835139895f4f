"""Rules on training DataLoaders: workers, prefetching, persistent workers, pinned memory. Pure.

Each DataLoader that is not for evaluation is judged by itself, and the arguments of the Hugging Face
Trainer likewise. A value that cannot be followed to what is written in the script is not judged.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.source.forms import Place, purpose_within
from supervisor.source.names import Purpose
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.possible import Value, Values, possible_argument
from supervisor.source.values import identifiers, keyword

_TRAINER_ARGUMENTS = ("TrainingArguments", "Seq2SeqTrainingArguments", "SFTConfig", "DPOConfig")
_FEW, _MANY = 8, 12
_PREFETCH = (3, 4)
_PREFETCH_BY_DEFAULT = 2
_SHM_A_LOADER = 256 * 2**20
_MOST_LOADERS = 50


@dataclass(frozen=True, slots=True)
class _Loader:
    """One call to judge: how its options are called, and what stands in each."""

    facts: Facts
    call: ast.Call
    place: Place
    name: str
    prefix: str = ""

    def option(self, name: str, *, position: int | None, default: Value) -> tuple[Values | None, int]:
        return possible_argument(
            self.facts, self.call, self.place, self.prefix + name, position=position, default=default
        )


def judge_loaders(facts: Facts) -> Iterator[Finding]:
    """Every training loader of a script that uses PyTorch."""
    if not facts.on_torch:
        return
    loaders = list(_training_loaders(facts))
    for loader in loaders[:_MOST_LOADERS]:
        workers, line = loader.option("num_workers", position=None if loader.prefix else 5, default=0)
        yield from _workers(loader, workers, line)
        yield from _without_workers(loader, workers)
        yield from _prefetch(loader)
        yield from _persistent(loader)
        yield from _pinned(loader)
    yield from _shared_memory(facts, loaders)


def _workers(loader: _Loader, values: Values | None, line: int) -> Iterator[Finding]:
    """8 to 12 workers, or as many as there are cores: fewer starve the GPU, more fight for the cores."""
    cores = loader.facts.machine.cores
    low, high = min(_FEW, cores), max(min(_MANY, cores), 1)
    numbers = _numbers(values)
    if not numbers:
        return
    expected = f"{low} to {high}" if low < high else f"{high}, the cores there are"
    fix = f"pass {loader.prefix}num_workers={high if cores < _MANY else 10}"
    if max(numbers) < low:
        why = "data that is loaded while the GPU waits is what most idle GPUs wait for"
        yield _finding(
            "loader-workers-few",
            line,
            loader,
            found=f"num_workers={max(numbers)}",
            expected=expected,
            fix=fix,
            why=why,
        )
    elif min(numbers) > high:
        why = "workers beyond the cores take time from each other, and each holds its own copy of the dataset"
        yield _finding(
            "loader-workers-many",
            line,
            loader,
            found=f"num_workers={min(numbers)}",
            expected=expected,
            fix=fix,
            why=why,
        )


def _without_workers(loader: _Loader, workers: Values | None) -> Iterator[Finding]:
    """PyTorch raises ValueError for options of workers where there are none: the run ends at once."""
    if workers != frozenset({0}) or loader.prefix:
        return
    prefetch, line = loader.option("prefetch_factor", position=None, default=None)
    persistent, other_line = loader.option("persistent_workers", position=None, default=False)
    given = None
    if prefetch and None not in prefetch:
        given = "prefetch_factor"
    elif persistent == frozenset({True}):
        given, line = "persistent_workers", other_line
    if given is None:
        return
    yield Finding(
        rule="loader-options-without-workers",
        severity=Severity.ERROR,
        line=line,
        found=f"{given} with num_workers=0 in {loader.name}",
        expected="workers for the options of workers",
        fix=f"pass num_workers={max(min(10, loader.facts.machine.cores), 1)}",
        why="PyTorch refuses such a DataLoader with a ValueError, and the run ends there",
    )


def _prefetch(loader: _Loader) -> Iterator[Finding]:
    """3 or 4 batches ahead: the default of 2 runs dry at each slow file, more only fills memory."""
    values, line = loader.option("prefetch_factor", position=None, default=None)
    numbers = _numbers(frozenset({_PREFETCH_BY_DEFAULT}) if values == frozenset({None}) else values)
    if not numbers or any(number in _PREFETCH for number in numbers):
        return
    shown = "no prefetch_factor" if values == frozenset({None}) else f"prefetch_factor={max(numbers)}"
    why = "batches that wait ready keep the GPU busy over a slow read; many more of them only fill memory"
    fix = f"pass {loader.prefix}prefetch_factor=4"
    yield _finding("loader-prefetch", line, loader, found=shown, expected="3 to 4", fix=fix, why=why)


def _persistent(loader: _Loader) -> Iterator[Finding]:
    """Workers that stay: else each epoch begins with starting them and importing everything again."""
    values, line = loader.option("persistent_workers", position=None, default=False)
    if values is None or any(values):
        return
    why = "without it all workers end and start again at each epoch, while the GPU waits"
    fix = f"pass {loader.prefix}persistent_workers=True"
    yield _finding(
        "loader-persistent", line, loader, found="no persistent_workers", expected="True", fix=fix, why=why
    )


def _pinned(loader: _Loader) -> Iterator[Finding]:
    """Pinned memory: copies to the GPU run beside the computing only from there."""
    values, line = loader.option(
        "pin_memory", position=None if loader.prefix else 7, default=bool(loader.prefix)
    )
    if values is None or any(values):
        return
    why = "only from pinned memory does a copy to the GPU run beside the computing"
    fix = f"pass {loader.prefix}pin_memory=True, and move batches with non_blocking=True"
    yield _finding(
        "loader-pin-memory", line, loader, found="no pin_memory", expected="True", fix=fix, why=why
    )


def _shared_memory(facts: Facts, loaders: list[_Loader]) -> Iterator[Finding]:
    """Workers hand batches over in /dev/shm: a container's 64 MiB end the run with a bus error."""
    shm = facts.machine.shm_bytes
    if shm is None or shm >= _SHM_A_LOADER:
        return
    for loader in loaders:
        workers, line = loader.option("num_workers", position=None if loader.prefix else 5, default=0)
        if workers and all(workers):
            found = f"workers, and {shm / 2**20:.0f} MiB of /dev/shm"
            why = "workers hand batches over in shared memory, and end with a bus error when it is full"
            fix = "start the container with a larger one, such as --shm-size=8g"
            yield _finding(
                "shared-memory-small", line, loader, found=found, expected="256 MiB or more", fix=fix, why=why
            )
            return


def _training_loaders(facts: Facts) -> Iterator[_Loader]:
    for call, place in facts.calls("DataLoader"):
        dataset = call.args[0] if call.args else keyword(call, "dataset")
        if purpose_within(place, identifiers(dataset)) is not Purpose.EVALUATION:
            yield _Loader(facts, call, place, f"DataLoader on line {call.lineno}")
    for name in _TRAINER_ARGUMENTS:
        for call, place in facts.calls(name):
            yield _Loader(facts, call, place, f"{name} on line {call.lineno}", "dataloader_")


def _numbers(values: Values | None) -> list[int]:
    """The values where all of them are whole numbers, else none."""
    found = [value for value in values or () if isinstance(value, int) and not isinstance(value, bool)]
    return found if values is not None and len(found) == len(values) else []


def _finding(
    rule: str, line: int, loader: _Loader, *, found: str, expected: str, fix: str, why: str
) -> Finding:
    shown = f"{found} in {loader.name}"
    return Finding(rule, Severity.WARNING, line, shown, expected, f"{fix} to {loader.name}", why)
