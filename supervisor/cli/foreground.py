"""`traind run`: the engine in this process, one run, its output on stdout, traind's words on stderr."""

import asyncio
import secrets
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.text import Text

from supervisor.api.views import attempt_view, run_view
from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.summary import summarise
from supervisor.cli.words import describe, duration, percent, progress
from supervisor.devices.base import DeviceError
from supervisor.domain.events import Event
from supervisor.domain.run import Run, Stage
from supervisor.engine.assembly import open_engine
from supervisor.engine.devices import open_devices
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission, SubmissionError
from supervisor.logging import configure_logging
from supervisor.process.logfile import LogFollower
from supervisor.settings import Settings
from supervisor.store.faults import ForeignFileError, StoreCorruptError, StoreError
from supervisor.store.schema import SchemaTooNewError
from supervisor.store.statedir import StateDirError

_REFRESH_S = 0.5
_UNKNOWN_EXIT = 1
_STORE_ERRORS = (StoreError, StoreCorruptError, ForeignFileError, SchemaTooNewError)


def supervise(settings: Settings, body: dict[str, Any], *, quiet: bool) -> int:
    """Supervise one script to its end; its exit code. Raises `CommandError` where it cannot start."""
    configure_logging(settings.log_format, "error")
    try:
        return asyncio.run(_supervise(settings, Submission.model_validate(body), quiet=quiet))
    except ValidationError as error:
        raise CommandError(str(error.errors()[0]["msg"]), USAGE) from error
    except SubmissionError as error:
        raise CommandError(str(error), USAGE) from error
    except (*_STORE_ERRORS, StateDirError, DeviceError, ValueError) as error:
        raise CommandError(str(error)) from error


async def _supervise(settings: Settings, submission: Submission, *, quiet: bool) -> int:
    config = settings.engine_config()
    # A state directory of its own: a daemon may be using the other one.
    own = config.state_dir / "foreground" / secrets.token_hex(4)
    config = replace(config, state_dir=own)
    async with open_engine(config, open_devices(config)) as engine:
        run = await engine.submit(submission)
        display = Display(engine, run, quiet=quiet)
        stopper = Stopper(engine, run)
        with stopper:
            await display.until_ended()
        run = await engine.find(run.id)
        if not quiet:
            shown = run_view(run, config.clock.moment()).model_dump(mode="json")
            attempts = [attempt_view(item).model_dump(mode="json") for item in await engine.attempts(run.id)]
            display.console.print(f"\n{summarise(shown, attempts)}", highlight=False, soft_wrap=True)
            display.console.print(f"records: {own}", highlight=False, soft_wrap=True)
    if run.exit_code is not None and (run.exit_code or run.state != "failed"):
        return run.exit_code
    return 0 if run.state == "succeeded" else _UNKNOWN_EXIT


class Stopper:
    """Ctrl-C stops the run gracefully; a second one at once."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run
        self._tasks: set[asyncio.Task[Run]] = set()
        self._asked = 0

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._ask)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)

    def _ask(self) -> None:
        self._asked += 1
        grace_s = None if self._asked == 1 else 0.0
        self._tasks.add(asyncio.create_task(self._engine.stop(self._run, grace_s)))


class Display:
    """The script's output to stdout as it comes; events and a live line to stderr."""

    def __init__(self, engine: Engine, run: Run, *, quiet: bool) -> None:
        self._engine = engine
        self._run_id = run.id
        self._quiet = quiet
        self.console = Console(stderr=True)
        self._followers: list[tuple[LogFollower, asyncio.Task[None]]] = []

    async def until_ended(self) -> None:
        """Show the run until it has ended and its output is written."""
        if self._quiet or not self.console.is_terminal:
            await self._follow_events()
        else:
            with Live(console=self.console, refresh_per_second=4, transient=True) as live:
                ticking = asyncio.create_task(self._tick(live))
                try:
                    await self._follow_events()
                finally:
                    ticking.cancel()
                    await asyncio.gather(ticking, return_exceptions=True)
        for _, task in self._followers:
            await task

    async def _follow_events(self) -> None:
        after = 0
        while True:
            version = self._engine.hub.version(self._run_id)
            for event in await self._engine.events(self._run_id, after, 500):
                after = event.number
                await self._show(event)
                if event.type == "run_ended":
                    return
            await self._engine.hub.wait_beyond(self._run_id, version, _REFRESH_S)

    async def _show(self, event: Event) -> None:
        if event.type == "attempt_started":
            await self._open_log(Stage(event.data["stage"]), event.attempt or 1)
        elif event.type == "attempt_ended" and self._followers:
            self._followers[-1][0].finish(event.data["log_size"])
        sentence = describe(event.type, event.data, event.attempt)
        if sentence and not self._quiet:
            self.console.print(Text(f"traind: {sentence}", style="bold"), soft_wrap=True)

    async def _open_log(self, stage: Stage, number: int) -> None:
        path = self._engine.log_path(self._run_id, stage, number)
        trimmed = await self._engine.log_trimmed(self._run_id, stage, number)
        follower = LogFollower(self._engine.services.inotify, path, trimmed=trimmed)
        self._followers.append((follower, asyncio.create_task(self._copy(follower))))

    async def _copy(self, follower: LogFollower) -> None:
        async for _, chunk in follower:
            with suppress(BrokenPipeError):  # whoever read it has left; the run goes on
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
        follower.close()

    async def _tick(self, live: Live) -> None:
        while True:
            run = await self._engine.find(self._run_id)
            live.update(Text(_line(run), style="reverse"))
            await asyncio.sleep(_REFRESH_S)


def _line(run: Run) -> str:
    seen = run.observed
    share = seen.measured.fraction if seen.measured else None
    state = f"{run.state}/{run.phase}" if run.phase else str(run.state)
    shown = (
        {
            "fold": seen.progress.fold,
            "folds": seen.progress.folds,
            "epoch": seen.progress.epoch,
            "epochs": seen.progress.epochs,
            "loss": seen.progress.loss,
        }
        if seen.progress
        else None
    )
    parts = [
        f"traind {state}",
        f"batch {run.batch_size or '-'}",
        f"memory {percent(share)}",
        f"util. {percent(seen.utilization)}",
        progress(shown),
        f"ETA {duration(seen.eta_s)}",
    ]
    return "  ".join(parts)
