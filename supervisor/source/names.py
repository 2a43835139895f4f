"""What an identifier says: whether it names a batch size, and whether for training or for evaluation."""

import re
from enum import StrEnum
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIZES = frozenset(
    {
        ("batch", "size"),
        ("batchsize",),
        ("batch", "sz"),
        ("batch",),
        ("bs",),
        ("bsz",),
        ("b", "size"),
        ("minibatch", "size"),
        ("microbatch", "size"),
        ("size", "batch"),
    }
)
_TRAINING = frozenset({"train", "training", "trn", "tr", "fit"})
_EVALUATION = frozenset(
    {"val", "valid", "validation", "validate", "eval", "evaluation", "evaluate", "test", "testing", "dev"}
    | {"predict", "prediction", "predictions", "pred", "preds", "infer", "inference", "oof", "holdout"}
    | {"submission", "score", "encode", "embed", "embedding", "embeddings", "tokenize", "transform", "map"}
)
# Words that may stand beside the size without making it another thing.
_QUALIFIERS = _TRAINING | frozenset(
    {"default", "per", "device", "gpu", "node", "mini", "micro", "my", "init", "initial", "base", "start"}
    | {"img", "image", "images", "model", "cnn", "cfg", "config", "hp", "local", "loader", "dataloader"}
)
# "valloader" and "trainset" are one word to the eye of a splitter.
_TAIL = re.compile(r"(dataloader|dataset|loader|batchsize|batch|data|set|ds|dl|bs|generator|iter)$")


class Purpose(StrEnum):
    """What a loader, a name or a function is for."""

    TRAINING = "training"
    EVALUATION = "evaluation"


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: `valBatch_SIZE` gives `val`, `batch`, `size`."""
    return tuple(word.lower() for word in _WORD.findall(name[:200]))


@lru_cache(maxsize=4096)
def purpose_of(name: str) -> Purpose | None:
    """What the name says it is for; None where it says nothing, or both."""
    found = set()
    for word in words(name):
        stem = _TAIL.sub("", word)
        if word in _TRAINING or stem in _TRAINING:
            found.add(Purpose.TRAINING)
        if word in _EVALUATION or stem in _EVALUATION:
            found.add(Purpose.EVALUATION)
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=4096)
def is_batch_size(name: str) -> bool:
    """Whether the name means the size of a training batch: `BATCH_SIZE`, `bs`, `per_device_train_batch_size`.

    `batch_idx`, `num_batches`, `batch_norm` and everything for evaluation are not.
    """
    core = tuple(word for word in words(name) if word not in _QUALIFIERS)
    return core in _SIZES or (len(core) == 1 and core[0] in {"trainbatchsize", "trainbs"})


def is_loader(callee: str) -> bool:
    """Whether a callable of that name hands out batches: `DataLoader`, `make_loader`, `BatchSampler`."""
    found = words(callee)
    return found[-1:] in {("loader",), ("dataloader",)} or found[-2:] == ("batch", "sampler")
