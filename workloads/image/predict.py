"""Predict the held-out digits with the mean of the fold models that exist; writes `submission.csv`."""

import argparse
import csv
import sys
from pathlib import Path

import torch
from train import DEVICE, DigitNet, load_images, to_tensor


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(), help="where train.py wrote its models")
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    options = parser.parse_args()
    paths = find_models(options.models)
    if not paths:
        print(f"there is no model in {options.models.resolve()}; run train.py first", file=sys.stderr)
        return 1
    _, images, _, labels = load_images()
    found = predict(paths, to_tensor(images))
    write_submission(options.out, found)
    accuracy = (found == torch.from_numpy(labels)).float().mean().item()
    print(f"{options.out}: {len(found)} rows by {len(paths)} models, accuracy: {accuracy:.4f}")
    return 0


def find_models(folder: Path) -> list[Path]:
    """Finished folds; a partial one only where nothing better is there."""
    finished = sorted(path for path in folder.glob("model-fold*.pt") if "partial" not in path.name)
    return finished or sorted(folder.glob("model-fold*-partial.pt"))


@torch.no_grad()
def predict(paths: list[Path], images: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(len(images), 10)
    for path in paths:
        model = DigitNet().to(DEVICE)
        model.load_state_dict(torch.load(path, map_location=DEVICE, weights_only=True))
        model.eval()
        for rows in torch.arange(len(images)).split(64):
            total[rows] += model(images[rows].to(DEVICE)).softmax(1).cpu()
    return total.argmax(1)


def write_submission(path: Path, labels: torch.Tensor) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".tmp")
    with beside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label"])
        writer.writerows(enumerate(labels.tolist()))
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
