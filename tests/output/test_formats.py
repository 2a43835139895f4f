"""What lines say, and what they do not."""

import time

import pytest

from supervisor.domain.reading import Quantity
from supervisor.output.formats import parse
from supervisor.output.records import (
    DeviceMemory,
    LoaderSettings,
    MemoryUsed,
    OutOfMemory,
    Progress,
    Resources,
    Validation,
)

USED = MemoryUsed(Quantity(18.3, "GB"), Quantity(24.0, "GB"), 76.3)


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("GPU Memory Used: 18.3 GB / 24.0 GB (76.3%)", USED),
        ("2026-11-23 12:00:00,123 [INFO] train - gpu memory used: 18.3gb/24.0gb (76.3 %)", USED),
        ("[rank0]: GPU  MEMORY  USED : 18,3 GB / 24,0 GB (76,3%)", USED),
        ("GPU Memory Used: 18.3 GB of 24.0 GB [76.3%]", USED),
        ("GPU Memory Used = 18.3 GB", MemoryUsed(Quantity(18.3, "GB"))),
        ("GPU Memory Used: 18.3 GB (76%)", MemoryUsed(Quantity(18.3, "GB"), None, 76.0)),
        ("GPU Memory Used: 512MiB / 24 GiB", MemoryUsed(Quantity(512, "MIB"), Quantity(24, "GIB"))),
        ("GPU Memory Used: 1024 bytes", MemoryUsed(Quantity(1024, "B"))),
        ("GPU Memory: 24.0 GB", DeviceMemory(Quantity(24.0, "GB"))),
        (
            "RESOURCES: 32 CPU cores, batch=128, GPU=NVIDIA A10, Mixed Precision=ON",
            Resources(32, 128, "NVIDIA A10", mixed_precision=True),
        ),
        ("resources: batch_size: 16, amp=off", Resources(None, 16, None, mixed_precision=False)),
        (
            "DataLoader: num_workers=10, prefetch_factor=4, persistent_workers=True",
            LoaderSettings(10, 4, persistent_workers=True),
        ),
        (
            "VALIDATION: If <50% memory, batch_size=128 is TOO SMALL - should be 256+",
            Validation("If <50% memory, batch_size=128 is TOO SMALL - should be 256+", 128),
        ),
        ("Fold 1/5, Epoch 5/10, Loss: 0.542", Progress(1, 5, 5, 10, loss=0.542)),
        (
            "INFO: epoch [3/10] step 20/200 train_loss=1.5e-3 acc: 0.91",
            Progress(None, None, 3, 10, 20, 200, 1.5e-3, {"acc": 0.91}),
        ),
        ("Epoch 2 of 4 - loss: nan", Progress(epoch=2, epochs=4)),
        ("Fold 2/5, Epoch 1/3, Loss: inf, acc=inf", Progress(2, 5, 1, 3)),
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate",
            OutOfMemory("cuda", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate"),
        ),
        (
            "RuntimeError: CUDA error: out of memory",
            OutOfMemory("cuda", "RuntimeError: CUDA error: out of memory"),
        ),
        (
            "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when",
            OutOfMemory("cuda", "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when"),
        ),
        ("MemoryError", OutOfMemory("host", "MemoryError")),
        (
            "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried",
            OutOfMemory("host", "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried"),
        ),
    ],
)
def test_line_becomes_its_record(line: str, record: object) -> None:
    assert parse(line) == record


@pytest.mark.parametrize(
    "line",
    [
        "GPU Memory Used by others: see the wiki",
        "GPU Memory Used: much",
        "GPU Memory: plenty",
        "epoch time 12s",
        "Epoch 12/10",
        "epochs 3/4",
        "the fold was 1 of a kind",
        "loss: 0.5",
        "resources: none",
        "DataLoader: ready",
        "validation: done",
        "warning: to avoid CUDA out of memory. lower the batch size",
        "if you see MemoryError: buy more",
        "",
    ],
)
def test_line_that_only_looks_like_one_is_left_alone(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "gpu memory used: " + "1" * 65536,
        "gpu memory used: 1 gb " + "/ " * 32768,
        "epoch " * 10922,
        "epoch 1/" * 8192,
        "fold 1 of " + "a=" * 32768,
        "resources: " + "gpu=" * 16384,
        "dataloader: " + "a=b" * 21845,
        "memory " + "MemoryError " * 5461,
    ],
)
def test_hostile_lines_take_no_longer_than_others(line: str) -> None:
    began = time.process_time()
    parse(line)
    assert time.process_time() - began < 1.0
