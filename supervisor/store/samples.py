"""Rows of samples: a run's memory and utilisation over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.domain.progress import RunSample
from supervisor.domain.report import AttemptKey, Usage, span_of
from supervisor.domain.run import Attempt
from supervisor.store.database import Connection


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One stored look. Sizes in bytes, `at` in Unix seconds, `utilization` 0 to 1."""

    at: float
    attempt: int
    used: int | None
    others: int | None
    total: int | None
    utilization: float | None


def insert_samples(connection: Connection, at: float, rows: Sequence[tuple[str, int, RunSample]]) -> None:
    """Store one look at many runs: (run id, attempt, sample)."""
    connection.executemany(
        "INSERT OR REPLACE INTO samples (run_id, at, attempt, used, others, total, utilization)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(run_id, at, attempt, *_figures(sample), sample.utilization) for run_id, attempt, sample in rows],
    )


def list_samples(
    connection: Connection, run_id: str, points: int, attempt: int | None = None
) -> list[SampleRow]:
    """At most `points` samples over the whole time of a run, or of one of its attempts.

    Of each stretch of time it is the one with the most memory.
    """
    first, last = connection.execute(
        "SELECT min(at), max(at) FROM samples WHERE run_id = ?1 AND (?2 IS NULL OR attempt = ?2)",
        (run_id, attempt),
    ).fetchone()
    if first is None:
        return []
    width = (last - first) / points or 1.0
    # With a bare max() SQLite takes the other columns from the row that holds the maximum.
    rows = connection.execute(
        "SELECT at, attempt, max(coalesce(used, -1)), used, others, total, utilization FROM samples"
        " WHERE run_id = ?1 AND (?2 IS NULL OR attempt = ?2)"
        " GROUP BY min(?3, CAST((at - ?4) / ?5 AS INTEGER)) ORDER BY at",
        (run_id, attempt, points - 1, first, width),
    ).fetchall()
    return [SampleRow(row[0], row[1], *row[3:]) for row in rows]


def attempt_usage(
    connection: Connection, run_id: str, attempts: Sequence[Attempt], now: float
) -> dict[AttemptKey, Usage]:
    """Means and peaks over every stored sample of each launched attempt; one that lives counts to `now`.

    A follow-up counts from 1 as training does, so an attempt's samples are those of its number and its time.
    """
    found: dict[AttemptKey, Usage] = {}
    for attempt in attempts:
        span = span_of(attempt, now)
        if span is not None:
            row = connection.execute(_USAGE, (run_id, attempt.number, *span)).fetchone()
            found[attempt.stage, attempt.number] = Usage(*row)
    return found


_USAGE = (
    "SELECT avg(utilization), max(utilization), max(used), max(total) FROM samples"
    " WHERE run_id = ?1 AND attempt = ?2 AND at BETWEEN ?3 AND ?4"
)


def _figures(sample: RunSample) -> tuple[int | None, int | None, int | None]:
    measured = sample.measured
    return (measured.used, measured.others, measured.total) if measured else (None, None, None)
