"""A script that no rule finds fault with, and what the tests do to it."""

from collections.abc import Sequence

from supervisor.source.review import Finding, Kind, Machine, Review, review

MACHINE = Machine(cores=16, shm_bytes=8 * 2**30)

GOOD = """\
import os
import signal
import sys

import torch
import torchvision
from torch.utils.data import DataLoader

BATCH_SIZE = 128


def on_sigterm(*_):
    torch.save(model.state_dict(), "partial.pt")
    sys.exit(143)


signal.signal(signal.SIGTERM, on_sigterm)
print(f"RESOURCES: {os.cpu_count()} CPU cores, batch={BATCH_SIZE}, GPU={gpu}, Mixed Precision=ON")
train_loader = DataLoader(
    train_set,
    batch_size=BATCH_SIZE,
    num_workers=10,
    prefetch_factor=4,
    persistent_workers=True,
    pin_memory=True,
)
for epoch in range(epochs):
    for images, labels in train_loader:
        with torch.autocast("cuda"):
            loss = criterion(model(images), labels)
    print(f"GPU Memory Used: {used:.1f} GB / {total:.1f} GB ({used / total:.1%})")
    print(f"Fold {fold}/{folds}, Epoch {epoch}/{epochs}, Loss: {loss:.3f}")
"""

LOADER = """\
import torch
from torch.utils.data import DataLoader
train_loader = DataLoader(train_set, batch_size=128, {})
"""


def judged(
    source: str | bytes, kind: Kind | None = None, machine: Machine = MACHINE, args: Sequence[str] = ()
) -> Review:
    data = source.encode() if isinstance(source, str) else source
    return review(data, kind=kind, machine=machine, args=args)


def rules(found: Review) -> list[str]:
    return [finding.rule for finding in found.findings]


def only(found: Review, rule: str) -> Finding:
    """The one finding of a rule."""
    (finding,) = [finding for finding in found.findings if finding.rule == rule]
    return finding


def without(line_with: str, *, source: str = GOOD, put: str = "") -> str:
    """The source with each line that holds the text replaced, its indent kept."""
    lines = source.splitlines(keepends=True)
    assert any(line_with in line for line in lines)
    return "".join(
        f"{line[: len(line) - len(line.lstrip())]}{put}\n" if line_with in line else line for line in lines
    )
