"""`shared-memory-small`: /dev/shm holds what the workers hand over. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="shared-memory-small",
    severity=Severity.WARNING,
    summary="little shared memory for the workers",
    looks_for="a training loader with workers where `/dev/shm` has under 32 MiB for each of them",
    fix="start the container with a larger one, such as --shm-size=8g",
    why="workers hand batches over in shared memory, and end with a bus error when it is full",
)
_MIB = 2**20
_A_WORKER = 32 * _MIB


def check(facts: Facts) -> Iterator[Finding]:
    """The machine's memory against the fewest workers that a loader may have; told once."""
    shm = facts.machine.shm_bytes
    if shm is None:
        return
    for loader in training_loaders(facts):
        workers = loader.workers()
        fewest = min(workers.numbers, default=0)
        if fewest * _A_WORKER > shm:
            yield RULE.finding(
                facts,
                workers.at,
                found=f"num_workers={fewest}, and {shm / _MIB:.0f} MiB of /dev/shm here, in {loader.name}",
                expected=f"{fewest * _A_WORKER // _MIB} MiB or more",
            )
            return
