"""Every form beside every trap: what is not the training batch size changes no answer."""

import pytest

from tests.source.table import test_arithmetic, test_bindings, test_options, test_training, test_uses
from tests.source.table.rows import assert_found

# Each stands before or after a script, and has sizes in it that are not that of training.
BEFORE = {
    "comment": "# BATCH_SIZE = 7\n# train_loader = DataLoader(ds, batch_size=7)\n",
    "docstring": '"""BATCH_SIZE = 7\nDataLoader(ds, batch_size=7)\n"""\n',
    "string": 'usage = "BATCH_SIZE = 7"\n',
    "evaluation constant": "VAL_BATCH_SIZE = 7\nEVAL_BS = 7\ntest_batch_size = 7\n",
    "dead branch": "if False:\n    BATCH_SIZE = 7\n    train_loader = DataLoader(ds, batch_size=7)\n",
    "evaluation class": "class EvalConfig:\n    batch_size = 7\n",
    "evaluation function": "def evaluate(model, rows, batch_size=7):\n"
    "    return DataLoader(rows, batch_size=batch_size)\n",
    "counter": "num_batches = 7\nbatch_idx = 7\nbatch_first = True\n",
}
AFTER = {
    "evaluation loader": "zz_val_loader = DataLoader(zz_val, batch_size=7)\n",
    "evaluation dict": "zz_cfg = {'val': {'batch_size': 7}, 'test': {'bs': 7}}\n",
    "evaluation option": "zz.add_argument('--zz-eval-batch-size', default=7)\n",
    "evaluation trainer": "zz = ZZArgs(per_device_eval_batch_size=7)\n",
    "prediction": "zz_p = zz_model.predict(zz_x, batch_size=7)\n",
    "counting": "def zz_count(x):\n    bs = x.size(0)\n    return bs\n",
    "dead branch": "if 0:\n    batch_size = 7\n",
}
FORMS = {
    **{f"uses: {name}": row for name, row in {**test_uses.TORCH, **test_uses.OTHERS}.items()},
    **{f"bindings: {name}": row for name, row in test_bindings.ROWS.items()},
    **{f"options: {name}": row for name, row in test_options.ROWS.items()},
    **{f"arithmetic: {name}": row for name, (row, _) in test_arithmetic.ROWS.items()},
    **{f"training: {name}": row for name, row in test_training.TOLD.items()},
}


@pytest.mark.parametrize("marked", FORMS.values(), ids=FORMS.keys())
def test_no_trap_before_a_form_changes_its_answer(marked: str) -> None:
    for trap in BEFORE.values():
        assert_found(trap + marked, 64)


@pytest.mark.parametrize("marked", FORMS.values(), ids=FORMS.keys())
def test_no_trap_after_a_form_changes_its_answer(marked: str) -> None:
    for trap in AFTER.values():
        assert_found(marked + trap, 64)


@pytest.mark.parametrize("marked", FORMS.values(), ids=FORMS.keys())
def test_all_traps_together_change_no_answer(marked: str) -> None:
    assert_found("".join(BEFORE.values()) + marked + "".join(AFTER.values()), 64)


@pytest.mark.parametrize("marked", FORMS.values(), ids=FORMS.keys())
def test_a_form_with_other_line_ends_is_the_same_form(marked: str) -> None:
    assert_found(marked.replace("\n", "\r\n"), 64)
