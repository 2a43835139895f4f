"""Rows of runs, attempts, events and samples: what goes in comes out, in order and by an index."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from supervisor.domain.checkpoint import CheckpointPolicy, Verdict, VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.progress import Observed, Progress, RunSample
from supervisor.domain.reading import Attribution, MeasuredReading, ReportedReading, UnitBasis
from supervisor.domain.run import (
    Artifact,
    Attempt,
    AttemptOutcome,
    Deadline,
    FollowUp,
    Intent,
    Phase,
    Reason,
    Run,
    RunSpec,
    RunState,
    Stage,
)
from supervisor.domain.sizing import SizingKind, SizingPolicy
from supervisor.store.attempts import list_attempts, put_attempt
from supervisor.store.changes import Change, write_changes
from supervisor.store.database import Connection, Database
from supervisor.store.events import events_after, insert_events, last_number
from supervisor.store.runs import find_runs, get_run, insert_run, list_runs, unfinished_ids, update_run
from supervisor.store.samples import SampleRow, insert_samples, list_samples

MEASURED = MeasuredReading(8, 24, 1, Attribution.PROCESS_TREE)
VERDICT = Verdict(VerdictKind.UNDERUSED, "under", 5.0, measured=8, total=24, fraction=1 / 3)
FULL = Run(
    id="abc123",
    spec=RunSpec(
        script="/train é.py",
        cwd="/",
        python="/python",
        args=("--lr", "1"),
        env={"A": "ü"},
        name="mine",
        device="gpu-0",
        checkpoint=CheckpointPolicy(after_s=5),
        sizing=SizingPolicy(policy=SizingKind.OFF, max_batch_size=512),
        follow_up=FollowUp("/predict.py", ("-v",)),
        budget_s=600.0,
        reserve_s=60.0,
        artifacts=(Artifact("/submission.csv", "/sample.csv"), Artifact("/model.pt")),
    ),
    created_at=1.5,
    state=RunState.RUNNING,
    phase=Phase.RELAUNCHING,
    reason=Reason.USER_REQUEST,
    attempt=2,
    batch_size=128,
    observed=Observed(ReportedReading(8, 24, 0.3, UnitBasis.DECIMAL), MEASURED, 24, 0.5, Progress(1, 5), 9.0),
    verdict=VERDICT,
    deadline=Deadline(700.0, "boot", 601.5),
)


def run(name: str, at: float = 1.0, **changes: Any) -> Run:
    return replace(Run(name, RunSpec("/t.py", "/", "/python"), created_at=at), **changes)


def named(name: str, at: float, called: str) -> Run:
    plain = run(name, at)
    return replace(plain, spec=replace(plain.spec, name=called))


async def filled(database: Database, *runs: Run) -> None:
    def work(connection: Connection) -> None:
        for each in runs:
            insert_run(connection, each)

    await database.write(work)


async def test_a_run_comes_back_as_it_was(database: Database) -> None:
    await filled(database, FULL)

    assert await database.read(lambda c: get_run(c, "abc123")) == FULL
    assert await database.read(lambda c: get_run(c, "abc")) is None

    ended = replace(FULL, state=RunState.FAILED, ended_at=9.0, exit_code=137)
    await database.write(lambda c: update_run(c, ended))
    assert await database.read(lambda c: get_run(c, "abc123")) == ended


async def test_a_figure_that_is_no_number_is_stored_as_standard_json(database: Database) -> None:
    diverged = replace(FULL, observed=Observed(progress=Progress(loss=float("nan"))))
    await filled(database, diverged)
    text = await database.read(lambda c: c.execute("SELECT body FROM runs").fetchone()[0])

    json.loads(text, parse_constant=pytest.fail)
    found = await database.read(lambda c: get_run(c, "abc123"))
    assert found is not None
    assert found.observed.progress == Progress()


async def test_a_field_that_this_version_does_not_know_is_left_out(database: Database) -> None:
    await filled(database, FULL)
    await database.write(
        lambda c: c.execute("UPDATE runs SET body = json_set(body, '$.later', 1) ").fetchall()
    )

    assert await database.read(lambda c: get_run(c, "abc123")) == FULL


async def test_a_run_of_a_version_without_budgets_has_none(database: Database) -> None:
    await filled(database, FULL)
    fields = "'$.deadline', '$.spec.budget_s', '$.spec.reserve_s', '$.spec.artifacts'"
    await database.write(
        lambda c: c.execute(f"UPDATE runs SET body = json_remove(body, {fields})").fetchall()  # noqa: S608
    )

    spec = replace(FULL.spec, budget_s=None, reserve_s=0.0, artifacts=())
    assert await database.read(lambda c: get_run(c, FULL.id)) == replace(FULL, spec=spec, deadline=None)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("latest", ["cc01"]),
        ("aa01", ["aa01"]),
        ("net", ["bb02"]),
        ("c", ["cc01"]),
        ("aa", ["aa01", "aa02"]),
        ("bb01", ["bb01"]),
        ("zz", []),
        ("", []),
        ("%", []),
    ],
)
async def test_a_reference_is_an_id_a_name_or_the_beginning_of_an_id(
    database: Database, reference: str, expected: list[str]
) -> None:
    await filled(
        database,
        run("aa01", 1),
        run("aa02", 2),
        named("bb01", 3, "net"),
        named("bb02", 4, "net"),
        run("cc01", 5),
    )

    assert await database.read(lambda c: find_runs(c, reference)) == expected


async def test_no_run_is_the_latest_of_none(database: Database) -> None:
    assert await database.read(lambda c: find_runs(c, "latest")) == []


async def test_lists_go_newest_first_page_by_page_even_within_one_moment(database: Database) -> None:
    await filled(database, *(run(f"r{number}", at=number // 3) for number in range(10)))
    seen: list[str] = []
    before = None
    while page := await database.read(lambda c, before=before: list_runs(c, None, 4, before)):  # type: ignore[misc]
        seen += [each.id for each in page]
        before = (page[-1].created_at, page[-1].id)

    assert seen == [f"r{number}" for number in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]


async def test_lists_by_state_merge_the_states_in_order(database: Database) -> None:
    states = [RunState.FAILED, RunState.RUNNING, RunState.SUCCEEDED, RunState.RUNNING, RunState.FAILED]
    await filled(database, *(run(f"r{n}", n, state=state) for n, state in enumerate(states)))

    async def listed(*wanted: RunState, limit: int = 10) -> list[str]:
        found = await database.read(lambda c: list_runs(c, wanted, limit))
        return [each.id for each in found]

    assert await listed(RunState.FAILED, RunState.RUNNING) == ["r4", "r3", "r1", "r0"]
    assert await listed(RunState.FAILED, RunState.RUNNING, limit=3) == ["r4", "r3", "r1"]
    assert await listed(RunState.STOPPED) == []
    assert await database.read(unfinished_ids) == ["r1", "r3"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT body FROM runs WHERE (created_at, id) < (1, '') ORDER BY created_at DESC, id DESC LIMIT 5",
        "SELECT body FROM runs WHERE state = 'running' AND (created_at, id) < (1, '')"
        " ORDER BY created_at DESC, id DESC LIMIT 5",
        "SELECT id FROM runs WHERE name = 'x' ORDER BY created_at DESC LIMIT 1",
        "SELECT id FROM runs WHERE id >= 'a' AND id < 'b' ORDER BY id LIMIT 20",
        "SELECT number FROM events WHERE run_id = 'a' AND number > 5 ORDER BY number LIMIT 9",
        "SELECT max(number) FROM events WHERE run_id = 'a'",
        "SELECT min(at), max(at) FROM samples WHERE run_id = 'a'",
    ],
)
async def test_every_query_is_answered_from_an_index_in_its_order(database: Database, query: str) -> None:
    plan = await database.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    text = " ".join(row[3] for row in plan)

    assert "USING" in text
    assert "TEMP B-TREE" not in text
    assert text.startswith("SEARCH")


async def test_attempts_come_back_in_the_order_in_which_they_began(database: Database) -> None:
    first = Attempt(Stage.TRAINING, 1, 64, ("-x",), verdict=VERDICT, intent=Intent(Reason.USER_REQUEST, 5.0))
    second = Attempt(Stage.TRAINING, 2, 128, ())
    last = Attempt(Stage.FOLLOW_UP, 1, None, ())
    await filled(database, FULL)

    def work(connection: Connection) -> list[Attempt]:
        for attempt in (first, second, last, replace(first, outcome=AttemptOutcome.SUPERSEDED)):
            put_attempt(connection, FULL.id, attempt)
        return list_attempts(connection, FULL.id)

    assert await database.write(work) == [replace(first, outcome=AttemptOutcome.SUPERSEDED), second, last]


async def test_events_come_back_beyond_a_number_and_no_more_than_asked(database: Database) -> None:
    events = [Event(number, 1.0, "progress", 1, {"loss": 0.5}) for number in (1, 2, 3, 104, 105)]
    await filled(database, FULL)
    await database.write(lambda c: insert_events(c, FULL.id, events))

    async def beyond(after: int, limit: int) -> list[int]:
        found = await database.read(lambda c: events_after(c, FULL.id, after, limit))
        return [event.number for event in found]

    assert await beyond(0, 10) == [1, 2, 3, 104, 105]
    assert await beyond(3, 1) == [104]
    assert await beyond(105, 10) == []
    assert await database.read(lambda c: last_number(c, FULL.id)) == 105
    assert await database.read(lambda c: last_number(c, "other")) == 0


async def test_an_event_s_figures_that_are_no_numbers_become_null(database: Database) -> None:
    data = {"loss": float("nan"), "deep": [{"x": float("inf")}, 1.5], "text": "NaN", "none": None}
    await filled(database, FULL)
    await database.write(lambda c: insert_events(c, FULL.id, [Event(1, 1.0, "progress", None, data)]))
    found = await database.read(lambda c: events_after(c, FULL.id, 0, 5))

    assert found[0].data == {"loss": None, "deep": [{"x": None}, 1.5], "text": "NaN", "none": None}


async def test_changes_written_together_keep_every_event_and_the_last_state(database: Database) -> None:
    attempt = Attempt(Stage.TRAINING, 1, 64, ())
    await filled(database, FULL)
    changes = [
        Change(replace(FULL, exit_code=n), replace(attempt, log_offset=n), (Event(n, 1.0, "x", 1, {}),))
        for n in (1, 2, 3)
    ]
    await database.write(lambda c: write_changes(c, [*changes, Change(FULL, None, ())]))

    assert await database.read(lambda c: get_run(c, FULL.id)) == FULL
    assert await database.read(lambda c: list_attempts(c, FULL.id)) == [replace(attempt, log_offset=3)]
    assert await database.read(lambda c: last_number(c, FULL.id)) == 3


def sample(used: int | None) -> RunSample:
    measured = None if used is None else MeasuredReading(used, 100, 5, Attribution.PROCESS_TREE)
    return RunSample(0.0, measured, 0.5)


async def test_samples_are_thinned_to_the_highest_of_each_stretch(database: Database) -> None:
    await filled(database, FULL)

    def work(connection: Connection) -> None:
        for at in range(100):
            used = {55: 99, 20: None}.get(at, at % 10)
            insert_samples(connection, float(at), [(FULL.id, 1, sample(used))])

    await database.write(work)
    read: Callable[[int], Any] = lambda points: database.read(lambda c: list_samples(c, FULL.id, points))  # noqa: E731
    thinned, everything = await read(10), await read(1000)

    assert len(thinned) == 10
    assert thinned[5] == SampleRow(55.0, 1, 99, 5, 100, 0.5)
    assert [row.at for row in thinned] == sorted(row.at for row in thinned)
    assert len(everything) == 100
    assert everything[20].used is None
    assert len(await read(1)) == 1


async def test_one_sample_and_none_are_lists_too(database: Database) -> None:
    await filled(database, FULL)
    assert await database.read(lambda c: list_samples(c, FULL.id, 10)) == []
    await database.write(lambda c: insert_samples(c, 3.0, [(FULL.id, 1, sample(7))]))
    assert len(await database.read(lambda c: list_samples(c, FULL.id, 10))) == 1


async def test_a_run_s_rows_go_with_it(database: Database) -> None:
    await filled(database, FULL)
    await database.write(lambda c: insert_samples(c, 3.0, [(FULL.id, 1, sample(7))]))
    await database.write(lambda c: c.execute("DELETE FROM runs").fetchall())

    assert await database.read(lambda c: c.execute("SELECT count(*) FROM samples").fetchone()) == (0,)
