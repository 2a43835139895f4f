"""What a report asks of the store: the use of each attempt, and the newest events of some types."""

from supervisor.domain.events import Event
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import Attribution, MeasuredReading
from supervisor.domain.report import AttemptKey, Usage
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, Stage
from supervisor.store.database import Connection, Database
from supervisor.store.events import insert_events, newest_of_types
from supervisor.store.runs import insert_run
from supervisor.store.samples import attempt_usage, insert_samples, list_samples

RUN = Run("r1", RunSpec("/j/t.py", "/j", "/p"), 0.0)
FIRST = Attempt(Stage.TRAINING, 1, 64, (), AttemptOutcome.SUPERSEDED, started_at=10.0, ended_at=20.0)
SECOND = Attempt(Stage.TRAINING, 2, 128, (), AttemptOutcome.COMPLETED, started_at=22.0, ended_at=30.0)
FOLLOW_UP = Attempt(Stage.FOLLOW_UP, 1, None, (), started_at=31.0)


def look(at: float, attempt: int, used: int | None, busy: float | None) -> tuple[float, int, RunSample]:
    measured = None if used is None else MeasuredReading(used, 100, 5, Attribution.PROCESS_TREE)
    return at, attempt, RunSample(0.0, measured, busy)


async def stored(database: Database, *looks: tuple[float, int, RunSample]) -> None:
    def work(connection: Connection) -> None:
        insert_run(connection, RUN)
        for at, attempt, sample in looks:
            insert_samples(connection, at, [(RUN.id, attempt, sample)])

    await database.write(work)


async def usage(database: Database, *attempts: Attempt, now: float = 40.0) -> dict[AttemptKey, Usage]:
    return await database.read(lambda connection: attempt_usage(connection, RUN.id, attempts, now))


async def test_samples_go_to_the_attempt_of_their_number_and_time(database: Database) -> None:
    await stored(
        database,
        look(9.0, 1, 99, 1.0),  # before the launch
        look(11.0, 1, 20, 0.25),
        look(12.0, 1, 10, 0.75),
        look(21.0, 1, 99, 1.0),  # after the end
        look(25.0, 2, 60, 0.5),
        look(26.0, 1, 99, 1.0),  # another's number
        look(35.0, 1, 30, 0.0),  # the follow-up is number 1 as well
    )

    assert await usage(database, FIRST, SECOND, FOLLOW_UP) == {
        (Stage.TRAINING, 1): Usage(0.5, 0.75, 20, 100),
        (Stage.TRAINING, 2): Usage(0.5, 0.5, 60, 100),
        (Stage.FOLLOW_UP, 1): Usage(0.0, 0.0, 30, 100),
    }


async def test_the_mean_is_over_every_sample_and_not_over_the_fullest_ones(database: Database) -> None:
    looks = [
        look(10.0 + n / 10, 1, 90 if n % 10 == 0 else 10, 1.0 if n % 10 == 0 else 0.0) for n in range(100)
    ]
    await stored(database, *looks)
    found = (await usage(database, FIRST))[Stage.TRAINING, 1]
    thinned = await database.read(lambda connection: list_samples(connection, RUN.id, 10))

    assert found.mean_utilization == 0.1
    assert {row.utilization for row in thinned} == {1.0}


async def test_a_look_without_figures_counts_for_none(database: Database) -> None:
    await stored(database, look(11.0, 1, None, None), look(12.0, 1, 10, 0.5))

    assert await usage(database, FIRST) == {(Stage.TRAINING, 1): Usage(0.5, 0.5, 10, 100)}


async def test_a_live_attempt_counts_to_now_and_one_never_launched_not_at_all(database: Database) -> None:
    await stored(database, look(35.0, 1, 30, 0.5), look(50.0, 1, 99, 1.0))
    never = Attempt(Stage.TRAINING, 1, 64, (), AttemptOutcome.FAILED, ended_at=9.0)

    assert await usage(database, never, FOLLOW_UP) == {(Stage.FOLLOW_UP, 1): Usage(0.5, 0.5, 30, 100)}


async def test_an_attempt_without_samples_has_no_figures(database: Database) -> None:
    await stored(database)

    assert await usage(database, FIRST) == {(Stage.TRAINING, 1): Usage()}


async def test_the_newest_events_of_each_type_come_in_order(database: Database) -> None:
    types = ["start", "noise", "a", "a", "noise", "b", "a", "b"]
    events = [Event(number, 0.0, kind, 1, {"n": number}) for number, kind in enumerate(types, 1)]
    await stored(database)
    await database.write(lambda connection: insert_events(connection, RUN.id, events))

    async def newest(run_id: str, *wanted: str, limit: int) -> list[int]:
        found = await database.read(lambda c: newest_of_types(c, run_id, wanted, limit))
        return [event.number for event in found]

    assert await newest(RUN.id, "a", "b", "start", limit=2) == [1, 4, 6, 7, 8]
    assert await newest(RUN.id, "a", limit=9) == [3, 4, 7]
    assert await newest(RUN.id, limit=9) == []
    assert await newest("other", "a", limit=9) == []
