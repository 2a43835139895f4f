"""How long the batch size, and the learning rate, take to be found in a script of 10,000 lines."""

import time
from collections.abc import Callable

from benchmarks.common import middle, table
from supervisor.source.locate import Located, locate_batch_size, locate_learning_rate
from supervisor.source.text import SourceText

_ROUNDS = 15
_LINES = 10_000
_TRAINING = """\
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader

def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    return parser.parse_args()

class Trainer:
    def __init__(self, args):
        self.args = args
        self.batch_size = args.batch_size

    def fit(self, data):
        train_loader = DataLoader(data, batch_size=self.batch_size, shuffle=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=self.args.lr)
        for batch in train_loader:
            loss = model(batch)
            loss.backward()
            optimizer.step()

def main():
    args = get_args()
    Trainer(args).fit(load())

if __name__ == "__main__":
    main()
"""
# Code as it stands around a training: layers, transforms, tables, loops with batches in them.
_AROUND = '''\
class Block{n}(nn.Module):
    """A residual block; the input has the shape (batch, channels, height, width)."""

    def __init__(self, channels={n}, heads=8, dropout=0.1):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, heads, dropout=dropout, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, 1))

    def forward(self, x, mask=None):
        b, c, h, w = x.shape
        x = x.flatten(2).transpose(1, 2)
        y, _ = self.attention(self.norm(x), x, x, key_padding_mask=mask)
        x = x + y
        return (x + self.mlp(x)).transpose(1, 2).reshape(b, c, h, w)


def metrics_{n}(rows, threshold=0.{n}):
    total = {{"precision": 0.0, "recall": 0.0, "count": 0}}
    for index, row in enumerate(rows):
        if row["score"] > threshold and row["label"] == 1:
            total["precision"] += row["score"] / max(index, 1)
        elif row["label"] == 0:
            total["recall"] += (1 - row["score"]) * 0.5
        total["count"] += len(row["tokens"])
    values = [round(value / max(total["count"], 1), 4) for value in total.values()]
    return dict(zip(total, values))


'''


def main() -> None:
    source = script(_LINES)
    parsing = _milliseconds(lambda: SourceText(source))
    batch = _milliseconds(lambda: locate_batch_size(source))
    rate = _milliseconds(lambda: locate_learning_rate(source))
    assert isinstance(locate_batch_size(source), Located)
    assert isinstance(locate_learning_rate(source), Located)
    lines = source.count(b"\n")
    table(
        f"a script of {lines} lines, {len(source) / 2**10:.0f} KiB, median of {_ROUNDS}",
        [
            ("reading and parsing it", f"{parsing:.0f} ms", ""),
            ("reading, parsing, finding the batch size", f"{batch:.0f} ms", "< 150 ms"),
            ("reading, parsing, finding the learning rate", f"{rate:.0f} ms", ""),
        ],
    )


def script(lines: int) -> bytes:
    """A training of some 30 lines with other code before it."""
    around = [_AROUND.format(n=n) for n in range(lines // _AROUND.count("\n"))]
    return ("import torch\nfrom torch import nn\n\n" + "".join(around) + _TRAINING).encode()


def _milliseconds(work: Callable[[], object]) -> float:
    took = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return middle(took)
