"""The review of a training script before its launch: findings, each with its reason and its fix."""

from supervisor.domain.review import Kind
from supervisor.source.review.finding import Finding, Machine, Review, Severity, as_dict, finding_as_dict
from supervisor.source.review.here import review_file, review_here, this_machine
from supervisor.source.review.lines import Lines
from supervisor.source.review.reviewer import review
from supervisor.source.review.rules import RULES
from supervisor.source.review.sarif import SARIF, as_sarif

__all__ = [
    "RULES",
    "SARIF",
    "Finding",
    "Kind",
    "Lines",
    "Machine",
    "Review",
    "Severity",
    "as_dict",
    "as_sarif",
    "finding_as_dict",
    "review",
    "review_file",
    "review_here",
    "this_machine",
]
