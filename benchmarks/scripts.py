"""How well the batch size is found in real training scripts: answers compared with labels made by reading.

`python -m benchmarks.scripts INDEX [--markdown] [--only right,refused,wrong]`. INDEX is a file of JSON, one
script a line: `repo`, `commit`, `path`, `file` (where the script lies), `args`, `form`, `note`, and `truth`:

- `{"status": "found", "lines": […], "value": n}`,
- `{"status": "external", "keys": […]}`; with `"format": "python"` it is a name of another module, of which
  only the last key is compared,
- `{"status": "argument", "value": n}` where `args` set it,
- `{"status": "none"}` where nothing in the script names a batch size,
- `{"status": "uncertain"}` where a careful engineer would not change one number either.

The scripts themselves are no part of this project.
"""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TypedDict

from supervisor.source.answer import Answer, External, Located, Missing, Uncertain
from supervisor.source.locate import locate_batch_size

_OUTCOMES = ("right", "refused", "wrong")


class Truth(TypedDict, total=False):
    """What a careful engineer would change to double the batch size of the run."""

    status: str
    lines: list[int]
    value: int
    keys: list[str]
    format: str
    flag: str


class Script(TypedDict):
    """One line of the index."""

    repo: str
    commit: str
    path: str
    file: str
    args: list[str]
    form: str
    truth: Truth
    note: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kind` is right, refused or wrong. Of a refusal, `named`: the true line is among the candidates.

    Of a wrong answer, `harmful`: it would have changed something that it must not.
    """

    script: Script
    kind: str
    detail: str
    seconds: float
    named: bool = False
    harmful: bool = False


def main() -> None:
    """Measure the scripts of one index and print the table and the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/scripts-measured.md")
    parser.add_argument("--only", default=",".join(_OUTCOMES), help="the outcomes to list, with commas")
    options = parser.parse_args()
    scripts: list[Script] = [
        json.loads(line) for line in options.index.read_text("utf-8").splitlines() if line
    ]
    outcomes = [_measure(script) for script in scripts]
    listed = [outcome for outcome in outcomes if outcome.kind in options.only.split(",")]
    for line in _markdown(listed) if options.markdown else _plain(listed):
        print(line)
    for line in ("", *_forms(outcomes, markdown=options.markdown), "", *_shares(outcomes)):
        print(line)


def _measure(script: Script) -> Outcome:
    source = Path(script["file"]).read_bytes()
    began = perf_counter()
    answer = locate_batch_size(source, script["args"])
    seconds = perf_counter() - began
    truth = script["truth"]
    if isinstance(answer, Uncertain):
        lines = {candidate.line for candidate in answer.candidates}
        if truth["status"] == "uncertain":
            return Outcome(script, "right", "a refusal, rightly", seconds)
        named = bool(lines & set(truth.get("lines", [])))
        return Outcome(script, "refused", f"names {_listed(sorted(lines))}", seconds, named=named)
    if _is_right(answer, truth, source):
        return Outcome(script, "right", _said(answer), seconds)
    return Outcome(script, "wrong", _said(answer), seconds, harmful=not isinstance(answer, Missing))


def _is_right(answer: Answer, truth: Truth, source: bytes) -> bool:
    if isinstance(answer, Missing):
        return truth["status"] == "none"
    if isinstance(answer, External):
        return truth["status"] == "external" and _same_keys(answer.keys, truth)
    if not isinstance(answer, Located):
        return False
    if answer.argument is not None:
        return truth["status"] == "argument" and truth["value"] == answer.value
    # The bytes and not only the lines: the span must lie on the line that is named.
    spans = all(
        source[: place.start].count(b"\n") + 1 == place.line and place.end > place.start
        for place in answer.places
    )
    lines = sorted({place.line for place in answer.places})
    return spans and lines == sorted(truth.get("lines", [])) and answer.value == truth["value"]


def _same_keys(keys: tuple[str, ...], truth: Truth) -> bool:
    wanted = tuple(truth["keys"])
    return keys[-1:] == wanted[-1:] if truth.get("format") == "python" else keys == wanted


def _said(answer: Answer) -> str:
    if isinstance(answer, External):
        return f"elsewhere: {answer.path or 'an argument'} {'.'.join(answer.keys)}"
    if isinstance(answer, Located):
        if answer.argument is not None:
            return f"the argument {answer.argument.flag}"
        return f"{answer.value} on {_listed([place.line for place in answer.places])}"
    return "no batch size"


def _listed(lines: list[int]) -> str:
    return "line " + ", ".join(map(str, lines)) if lines else "no line"


def _plain(outcomes: list[Outcome]) -> list[str]:
    rows = []
    for outcome in outcomes:
        script, truth = outcome.script, outcome.script["truth"]
        wanted = f"{truth['value']} on {_listed(truth['lines'])}" if "lines" in truth else truth["status"]
        if "keys" in truth:
            wanted += f" {'.'.join(truth['keys'])}"
        rows.append(f"{_kind(outcome):<22} {script['form']:<18} {script['repo']} {script['path']}")
        if outcome.kind != "right":
            rows.append(f"    said: {outcome.detail}; true: {wanted}; {script['note']}")
    return rows


def _markdown(outcomes: list[Outcome]) -> list[str]:
    rows = ["| repository | path | commit | form | outcome |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        script = outcome.script
        cells = (script["repo"], script["path"], script["commit"][:10], script["form"], _kind(outcome))
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _forms(outcomes: list[Outcome], *, markdown: bool) -> list[str]:
    """One row for each form, the most frequent first."""
    forms = Counter(outcome.script["form"] for outcome in outcomes)
    kinds = Counter((outcome.script["form"], outcome.kind) for outcome in outcomes)
    rows: list[tuple[str, ...]] = [("form", "scripts", *_OUTCOMES)]
    for form, count in forms.most_common():
        rows.append((form, str(count), *(str(kinds[form, kind] or "") for kind in _OUTCOMES)))
    if not markdown:
        return [f"{row[0]:<24}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|---|---|---|---|---|", *lines[1:]]


def _kind(outcome: Outcome) -> str:
    if outcome.kind == "refused":
        return "refused, named" if outcome.named else "refused, not named"
    if outcome.kind == "wrong":
        return "wrong edit" if outcome.harmful else "wrong, no edit"
    return outcome.kind


def _shares(outcomes: list[Outcome]) -> list[str]:
    count = len(outcomes) or 1
    kinds = Counter(outcome.kind for outcome in outcomes)
    rows = [f"{kind}: {kinds[kind]} of {len(outcomes)} ({kinds[kind] / count:.1%})" for kind in _OUTCOMES]
    rows[1] += f", the true place named in {sum(outcome.named for outcome in outcomes)}"
    rows[2] += f", a wrong edit in {sum(outcome.harmful for outcome in outcomes)}"
    times = sorted(outcome.seconds for outcome in outcomes)
    if times:
        rows.append(
            f"time a script: median {times[len(times) // 2] * 1e3:.0f} ms, most {times[-1] * 1e3:.0f} ms"
        )
    return rows


if __name__ == "__main__":
    main()
