"""What routes ask for: the engine, the run that a path names, and the bound on held requests."""

from typing import Annotated

from fastapi import Depends, Path, Request

from supervisor.api.held import Held
from supervisor.domain.run import Run
from supervisor.engine.engine import Engine

LARGEST_INT = 2**53 - 1  # what every JSON reader keeps exactly, and the store can hold

# Coroutines although they wait for nothing: plain functions would each be sent through a thread.


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _held(request: Request) -> Held:
    held: Held = request.app.state.held
    return held


EngineHere = Annotated[Engine, Depends(_engine)]
HeldHere = Annotated[Held, Depends(_held)]


Reference = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        description="an id, a name, a unique prefix of an id, or `latest`",
        examples=["latest"],
    ),
]


async def _run(engine: EngineHere, reference: Reference) -> Run:
    return await engine.find(reference)


RunHere = Annotated[Run, Depends(_run)]
