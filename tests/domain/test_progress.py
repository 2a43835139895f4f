"""Progress is brought up to date by what a new line says, and keeps what it leaves out."""

import pytest

from supervisor.domain.progress import Progress

AT = Progress(fold=1, folds=5, epoch=3, epochs=10, step=40, steps=100, loss=0.5)


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        (Progress(step=41), Progress(1, 5, 3, 10, 41, 100, 0.5)),
        (Progress(loss=0.4), Progress(1, 5, 3, 10, 40, 100, 0.4)),
        (Progress(epoch=3, loss=0.4), Progress(1, 5, 3, 10, 40, 100, 0.4)),
        (Progress(epoch=4), Progress(1, 5, 4, 10, None, None, 0.5)),
        (Progress(fold=2), Progress(2, 5, None, 10, None, None, None)),
        (Progress(fold=2, epoch=1, loss=0.9), Progress(2, 5, 1, 10, None, None, 0.9)),
        (Progress(folds=4), Progress(1, 4, 3, 10, 40, 100, 0.5)),
    ],
)
def test_a_new_epoch_forgets_its_steps_and_a_new_fold_its_epochs(newer: Progress, expected: Progress) -> None:
    assert AT.merged(newer) == expected
