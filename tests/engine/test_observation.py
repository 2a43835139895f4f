"""What of a script's output becomes an event."""

from typing import Any

import pytest

from supervisor.domain.events import EventBody, MemoryReported, OutOfMemorySeen, ProgressReported
from supervisor.domain.progress import Observed, Progress
from supervisor.domain.reading import ReportedReading, UnitBasis
from supervisor.engine.observation import Observation
from supervisor.output.reader import OutputReader

A10 = 24 * 10**9


@pytest.fixture
def observation() -> Observation:
    return Observation(A10, Observed())


def told(observation: Observation, text: str, now: float = 0.0) -> list[EventBody]:
    return observation.take(OutputReader().feed(text.encode()).records, now)


def test_only_a_figure_higher_than_those_before_it_is_news(observation: Observation) -> None:
    events = [
        event
        for used in ("8.0", "7.0", "9.0", "9.0")
        for event in told(observation, f"GPU Memory Used: {used} GB / 24.0 GB\n")
    ]
    assert [event.used for event in events if isinstance(event, MemoryReported)] == [8 * 10**9, 9 * 10**9]
    assert observation.step_seen


def test_lines_close_together_are_one_event_and_the_picture_stays_exact(observation: Observation) -> None:
    events = [
        event
        for step in range(1, 101)
        for event in told(observation, f"Fold 1/5, Epoch 1/10, Step {step}/100, Loss: 0.5\n", step / 1000)
    ]
    steps = [event.step for event in events if isinstance(event, ProgressReported)]
    assert (len(steps), steps[0]) == (2, 1)
    assert observation.progress == Progress(1, 5, 1, 10, 100, 100, 0.5)


def test_frames_of_a_bar_are_thinned_more_than_lines(observation: Observation) -> None:
    reader = OutputReader()
    events: list[EventBody] = []
    for step in range(1, 300):
        frame = f"\rEpoch 1/10, Step {step}/300, Loss: 0.5"
        events += observation.take(reader.feed(frame.encode()).records, step / 100)
    assert 1 <= len(events) <= 3


def test_running_out_of_memory_is_told_once(observation: Observation) -> None:
    line = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"
    events = told(observation, line) + told(observation, line)
    assert [type(event) for event in events] == [OutOfMemorySeen]
    assert observation.out_of_memory


def test_the_script_s_word_on_its_set_up_is_kept_as_far_as_it_was_said(observation: Observation) -> None:
    events = told(observation, "DataLoader: num_workers=10, prefetch_factor=4, persistent_workers=True\n")
    settings: Any = events[0]
    assert settings.settings["num_workers"] == 10
    assert None not in settings.settings.values()


def test_a_daemon_that_comes_later_goes_on_from_what_was_read() -> None:
    before = Observed(ReportedReading(8, 24, 0.3, UnitBasis.DECIMAL), progress=Progress(fold=2, folds=5))
    observation = Observation(A10, before, out_of_memory=True)
    assert observation.step_seen
    assert told(observation, "Epoch 3/10\n")
    assert observation.progress == Progress(fold=2, folds=5, epoch=3, epochs=10)
    assert told(observation, "CUDA out of memory\n") == []
