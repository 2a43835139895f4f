"""Rules on the batch size: large enough for the kind of data, and found at all. Pure."""

from collections.abc import Iterator

from supervisor.domain.review import Kind
from supervisor.source.locate import Answer, External, Located, Missing, Uncertain
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.possible import possible_values

LEAST = {Kind.IMAGE: 128, Kind.TABULAR: 4096, Kind.TEXT: 64}
_MOST = {Kind.TEXT: 128}
_RANGES = {Kind.IMAGE: "128 or more", Kind.TABULAR: "4096 or more", Kind.TEXT: "64 to 128"}
_ACCUMULATION = frozenset(
    {"gradient_accumulation_steps", "accumulate_grad_batches", "accumulation_steps", "accum_steps"}
)


def judge_batch_size(facts: Facts, located: Answer) -> Iterator[Finding]:
    """The size against the kind's range; without a kind no size is judged, and without a certain size none.

    `batch-size-small` is an error: a tenth of the GPU at work is a run that ends after its time.
    Text that gathers gradients over steps is only warned of: such a script has chosen small steps knowingly.
    """
    if isinstance(located, Uncertain | Missing | External):
        yield from _unclear(facts, located)
    elif facts.kind is None:
        yield from _of_no_kind(facts, located)
    elif located.value < LEAST[facts.kind]:
        yield _small(facts, located, facts.kind)
    elif located.value > _MOST.get(facts.kind, located.value):
        yield _large(located, facts.kind)


def _small(facts: Facts, located: Located, kind: Kind) -> Finding:
    gathers = kind is Kind.TEXT and _accumulates(facts)
    return Finding(
        rule="batch-size-small",
        severity=Severity.WARNING if gathers else Severity.ERROR,
        line=_line(located),
        found=f"batch size {located.value}" + (", with gradients gathered over steps" if gathers else ""),
        expected=f"{_RANGES[kind]} for {kind}",
        fix=f"{_set_it(located, LEAST[kind])}; double it while under half of the GPU's memory is in use",
        why="a small batch leaves most of the GPU idle and the folds unfinished when the time is over",
    )


def _large(located: Located, kind: Kind) -> Finding:
    return Finding(
        rule="batch-size-large",
        severity=Severity.WARNING,
        line=_line(located),
        found=f"batch size {located.value}",
        expected=f"{_RANGES[kind]} for {kind}",
        fix=f"{_set_it(located, _MOST[kind])}, or keep it if the memory bears it",
        why="the memory of text grows with the longest sequence of a batch, so a large one may run out late",
    )


def _unclear(facts: Facts, located: Uncertain | Missing | External) -> Iterator[Finding]:
    """A size that cannot be found can neither be judged nor corrected while the run goes on."""
    if not facts.trains:
        return
    yield Finding(
        rule="batch-size-unclear",
        severity=Severity.INFO,
        line=located.candidates[0].line if isinstance(located, Uncertain) and located.candidates else None,
        found=(located.why if isinstance(located, External) else located.reason)
        .partition(";")[0]
        .removesuffix("."),
        expected="one number that the training loader is given",
        fix="keep the size in one constant such as BATCH_SIZE = 128 and give that to the training DataLoader",
        why="a size that is not certain is not corrected when it leaves the GPU unused",
    )


def _of_no_kind(facts: Facts, located: Located) -> Iterator[Finding]:
    """The range depends on the kind, so without one the size is only named."""
    if not facts.trains:
        return
    yield Finding(
        rule="kind-unknown",
        severity=Severity.INFO,
        line=_line(located),
        found=f"batch size {located.value}, and no clear sign of images, tables or text",
        expected="; ".join(f"{kind}: {text}" for kind, text in _RANGES.items()),
        fix="say the kind: image, tabular or text",
        why="how large a batch should be depends on what it is made of",
    )


def _line(located: Located) -> int | None:
    return located.places[0].line if located.places else None


def _set_it(located: Located, size: int) -> str:
    if located.argument is not None:
        return f"pass {located.argument.flag} {size}"
    return f"set {located.places[0].name} to {size}"


def _accumulates(facts: Facts) -> bool:
    """Whether something that is named so may be more than 1."""
    for site in facts.found.sites:
        if site.name.lower() in _ACCUMULATION and site.value is not None:
            values = possible_values(facts, site.value, site.place)
            if values is None or values != {1}:
                return True
    keywords = (item for calls in facts.found.calls.values() for call, _ in calls for item in call.keywords)
    return any(item.arg in _ACCUMULATION for item in keywords)
