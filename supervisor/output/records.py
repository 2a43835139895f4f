"""What lines of output can say. Every field that a line may leave out is None."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.domain.reading import Quantity


@dataclass(frozen=True, slots=True)
class MemoryUsed:
    """`GPU Memory Used: 18.3 GB / 24.0 GB (76.3%)`; `percent` runs from 0 to 100."""

    used: Quantity
    total: Quantity | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """`GPU Memory: 24.0 GB`: what the script believes its device to have."""

    total: Quantity


@dataclass(frozen=True, slots=True)
class Resources:
    """`RESOURCES: 32 CPU cores, batch=128, GPU=NVIDIA A10, Mixed Precision=ON`."""

    cpu_cores: int | None = None
    batch_size: int | None = None
    device_name: str | None = None
    mixed_precision: bool | None = None


@dataclass(frozen=True, slots=True)
class LoaderSettings:
    """`DataLoader: num_workers=10, prefetch_factor=4, persistent_workers=True`."""

    num_workers: int | None = None
    prefetch_factor: int | None = None
    persistent_workers: bool | None = None
    pin_memory: bool | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """`VALIDATION: If <50% memory, batch_size=128 is TOO SMALL …`: the script's own advice."""

    text: str
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """`Fold 1/5, Epoch 5/10, Loss: 0.542`. A loss that is not a finite number is None."""

    fold: int | None = None
    folds: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The script ran out of memory: `kind` is "cuda" or "host"; `line` is cut to 500 characters."""

    kind: str
    line: str


Record = MemoryUsed | DeviceMemory | Resources | LoaderSettings | Validation | Progress | OutOfMemory
