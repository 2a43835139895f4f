"""Where a daemon can be made to die: before and after each step between an intent and its record.

A point names a function where the daemon looks it up. The list is the daemon's own order of steps.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """`place` is `module:name` or `module:Class.name`; `after` dies when the call has returned."""

    place: str
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.place.removeprefix('supervisor.')}"


_STEPS = (
    "supervisor.engine.committer:Committer.commit",  # every record that is acted on
    "supervisor.engine.committer:Committer.flush",  # what is told before it is stored
    "supervisor.store.changes:update_run",  # inside the store's transaction
    "supervisor.engine.carrying:_prepare",  # the attempt's directory
    "supervisor.process.attempt:AttemptProcess.launch",
    "supervisor.process.attempt:write_record",  # spec.json and stop.json
    "supervisor.process.spawn:_posix_spawn",  # the shim lives, nobody has heard of it
    "supervisor.process.attempt:AttemptProcess.adopt",
    "supervisor.engine.trimming:_punch_and_close",  # the head of a log that is on record as trimmed
    "supervisor.engine.rebuilding:write_record",  # run.json
    "supervisor.engine.superseding:apply_edit",
    "supervisor.source.file:_write",  # the new script lies beside the old one
    "supervisor.source.file:_still_expected",
    "supervisor.engine.conductor:apply_edit",  # the rollback after memory ran out
    "supervisor.engine.carrying:undo_edit",
    "supervisor.process.attempt:AttemptProcess.stop",
    "supervisor.engine.carrying:read_out",  # the log of an attempt that ended unwatched
    "supervisor.engine.conductor:check_artifacts",
    "supervisor.engine.sampler:Sampler.wait_released",
    "supervisor.engine.engine:Engine.submit",  # stored and not answered
    "supervisor.engine.engine:Engine.stop",
    "supervisor.engine.engine:Engine.relaunch",
    "supervisor.engine.engine:Engine.recover",
)

POINTS = tuple(Point(place, after) for place in _STEPS for after in (False, True))
