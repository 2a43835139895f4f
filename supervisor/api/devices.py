"""The devices: their memory and utilisation now, and who holds them."""

from fastapi import APIRouter, Response

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import EngineHere
from supervisor.api.schemas import DeviceList, DeviceProcessView, DeviceView
from supervisor.engine.inspection import DeviceState, inspect_devices

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.get("", operation_id="list_devices", response_model=DeviceList)
async def devices(engine: EngineHere) -> Response:
    """Each device as it is now. Figures are null where the device cannot be read."""
    return json_answer(DeviceList(items=[_view(state) for state in await inspect_devices(engine)]))


def _view(state: DeviceState) -> DeviceView:
    processes = None
    if state.processes is not None:
        processes = [
            DeviceProcessView(pid=use.pid, used=use.used, run=state.owners.get(use.pid))
            for use in state.processes
        ]
    return DeviceView(
        id=state.info.id,
        kind=state.info.kind,
        name=state.info.name,
        uuid=state.info.uuid,
        total=state.info.total,
        used=state.used,
        utilization=state.utilization,
        holders=list(state.holders),
        processes=processes,
    )
