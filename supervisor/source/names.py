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
        ("bsize",),
        ("bz",),
        ("batchsz",),
        ("btsz",),
        ("batch", "sizes"),
    }
)
_TRAINING = frozenset({"train", "training", "trn", "tr", "fit"})
_EVALUATION = frozenset(
    {"val", "valid", "validation", "validate", "eval", "evaluation", "evaluate", "test", "testing", "dev"}
    | {"predict", "prediction", "predictions", "pred", "preds", "infer", "inference", "oof", "holdout"}
    | {"submission", "evaluator", "tester", "validator"}
)
# What is called so works on batches without training.
_IDLE = frozenset(
    {
        "score",
        "encode",
        "embed",
        "embedding",
        "embeddings",
        "tokenize",
        "transform",
        "map",
        "tok",
        "preprocess",
        "show",
        "display",
        "draw",
        "inspect",
    }
    | {"generate", "featurize", "extract", "cache", "upload", "download"}
)
# Every name of a size, or of a rate, has one of these in it.
SIZE_STEMS = ("batch", "bs", "bz", "b_size", "btsz", "_per_gpu")
RATE_STEMS = ("lr", "learn")
# Words that may stand beside the size without making it another thing.
_QUALIFIERS = _TRAINING | frozenset(
    {"default", "per", "device", "gpu", "node", "mini", "micro", "my", "init", "initial", "base", "start"}
    | {"img", "image", "images", "model", "cnn", "cfg", "config", "hp", "local", "loader", "dataloader"}
    | {"replica", "core", "worker", "process", "rank", "card", "global", "the", "args", "flags", "opt"}
    | {
        "data",
        "dataset",
        "hparams",
        "params",
        "network",
        "net",
        "lm",
        "gan",
        "dl",
        "set",
        "real",
        "rnn",
        "lstm",
    }
)
# `data_batch` is a batch, and no size.
_DATA = frozenset(
    {
        "data",
        "dataset",
        "set",
        "real",
        "params",
        "net",
        "network",
        "the",
        "dl",
        "k",
        "c",
        "n",
        "worker",
        "loader",
    }
    | {"process", "rank", "core", "args", "lm", "gan", "rnn", "lstm", "hparams", "global", "flags"}
)
_OTHER_SIZES = frozenset(
    {"samples_per_gpu", "imgs_per_gpu", "images_per_gpu", "ims_per_batch", "imgs_per_batch"}
    | {"batch_per_gpu", "bs_per_gpu", "images_per_batch", "batch_sz_per_gpu"}
)
_RATES = frozenset({("lr",), ("learning", "rate"), ("learningrate",), ("learn", "rate"), ("lrate",)})
_RATE_QUALIFIERS = frozenset(
    {
        "base",
        "init",
        "initial",
        "peak",
        "default",
        "max",
        "start",
        "starting",
        "my",
        "model",
        "optimizer",
        "optim",
    }
    | {
        "adam",
        "sgd",
        "adamw",
        "train",
        "training",
        "blr",
        "cfg",
        "config",
        "hp",
        "the",
        "args",
        "opt",
        "0",
        "net",
    }
)
_FACTORS = frozenset(
    {
        "gpu",
        "gpus",
        "ngpu",
        "ngpus",
        "device",
        "devices",
        "world",
        "worldsize",
        "num",
        "count",
        "replicas",
        "replica",
    }
    | {
        "nproc",
        "procs",
        "processes",
        "worker",
        "workers",
        "accum",
        "accumulation",
        "accumulate",
        "acc",
        "grad",
    }
    | {
        "scale",
        "factor",
        "mult",
        "multiplier",
        "nodes",
        "ranks",
        "cores",
        "shards",
        "tpu",
        "cards",
        "steps",
        "nprocs",
    }
)
_COUNTERS = frozenset({"epoch", "ep", "step", "stage", "phase", "iteration", "level", "cycle"})
# "valloader" and "trainset" are one word to the eye of a splitter.
_TAIL = re.compile(r"(dataloader|dataset|loader|batchsize|batch|data|set|ds|dl|bs|generator|iter)$")


# And what has one of these words anywhere in it.
_ASIDE = frozenset(
    {
        "onnx",
        "export",
        "summary",
        "summarize",
        "visualize",
        "plot",
        "benchmark",
        "profile",
        "flops",
        "torchinfo",
        "macs",
    }
    | {"tensorrt", "trace", "dummy"}
    | {"accuracy", "metric", "metrics", "fid", "perplexity", "bleu", "rouge", "auc"}
)


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
def purpose_of_code(name: str) -> Purpose | None:
    """What a function, class or call of that name does: encoding a text is no training."""
    found = purpose_of(name)
    said = words(name)
    idle = bool(said) and (said[0] in _IDLE or not _ASIDE.isdisjoint(said))
    return Purpose.EVALUATION if found is None and idle else found


@lru_cache(maxsize=4096)
def is_batch_size(name: str) -> bool:
    """Whether the name means the size of a training batch: `BATCH_SIZE`, `bs`, `per_device_train_batch_size`.

    `batch_idx`, `num_batches`, `batch_norm` and everything for evaluation are not.
    """
    if name.lower() in _OTHER_SIZES:
        return True
    if words(name)[-2:] == ("per", "image"):
        return False
    core = tuple(word for word in words(name) if word not in _QUALIFIERS)
    if core == ("batch",) and not _DATA.isdisjoint(words(name)):
        return False
    return core in _SIZES or (len(core) == 1 and core[0] in {"trainbatchsize", "trainbs"})


@lru_cache(maxsize=4096)
def is_learning_rate(name: str) -> bool:
    """Whether the name means the learning rate: `lr`, `base_lr`, `LEARNING_RATE`."""
    found = tuple(word for word in words(name) if word not in _RATE_QUALIFIERS)
    return found in _RATES or name.lower() in {"blr", "lr0"}


@lru_cache(maxsize=4096)
def is_factor(name: str) -> bool:
    """Whether the name means what a size is multiplied with: a number of GPUs, of steps, a scale."""
    return bool(_FACTORS.intersection(words(name)))


def is_counter(name: str) -> bool:
    """Whether the name means how far training is: `epoch`, `stage`, `global_step`."""
    found = words(name)
    return found[-1:] != () and found[-1] in _COUNTERS


def is_loader(callee: str) -> bool:
    """Whether a callable of that name hands out batches: `DataLoader`, `make_loader`, `BatchSampler`."""
    found = words(callee)
    return found[-1:] in {("loader",), ("dataloader",)} or found[-2:] == ("batch", "sampler")
