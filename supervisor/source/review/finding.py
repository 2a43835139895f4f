"""What a review says: findings, and whether the script passes."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from supervisor.domain.review import Kind


class Severity(StrEnum):
    """An error fails the review: it costs the run for certain. Missing evidence is never an error."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found. `rule` is a stable id; without a line to blame all four places are None.

    Lines and columns count from 1, columns in Unicode code points; `end_column` is the one behind the last
    character, on `end_line`.
    """

    rule: str
    severity: Severity
    line: int | None
    found: str
    expected: str
    fix: str
    why: str
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that the script will run on: usable cores, and the bytes of /dev/shm, None if not known."""

    cores: int
    shm_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome. `kind` is None where it is not clear, `batch_size` where it is not certain.

    `kind_evidence` names what the kind was told from. Findings come with the errors first, then by line.
    """

    passed: bool
    kind: Kind | None
    kind_evidence: tuple[str, ...]
    findings: tuple[Finding, ...]
    batch_size: int | None = None


def as_dict(review: Review) -> dict[str, Any]:
    """The review as plain JSON values, under the names of its fields."""
    found = asdict(review)
    found["kind"] = str(review.kind) if review.kind is not None else None
    found["kind_evidence"] = list(review.kind_evidence)
    found["findings"] = [finding_as_dict(finding) for finding in review.findings]
    return found


def finding_as_dict(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values."""
    return {**asdict(finding), "severity": str(finding.severity)}


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings with the errors first, then the warnings; within each by line."""
    ranks = list(Severity)
    return tuple(
        sorted(
            findings,
            key=lambda item: (ranks.index(item.severity), item.line or 0, item.column or 0, item.rule),
        )
    )
