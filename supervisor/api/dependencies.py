"""What routes ask for: the engine, and the run that a path names."""

from typing import Annotated

from fastapi import Depends, Path, Request

from supervisor.domain.run import Run
from supervisor.engine.engine import Engine


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineHere = Annotated[Engine, Depends(_engine)]


async def _run(
    engine: EngineHere,
    reference: Annotated[str, Path(max_length=64, description="an id, a name, a unique prefix, or `latest`")],
) -> Run:
    return await engine.find(reference)


RunHere = Annotated[Run, Depends(_run)]
