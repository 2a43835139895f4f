"""The review of a script at its submission: an event of the run, or a refusal where that was asked for.

A review must not cost a submission anything else: one that takes too long or fails is left out, and logged.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from supervisor.domain.events import ScriptReviewed
from supervisor.domain.review import Kind, ReviewMode
from supervisor.domain.run import RunSpec
from supervisor.engine.config import EngineConfig
from supervisor.engine.submission import SubmissionError, check_roots, script_path
from supervisor.source.file import ScriptError
from supervisor.source.review import Finding, Review, Severity, finding_as_dict, review_file

# A script of 10,000 lines takes 0.3 s; a submission is answered in under a second. Who has the review
# enforced waits for it, should the machine be that busy.
_TIMEOUT_S = {ReviewMode.WARN: 0.6, ReviewMode.ENFORCE: 5.0}
_MOST_FINDINGS = 50
_MOST_NAMED = 3

log = structlog.get_logger(__name__)


async def review_submission(spec: RunSpec) -> ScriptReviewed | None:
    """What the review of the run's script found, None where it found nothing or could not be made.

    Raises `SubmissionError` with the code `review_rejected` for a script that fails where that is enforced.
    """
    if spec.review is ReviewMode.OFF:
        return None
    review = await _reviewed(spec)
    if review is None:
        return None
    errors = [finding for finding in review.findings if _fails(finding)]
    if errors and spec.review is ReviewMode.ENFORCE:
        raise _rejection(spec, errors)
    told = [finding for finding in review.findings if finding.severity is not Severity.INFO]
    if not told:
        return None
    shown = [finding_as_dict(finding) for finding in told[:_MOST_FINDINGS]]
    kind = str(review.kind) if review.kind is not None else None
    return ScriptReviewed(passed=not errors, kind=kind, findings=shown)


async def review_script(
    script: str, cwd: str | None, *, kind: Kind | None, args: Sequence[str], config: EngineConfig
) -> tuple[Path, Review]:
    """Review a script that is not submitted; raises `SubmissionError` where it may not or cannot be read."""
    path = script_path(script, cwd)

    def look() -> Review:
        check_roots((path,), config.allowed_roots)
        try:
            return review_file(path, kind, args)
        except ScriptError as error:
            raise SubmissionError("script_not_readable", str(error)) from error

    return path, await asyncio.to_thread(look)


async def _reviewed(spec: RunSpec) -> Review | None:
    try:
        async with asyncio.timeout(_TIMEOUT_S[spec.review]):
            return await asyncio.to_thread(review_file, Path(spec.script), spec.kind, spec.args)
    except TimeoutError:
        log.warning("a review took too long and was left out", script=spec.script)
    except Exception:
        log.exception("a review failed and was left out", script=spec.script)
    return None


def _fails(finding: Finding) -> bool:
    # The run's own interpreter has accepted the script already, whatever ours makes of it.
    return finding.severity is Severity.ERROR and finding.rule != "not-parsed"


def _rejection(spec: RunSpec, errors: list[Finding]) -> SubmissionError:
    named = "; ".join(
        f"{item.rule}{f' on line {item.line}' if item.line else ''}: {item.found}, expected {item.expected}, "
        f"so {item.fix}"
        for item in errors[:_MOST_NAMED]
    )
    more = f"; and {len(errors) - _MOST_NAMED} more" if len(errors) > _MOST_NAMED else ""
    message = f"{spec.script} fails its review: {named}{more}; mend it, or submit with review set to warn"
    return SubmissionError(
        "review_rejected", message, [finding_as_dict(item) for item in errors[:_MOST_FINDINGS]]
    )
