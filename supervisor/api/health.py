"""For machines: `/healthz`, `/readyz` and `/metrics`."""

import asyncio
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import EngineHere, HeldHere
from supervisor.api.metrics import MEDIA_TYPE, exposition
from supervisor.engine.engine import Engine
from supervisor.engine.inspection import inspect_devices
from supervisor.store.faults import StoreError

router = APIRouter(tags=["health"])

_STORE_S = 2.0


class HealthView(BaseModel):
    """The daemon answers."""

    status: Literal["ok"] = "ok"


class ReadyView(BaseModel):
    """Whether the daemon does its work; `problems` says what does not.

    `notices` say what somebody should look at, and make nobody wait.
    """

    status: Literal["ready", "not_ready"]
    live: int
    problems: list[str]
    notices: list[str]


@router.get("/healthz", operation_id="health", response_model=HealthView)
async def healthz() -> Response:
    """The daemon answers."""
    return json_answer(HealthView())


@router.get(
    "/readyz",
    operation_id="ready",
    response_model=ReadyView,
    responses={503: {"description": "Something does not work", "model": ReadyView}},
)
async def readyz(engine: EngineHere) -> Response:
    """The daemon takes submissions, its store works, and every live run is supervised."""
    problems = await _problems(engine)
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    view = ReadyView(
        status="not_ready" if problems else "ready",
        live=engine.live,
        problems=problems,
        notices=list(engine.notices),
    )
    return json_answer(view, status)


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(engine: EngineHere, held: HeldHere) -> Response:
    """Prometheus' text format."""
    counts = await engine.state_counts()
    text = exposition(counts, await inspect_devices(engine), held=held.count, failing=len(engine.failures))
    return Response(text, headers={"Content-Type": MEDIA_TYPE})


async def _problems(engine: Engine) -> list[str]:
    """No detail of a run: this is answered without the token."""
    found = []
    if engine.hub.closing.is_set():
        found.append("the daemon is stopping")
    if engine.failures:
        found.append(f"the supervision of {len(engine.failures)} runs failed and is being started again")
    found += [f"the {name} has ended: restart the daemon" for name in engine.parts.ended()]
    try:
        async with asyncio.timeout(_STORE_S):
            await engine.services.database.check()
    except StoreError as error:
        found.append(str(error))
    except TimeoutError:
        found.append(f"the store did not answer within {_STORE_S:.0f} s")
    return found
