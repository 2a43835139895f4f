"""Train a small convolutional network on handwritten digits, 5 folds, on a GPU or a CPU.

What it prints is what a supervisor reads: resources, memory, progress. On SIGTERM it saves the models
that it has, the current fold's included, and exits with 143.
"""

import argparse
import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 128
# Fewer and larger steps are taken with a larger batch: Adam's rate grows with its root.
LEARNING_RATE = 2e-3 * (BATCH_SIZE / 128) ** 0.5
FOLDS = 5
EPOCHS = 3
IMAGE_SIZE = 32
SEED = 7

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
AMP = DEVICE.type == "cuda"
CORES = os.cpu_count() or 1
# On a CPU the cores are needed for training itself, and the data is in memory already.
WORKERS = min(10, CORES) if AMP else 0
SIGTERM_EXIT = 128 + signal.SIGTERM


class TerminatedError(Exception):
    """SIGTERM has come: save and leave."""


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, raise_terminated)
    torch.manual_seed(SEED)
    images, labels = training_data(options.images)
    print_resources()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for fold, (train_rows, valid_rows) in enumerate(folds.split(images, labels), 1):
        if fold > options.folds:
            break
        model = DigitNet().to(DEVICE)
        try:
            train_fold(model, images[train_rows], labels[train_rows], fold, options)
        except TerminatedError:
            save(model, options.out / f"model-fold{fold}-partial.pt")
            print(f"SIGTERM: saved the models of {fold - 1} folds and the partial one of fold {fold}")
            return SIGTERM_EXIT
        # Before the evaluation: should that fail, the model is there.
        save(model, options.out / f"model-fold{fold}.pt")
        accuracy = evaluate(model, images[valid_rows], labels[valid_rows])
        print(f"Fold {fold}/{FOLDS} done, accuracy: {accuracy:.4f}")
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(), help="where models are written")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--folds", type=int, default=FOLDS, help="train only so many of the folds")
    parser.add_argument("--images", type=int, default=None, help="train on so many images only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def raise_terminated(_signal: int, _frame: FrameType | None) -> None:
    raise TerminatedError


def load_images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and held-out images and labels; `predict.py` makes the same split."""
    digits = load_digits()
    return tuple(
        train_test_split(
            digits.images, digits.target, test_size=0.2, stratify=digits.target, random_state=SEED
        )
    )


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """8 x 8 images of values 0 to 16, enlarged, as one channel of values around 0."""
    tensor = torch.from_numpy(images).float().unsqueeze(1) / 8 - 1
    return functional.interpolate(tensor, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", align_corners=False)


def training_data(count: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    images, _, labels, _ = load_images()
    return to_tensor(images[:count]), torch.from_numpy(labels[:count])


class DigitNet(nn.Module):
    """Three stages of two convolutions, then an average over the image."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        stages = []
        channels = 1
        for factor in (1, 2, 2):
            out = width * factor
            stages += [conv(channels, out), conv(out, out), nn.MaxPool2d(2)]
            channels = out
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(images).mean(dim=(2, 3)))


def conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.3),
        nn.ReLU(inplace=True),
    )


def train_fold(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, fold: int, options: argparse.Namespace
) -> None:
    loader = make_loader(images, labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    steps = max(1, len(loader) * options.epochs)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LEARNING_RATE * 4, total_steps=steps)
    scaler = torch.amp.GradScaler(DEVICE.type, enabled=AMP)
    for epoch in range(1, options.epochs + 1):
        loss = train_epoch(model, loader, optimizer, schedule, scaler, first=fold == 1 and epoch == 1)
        print(f"Fold {fold}/{FOLDS}, Epoch {epoch}/{options.epochs}, Loss: {loss:.3f}")
        print_memory()


def train_epoch(model, loader, optimizer, schedule, scaler, *, first: bool) -> float:
    model.train()
    total, seen = 0.0, 0
    for step, (images, labels) in enumerate(loader, 1):
        inputs = images.to(DEVICE, non_blocking=True)
        targets = labels.to(DEVICE, non_blocking=True)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(DEVICE.type, enabled=AMP):
            loss = functional.cross_entropy(model(inputs), targets)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        total, seen = total + loss.item() * len(targets), seen + len(targets)
        if first and step == 2:
            # By the second step the optimiser's state exists: from here on memory hardly grows.
            print_memory()
            print_validation()
    return total / seen


def make_loader(images: torch.Tensor, labels: torch.Tensor) -> DataLoader:
    extra = {"prefetch_factor": 4, "persistent_workers": True} if WORKERS else {}
    return DataLoader(
        TensorDataset(images, labels),
        batch_size=BATCH_SIZE,
        shuffle=True,
        drop_last=len(images) > BATCH_SIZE,
        num_workers=WORKERS,
        pin_memory=AMP,
        **extra,
    )


@torch.no_grad()
def evaluate(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    model.eval()
    found = torch.cat([model(part.to(DEVICE)).argmax(1).cpu() for part in images.split(64)])
    return (found == labels).float().mean().item()


def save(model: nn.Module, path: Path) -> None:
    """Whole or not at all: a kill in the middle leaves the file of before."""
    beside = path.with_suffix(".tmp")
    torch.save(model.state_dict(), beside)
    beside.replace(path)


def print_resources() -> None:
    name = torch.cuda.get_device_name() if AMP else "none (CPU)"
    precision = "ON" if AMP else "OFF"
    print(f"RESOURCES: {CORES} CPU cores, batch={BATCH_SIZE}, GPU={name}, Mixed Precision={precision}")
    print(f"GPU Memory: {device_memory() / 2**30:.2f} GB")
    prefetch, persistent = (4, True) if WORKERS else (None, False)
    print(f"DataLoader: num_workers={WORKERS}, prefetch_factor={prefetch}, persistent_workers={persistent}")


def print_memory() -> None:
    used, total = memory_used() / 2**30, device_memory() / 2**30
    print(f"GPU Memory Used: {used:.2f} GB / {total:.2f} GB ({used / total:.1%})")


def print_validation() -> None:
    advice = f"batch_size={BATCH_SIZE} is TOO SMALL - should be {2 * BATCH_SIZE}+"
    print(f"VALIDATION: If <50% memory, {advice}")


def memory_used() -> int:
    """Bytes: what PyTorch reserved on the GPU, or this process's peak on a CPU."""
    if AMP:
        return torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def device_memory() -> int:
    """Bytes: the GPU's, or what the run was given (`TRAIND_DEVICE_MEMORY`), or the machine's."""
    if AMP:
        return torch.cuda.get_device_properties(0).total_memory
    given = os.environ.get("TRAIND_DEVICE_MEMORY")
    return int(given) if given else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


if __name__ == "__main__":
    sys.exit(main())
