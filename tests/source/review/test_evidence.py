"""Mixed precision, printed lines and saving: any sign is enough, and missing evidence only warns."""

import pytest

from supervisor.source.review import Severity
from tests.source.review.scripts import GOOD, judged, only, rules, without


def test_a_good_script_has_no_findings() -> None:
    found = judged(GOOD)
    assert (found.passed, found.findings, found.batch_size) == (True, (), 128)


PRECISE = without("torch.autocast", put="if True:")


@pytest.mark.parametrize(
    "sign",
    [
        "scaler = torch.cuda.amp.GradScaler()",
        "x = Trainer(precision='16-mixed')",
        "x = TrainingArguments(fp16=True)",
        "x = TrainingArguments(bf16=supported())",
        "x = Accelerator(mixed_precision='bf16')",
        "mixed_precision = 'fp16'",
        "cfg = {'use_amp': True}",
        "model = model.to(dtype=torch.bfloat16)",
        "model = model.half()",
        "with torch.autocast('cuda', enabled=cuda): pass",
        "cast = partial(torch.autocast, 'cuda')",
        "model = model.to(torch.bfloat16)",
        "kind = torch.float16",
        "learn = learn.to_fp16()",
        "model, optimizer = apex.amp.initialize(model, optimizer)",
        "accelerator = Accelerator()",
        "parser = HfArgumentParser(TrainingArguments)",
        "args = TrainingArguments('out', **settings)",
        "keras.mixed_precision.set_global_policy('mixed_float16')",
        "os.environ['TF_ENABLE_AUTO_MIXED_PRECISION'] = '1'",
    ],
)
def test_each_sign_of_mixed_precision_is_enough(sign: str) -> None:
    assert "mixed-precision-missing" in rules(judged(PRECISE))
    assert "mixed-precision-missing" not in rules(judged(f"{PRECISE}\n{sign}\n"))


@pytest.mark.parametrize(
    "sign",
    [
        "x = Trainer(precision=32)",
        "x = TrainingArguments(fp16=False)",
        "torch.autocast('cuda', enabled=False)",
        "keras.mixed_precision.set_global_policy('float32')",
    ],
)
def test_mixed_precision_that_is_switched_off_is_named_with_its_line(sign: str) -> None:
    finding = only(judged(f"{PRECISE}\n{sign}\n"), "mixed-precision-missing")
    assert finding.severity is Severity.WARNING
    assert finding.line == PRECISE.count("\n") + 2
    assert finding.found == "mixed precision switched off"


def test_mixed_precision_by_the_command_line_is_enough() -> None:
    assert "mixed-precision-missing" in rules(judged(PRECISE, args=["--epochs", "3"]))
    assert "mixed-precision-missing" not in rules(judged(PRECISE, args=["--fp16"]))


@pytest.mark.parametrize(
    "sign",
    [
        "import numpy as np\nx = np.float16",
        "from torch import autocast",
        "precision = tp / (tp + fp)",
        "from sklearn.metrics import precision_score\nprecision_score(y, z)",
        "print('fp16 autocast')",
    ],
)
def test_what_only_sounds_like_mixed_precision_is_none(sign: str) -> None:
    assert "mixed-precision-missing" in rules(judged(f"{PRECISE}\n{sign}\n"))


@pytest.mark.parametrize(
    "hint",
    ["trainer = Engine(save_every=100)", "fit(path=config.save_path)", "best = trainer.checkpoint_callback"],
)
def test_a_name_that_speaks_of_saving_is_enough(hint: str) -> None:
    source = without("torch.save", put="pass")
    assert "models-unsaved" in rules(judged(source))
    assert "models-unsaved" not in rules(judged(f"{source}\n{hint}\n"))


def test_trees_need_no_mixed_precision() -> None:
    assert "mixed-precision-missing" not in rules(judged("import lightgbm\n"))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("RESOURCES:", "prints-resources"),
        ("GPU Memory Used", "prints-memory"),
        ("Fold {fold}", "prints-progress"),
    ],
)
def test_each_line_that_is_not_printed_is_warned_of(line: str, rule: str) -> None:
    found = judged(without(line, put="pass"))
    assert rules(found) == [rule]
    assert found.findings[0].severity is Severity.WARNING
    assert found.passed


@pytest.mark.parametrize(
    "line",
    [
        'print("GPU Memory Used:", used, "GB /", total, "GB")',
        'print("GPU Memory Used: %.1f GB / %.1f GB (%.1f%%)" % (a, b, c))',
        'print("GPU Memory Used: {:.1f} GB / {:.1f} GB ({:.1%})".format(a, b, c))',
        'logger.info("GPU Memory Used: %.1f GB", used)',
        'line = f"GPU Memory Used: {used:.1f} GB"',
        'print(f"[{now}] gpu memory used: {used} GiB of {total} GiB")',
        'print("""first\nGPU Memory Used: {} GB""".format(a))',
    ],
)
def test_a_line_is_known_however_it_is_put_together(line: str) -> None:
    assert rules(judged(without("GPU Memory Used", put="pass") + line + "\n")) == []


def test_a_line_that_stands_only_in_a_docstring_or_a_comment_is_not_printed() -> None:
    source = '"""GPU Memory Used: 1 GB"""\n# GPU Memory Used: 1 GB\n' + without("GPU Memory Used", put="pass")
    assert rules(judged(source)) == ["prints-memory"]


@pytest.mark.parametrize("shown", ["tqdm(loader)", "model.fit(x, y)", "Trainer(model).train()"])
def test_libraries_that_show_progress_by_themselves_are_enough(shown: str) -> None:
    assert rules(judged(without("Fold {fold}", put=shown))) == []


HANDLER = without("signal.signal(", put="pass")


def test_no_handler_of_sigterm_is_warned_of() -> None:
    found = judged(HANDLER)
    assert rules(found) == ["partial-models-unsaved"]
    assert found.findings[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    "handled",
    [
        "from signal import SIGTERM, signal as on\non(SIGTERM, save)",
        "loop.add_signal_handler(signal.SIGTERM, save)",
        "for sig in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(sig, save)",
    ],
)
def test_each_way_to_handle_sigterm_is_known(handled: str) -> None:
    assert rules(judged(f"{HANDLER}\n{handled}\n")) == []


@pytest.mark.parametrize(
    "ending",
    [
        "except KeyboardInterrupt:\n    torch.save(m, 'p')",
        "except (KeyboardInterrupt, ValueError):\n    save_partial(m)",
        "except:\n    torch.save(m, 'p')",
        "finally:\n    torch.save(m, 'p')",
    ],
)
def test_an_ending_that_sigterm_does_not_reach_is_told_with_the_missing_line(ending: str) -> None:
    found = judged(f"{HANDLER}\ntry:\n    train()\n{ending}\n")
    finding = only(found, "sigterm-not-caught")
    assert (rules(found), finding.severity) == (["sigterm-not-caught"], Severity.INFO)
    assert finding.line is not None


@pytest.mark.parametrize("ending", ["except ValueError:\n    torch.save(m, 'p')", "finally:\n    close()"])
def test_an_ending_of_another_purpose_is_none(ending: str) -> None:
    assert rules(judged(f"{HANDLER}\ntry:\n    train()\n{ending}\n")) == ["partial-models-unsaved"]


def test_a_script_that_saves_nothing_is_warned_of() -> None:
    assert rules(judged(without("torch.save", put="pass"))) == ["models-unsaved"]


def test_a_script_that_trains_with_nothing_known_is_told_and_not_warned() -> None:
    found = judged("print('hello')\n")
    assert {finding.severity for finding in found.findings} == {Severity.INFO}
