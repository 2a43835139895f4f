"""The script between two attempts: the edit planned, made, and undone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.engine.script import (
    EditImpossibleError,
    Launched,
    ScriptChangedSinceLaunchError,
    Subject,
    apply_edit,
    kept_size,
    plan_edit,
    size_of,
    undo_edit,
)
from supervisor.source.file import read_script

Write = Callable[..., Path]


def test_a_plan_touches_nothing_and_making_it_twice_is_making_it_once(script: Write) -> None:
    path = script("BATCH_SIZE = 64\n")
    plan = plan_edit(Subject(str(path), ()), 128, launched=Launched(read_script(path).digest))
    assert path.read_text() == "BATCH_SIZE = 64\n"
    apply_edit(plan)
    apply_edit(plan)
    assert path.read_text() == "BATCH_SIZE = 128\n"
    assert (plan.line, plan.old, plan.new) == (1, 64, 128)


def test_an_argument_is_changed_and_the_file_is_not(script: Write) -> None:
    path = script("import argparse\nargparse.ArgumentParser().add_argument('--batch-size', default=64)\n")
    before = path.read_bytes()
    plan = plan_edit(Subject(str(path), ("--batch-size", "32")), 64, launched=None)
    apply_edit(plan)
    assert (plan.args, plan.line, plan.old) == (("--batch-size", "64"), None, 32)
    assert path.read_bytes() == before


def test_a_script_changed_since_launch_is_not_planned_for(script: Write) -> None:
    path = script("BATCH_SIZE = 64\n")
    launched = read_script(path).digest
    path.write_text("BATCH_SIZE = 64  # mine\n")
    with pytest.raises(ScriptChangedSinceLaunchError, match="was changed since it was launched"):
        plan_edit(Subject(str(path), ()), 128, launched=Launched(launched))


def test_a_script_changed_after_the_plan_is_not_overwritten(script: Write) -> None:
    path = script("BATCH_SIZE = 64\n")
    plan = plan_edit(Subject(str(path), ()), 128, launched=None)
    path.write_text("BATCH_SIZE = 32\n")
    with pytest.raises(ScriptChangedSinceLaunchError):
        apply_edit(plan)
    assert path.read_text() == "BATCH_SIZE = 32\n"


def test_a_choice_is_refused_with_its_candidates(script: Write) -> None:
    path = script("BATCH_SIZE = 64\nbs = 32\n")
    with pytest.raises(EditImpossibleError, match="may be set in 2 places") as refused:
        plan_edit(Subject(str(path), ()), 128, launched=None)
    assert [candidate["line"] for candidate in refused.value.candidates] == [1, 2]


def test_a_missing_script_and_one_that_went_away_are_refusals(script: Write) -> None:
    path = script("BATCH_SIZE = 64\n")
    plan = plan_edit(Subject(str(path), ()), 128, launched=None)
    path.unlink()
    with pytest.raises(EditImpossibleError):
        apply_edit(plan)
    with pytest.raises(EditImpossibleError):
        plan_edit(Subject(str(path), ()), 128, launched=None)


def test_an_edit_that_came_to_nothing_is_undone_unless_somebody_wrote_since(script: Write) -> None:
    path = script("BATCH_SIZE = 64\n")
    plan = plan_edit(Subject(str(path), ()), 128, launched=None)
    apply_edit(plan)
    undo_edit(str(path), (plan.before, plan.after), b"BATCH_SIZE = 64\n")
    assert path.read_text() == "BATCH_SIZE = 64\n"

    apply_edit(plan)
    path.write_text("BATCH_SIZE = 100\n")
    with pytest.raises(EditImpossibleError):
        undo_edit(str(path), (plan.before, plan.after), b"BATCH_SIZE = 64\n")
    assert path.read_text() == "BATCH_SIZE = 100\n"


def test_the_size_of_a_script_is_none_where_it_is_not_certain(script: Write) -> None:
    for text, size in (("BATCH_SIZE = 64\n", 64), ("x = 1\n", None)):
        path = script(text)
        assert size_of(read_script(path), Subject(str(path))) == (size, None)


def test_of_what_an_attempt_keeps_the_size_is_read_from_the_file_beside(script: Write) -> None:
    text = "import json\ncfg = json.load(open('c.json'))\nDataLoader(d, batch_size=cfg['batch_size'])\n"
    kept, copy = read_script(script(text, "script.py")), script('{"batch_size": 48}', "size-file")
    assert kept_size(kept, copy, (), None) == 48
    assert kept_size(kept, copy.with_name("none"), (), None) is None


def test_a_file_beside_that_changed_since_launch_is_not_planned_for(script: Write) -> None:
    text = "import json\ncfg = json.load(open('c.json'))\nDataLoader(d, batch_size=cfg['batch_size'])\n"
    path, config = script(text), script('{"batch_size": 48}', "c.json")
    subject = Subject(str(path), cwd=str(path.parent))
    size, size_file = size_of(read_script(path), subject)
    launched = Launched(read_script(path).digest, size_file)
    plan = plan_edit(subject, 96, launched=launched)
    assert (size, plan.path, plan.beside, plan.line) == (48, config, True, 1)
    config.write_text('{"batch_size": 48} ')
    with pytest.raises(ScriptChangedSinceLaunchError, match=r"c\.json was changed"):
        plan_edit(subject, 96, launched=launched)
    with pytest.raises(ScriptChangedSinceLaunchError):
        apply_edit(plan)
    assert config.read_text() == '{"batch_size": 48} '
