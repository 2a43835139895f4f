"""What nobody answers: found where it runs whenever the script does, and nowhere else."""

import pytest

from supervisor.source.review import Severity
from tests.source.review.scripts import judged, only, rules


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = int(input('folds? '))\n", "input()"),
        ("def main():\n    breakpoint()\nif __name__ == '__main__':\n    main()\n", "breakpoint()"),
        ("import pdb\nfor epoch in range(3):\n    pdb.set_trace()\n", "pdb.set_trace()"),
        ("import pdb as p; p.set_trace()\n", "pdb.set_trace()"),
        ("from ipdb import set_trace\nset_trace()\n", "ipdb.set_trace()"),
        ("from getpass import getpass as ask\nask()\n", "getpass.getpass()"),
        ("import nltk\nnltk.download()\n", "nltk.download()"),
    ],
)
def test_a_question_is_found_however_it_is_called(source: str, said: str) -> None:
    finding = only(judged(source), "waits-for-input")
    assert finding.found == f"{said} in a run without a keyboard"
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "source",
    [
        "if args.debug:\n    breakpoint()\n",
        "try:\n    x = input()\nexcept EOFError:\n    x = ''\n",
        "def ask():\n    return input()\n",
        "def input(): ...\ninput()\n",
        "def forward(input):\n    return input()\nforward(f)\n",
        "from mine import input\ninput()\n",
        "x = args.fold or input()\n",
        "x = input() if asked else 1\n",
        "ask = lambda: input()\n",
        "self.input(1)\n",
        "tracer.set_trace()\n",
        "import nltk\nnltk.download('punkt')\n",
        "class Layer:\n    input = None\n    def go(self):\n        return self.input()\nLayer().go()\n",
    ],
)
def test_what_may_not_run_or_only_sounds_like_a_question_is_left_alone(source: str) -> None:
    assert "waits-for-input" not in rules(judged(source))


PYPLOT = "import matplotlib\nimport matplotlib.pyplot as plt\nimport os, cv2\n"


@pytest.mark.parametrize(
    "shown", ["plt.show()", "from matplotlib import pyplot\npyplot.show()", "cv2.waitKey(0)", "cv2.waitKey()"]
)
def test_a_window_that_waits_is_found(shown: str) -> None:
    assert "window-shown" in rules(judged(f"{PYPLOT}{shown}\n"))


@pytest.mark.parametrize(
    "shown",
    [
        "matplotlib.use('Agg')\nplt.show()",
        "plt.switch_backend('agg')\nplt.show()",
        "os.environ['MPLBACKEND'] = 'agg'\nplt.show()",
        "plt.ion()\nplt.show()",
        "plt.show(block=False)",
        "cv2.waitKey(1)",
        "summary.show()",
        "if args.show:\n    plt.show()",
    ],
)
def test_a_window_that_does_not_wait_is_none(shown: str) -> None:
    assert "window-shown" not in rules(judged(f"{PYPLOT}{shown}\n"))


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("import wandb\nwandb.init()\n", True),
        ("import wandb\nwandb.login()\n", True),
        ("import wandb as w\nw.init(project='p', config=c)\n", True),
        ("from huggingface_hub import login\nlogin()\n", True),
        ("from huggingface_hub import login\nlogin(token=key)\n", False),
        ("from huggingface_hub import login\nlogin('hf_x')\n", False),
        ("import wandb\nwandb.init(mode=args.mode)\n", False),
        ("import wandb\nwandb.init(**options)\n", False),
        ("import wandb\nif args.wandb:\n    wandb.init()\n", False),
        ("import wandb, os\nos.environ['WANDB_MODE'] = 'offline'\nwandb.init()\n", False),
        ("import wandb\nwandb.login(key=key)\nwandb.init()\n", False),
        ("import wandb\nmodel.init()\n", False),
        ("from mine import login\nlogin()\n", False),
    ],
)
def test_a_login_is_told_where_no_key_is_in_sight(source: str, *, asked: bool) -> None:
    found = judged(source)
    assert ("login-asked" in rules(found)) is asked
    assert all(item.severity is Severity.INFO for item in found.findings if item.rule == "login-asked")


@pytest.mark.parametrize(
    ("value", "severity"),
    [("'1'", Severity.WARNING), ("''", Severity.WARNING), ("'-1'", Severity.WARNING), ("'0'", Severity.INFO)],
)
def test_a_gpu_that_the_script_chooses_is_found(value: str, severity: Severity) -> None:
    source = f"import os\nos.environ['CUDA_VISIBLE_DEVICES'] = {value}\n"
    finding = only(judged(source), "device-overridden")
    assert (finding.severity, finding.line, finding.column) == (severity, 2, 38)


@pytest.mark.parametrize(
    "line",
    [
        "os.environ['CUDA_VISIBLE_DEVICES'] = args.gpu",
        "if args.cpu:\n    os.environ['CUDA_VISIBLE_DEVICES'] = ''",
        "os.environ['CUDA_DEVICE_ORDER'] = '1'  # CUDA_VISIBLE_DEVICES",
        "settings['CUDA_VISIBLE_DEVICES'] = '1'",
    ],
)
def test_a_gpu_that_may_be_the_runs_own_is_left_alone(line: str) -> None:
    assert "device-overridden" not in rules(judged(f"import os\n{line}\n"))
