"""Where a script hands its batch size to what makes batches of it, and how much each says about training."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.source.index import Index, bindings
from supervisor.source.modules import FRAMEWORKS
from supervisor.source.names import (
    SIZE_STEMS,
    Purpose,
    is_batch_size,
    is_loader,
    purpose_of,
    purpose_of_code,
    words,
)
from supervisor.source.places import Form, Place
from supervisor.source.shapes import SHAPED
from supervisor.source.values import callee, identifiers, keyword, last_name, size_of, text_of

# Calls whose size stands at a position: DataLoader(dataset, 64), model.fit(x, y, 64), dataset.batch(64).
_POSITIONS = {
    "BatchSampler": 1,
    "batch": 0,
    "padded_batch": 0,
    "create_loader": 2,
    "bucket_by_sequence_length": 2,
    "shuffle_batch": 1,
    "InfiniteDataLoader": 1,
}
# The same, where only a number or a name of a size at that position tells that it is one.
_LIKELY_POSITIONS = {
    "flow": 2,
    "next_batch": 0,
    "iterate_minibatches": 2,
    "Iterator": 1,
    "BucketIterator": 1,
    "BPTTIterator": 1,
    "SerialIterator": 1,
    "MultiprocessIterator": 1,
    "NDArrayIter": 2,
}
_DATASET_METHODS = frozenset({"batch", "padded_batch"})
# Calls that train on their own, and whose `batch_size` is that of training.
TRAINING_CALLS = frozenset(
    {"fit", "fit_generator", "train", "learn", "finetune", "fine_tune", "train_on", "fit_one_cycle"}
)
_MAKERS = frozenset(
    {"flow", "flow_from_directory", "flow_from_dataframe", "image_dataset_from_directory", "to_dataloader"}
    | {"text_dataset_from_directory", "timeseries_dataset_from_array", "audio_dataset_from_directory"}
    | {"dataloaders", "databunch", "from_folder", "from_name_func", "from_path_func", "from_df", "from_csv"}
    | {"BatchSampler", "splits", "BucketIterator", "BPTTIterator", "Iterator", "from_dsets", "from_name_re"}
    | {"to_tf_dataset", "prepare_tf_dataset", "make_batched_features_dataset", "make_csv_dataset", "sequence"}
    | {
        "image_data_loaders",
        "TimeseriesGenerator",
        "pad_sequences_generator",
        "get_batches",
        "iterate_minibatches",
    }
    | {
        "get_batch",
        "next_batch",
        "batch_iter",
        "batch_generator",
        "data_generator",
        "data_iterator",
        "minibatches",
    }
)
_ARGUMENTS = ("TrainingArguments", "TrainArgs", "Config", "TrainingConfig", "TrainConfig")
_KEYWORDS_OF_YOLO = frozenset({"epochs", "data", "imgsz"})
_TRAINING_CONFIGS = frozenset(
    {"SFTConfig", "DPOConfig", "PPOConfig", "ORPOConfig", "GRPOConfig", "RewardConfig", "KTOConfig"}
)
_SIZE_OF_PAIR = 2


@dataclass(frozen=True, slots=True)
class Use:
    """A size handed to a call: the expression, to what, and where. `rank` 0 makes batches, 1 only says so."""

    name: str
    value: ast.expr
    call: ast.Call
    line: int
    place: Place
    purpose: Purpose | None
    rank: int

    @property
    def callee(self) -> str:
        """What is called, by its last name."""
        return callee(self.call)


def uses_of(found: Index) -> list[Use]:
    """All of a script's uses in the order of the source, those for evaluation left out."""
    known = {*_POSITIONS, *_LIKELY_POSITIONS, *_MAKERS, *TRAINING_CALLS}
    found.ask(*(word for word in found.words_with(*SIZE_STEMS) if is_batch_size(word)))
    makers = (
        word for word in found.words_with("loader", "sampler") if is_loader(word) or _is_of_loaders(word)
    )
    found.ask_calls(*known, *makers)
    uses: list[Use] = []
    for name, calls in list(found.calls.items()):
        for call, place in calls:
            uses += _uses(found, call, name, place)
    live = [use for use in uses if use.purpose is not Purpose.EVALUATION]
    return sorted(live, key=lambda use: (use.line, use.value.col_offset))


def _uses(found: Index, call: ast.Call, name: str, place: Place) -> Iterator[Use]:
    if name in {
        "dict",
        "add_argument",
        "option",
        "Option",
        "set_defaults",
        "Namespace",
        "SimpleNamespace",
        "edict",
        *SHAPED,
    }:
        return
    rank = _rank(call, name)
    given = [item for item in call.keywords if item.arg is not None and _names_size(item.arg, call, name)]
    if given and rank and found.defined(name):
        # What the script's own function does with it is what counts.
        return
    for item in given:
        if isinstance(item.value, ast.Constant) and item.value.value is None:
            # DataLoader(dataset, batch_size=None): the dataset makes the batches.
            continue
        yield _use(item.arg or "", item.value, call, place, rank)
    if given:
        return
    for item in call.keywords:
        if item.arg is None and (rank == 0):
            # DataLoader(ds, **options) reads what options["batch_size"] would. Beside a batch_size of
            # its own the options cannot hold another: Python refuses a keyword given twice.
            key = ast.copy_location(ast.Constant("batch_size"), item.value)
            entry = ast.copy_location(ast.Subscript(item.value, key, ast.Load()), item.value)
            yield _use("batch_size", entry, call, place, rank)
    value = _positional(found, call, name)
    if value is not None:
        yield _use("batch_size", value, call, place, 0)


def _names_size(name: str, call: ast.Call, called: str) -> bool:
    if name == "B":
        return _is_of_loaders(called)
    if name == "size":
        return called in {"minibatch", "minibatches"}
    if name == "batch":
        return called in TRAINING_CALLS and any(item.arg in _KEYWORDS_OF_YOLO for item in call.keywords)
    return is_batch_size(name)


def _is_of_loaders(name: str) -> bool:
    """Whether a word of the name is loader: `DataLoaderLite`, `get_loaders`."""
    return not {"loader", "loaders", "dataloader", "dataloaders"}.isdisjoint(words(name))


def _rank(call: ast.Call, name: str) -> int:
    if (
        is_loader(name)
        or _is_of_loaders(name)
        or name in _MAKERS
        or name in TRAINING_CALLS
        or name in _TRAINING_CONFIGS
    ):
        return 0
    if name.endswith(_ARGUMENTS) or "dataloaders" in identifiers(call.func).lower():
        return 0
    return 1


def _positional(found: Index, call: ast.Call, name: str) -> ast.expr | None:
    args = call.args
    if any(isinstance(item, ast.Starred) for item in args):
        return None
    if name in _DATASET_METHODS:
        if (
            not isinstance(call.func, ast.Attribute)
            or len(args) not in {1, 2}
            or (isinstance(args[0], ast.Constant) and text_of(args[0]))
        ):
            return None
        # paddle.batch(reader, 64) and tf.train.batch([x], 64) make batches of their first.
        return args[-1] if size_of(args[-1]) is not None else args[0]
    likely = _LIKELY_POSITIONS.get(name)
    if likely is not None and len(args) > likely and not found.defined(name):
        told = size_of(args[likely]) is not None or is_batch_size(last_name(args[likely]))
        return args[likely] if told else None
    at = _POSITIONS.get(name)
    if at is None and name.endswith("DataLoader") and not found.defined(name):
        at = 1
    if at is not None:
        value = args[at] if len(args) > at else None
        own = value is not None and not _is_of_framework(found, call)
        return None if own and value is not None and not is_batch_size(last_name(value)) else value
    if name == "fit" and len(args) > _SIZE_OF_PAIR and isinstance(call.func, ast.Attribute):
        # Keras' third is the size; scikit-learn's third is an array of weights.
        third = args[_SIZE_OF_PAIR]
        return (
            third
            if isinstance(third, ast.Constant) or is_batch_size(identifiers(third).partition("_args")[0])
            else None
        )
    return None


def _is_of_framework(found: Index, call: ast.Call) -> bool:
    """Whether a loader is what a framework calls so; a project's own may take anything at that position."""
    if not isinstance(call.func, ast.Name):
        return True
    sites = bindings(found, call.func.id, found.module)
    imports = [site for site in sites if site.form is Form.IMPORT]
    return all(FRAMEWORKS.intersection(words(site.owner)) for site in imports)


def _use(name: str, value: ast.expr, call: ast.Call, place: Place, rank: int) -> Use:
    if isinstance(value, ast.Tuple | ast.List) and value.elts:
        # torchtext's batch_sizes=(64, 256, 256): the first is that of training.
        value = value.elts[0]
    return Use(name, value, call, value.lineno, place, _purpose(call, name, place), rank)


def _purpose(call: ast.Call, name: str, place: Place) -> Purpose | None:
    """What the nearest names say: of the size, the target, the call, the data, then the surroundings."""
    called = callee(call)
    if purpose_of(name) is not None:
        return purpose_of(name)
    if called in TRAINING_CALLS:
        return Purpose.TRAINING
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    data = call.args[0] if call.args and called not in _DATASET_METHODS else keyword(call, "dataset")
    for word in (
        purpose_of(place.owner),
        purpose_of_code(called),
        purpose_of(_data_names(data)),
        purpose_of(_data_names(receiver)),
    ):
        if word is not None:
            return word
    return place.purpose


def _data_names(node: ast.expr | None) -> str:
    """The names in the data's expression, without those of what is done to it."""
    names: list[str] = []
    while isinstance(node, ast.Call):
        split = keyword(node, "split") or keyword(node, "subset")
        if split is not None and (text := text_of(split)):
            names.append(text)
        train = keyword(node, "train") or keyword(node, "is_train")
        if isinstance(train, ast.Constant) and isinstance(train.value, bool):
            names.append("train" if train.value else "test")
        if isinstance(node.func, ast.Attribute):
            node = node.func.value
        elif node.args:
            node = node.args[0]
        else:
            names.append(callee(node))
            node = None
    return "_".join([*names, identifiers(node)]) if node is not None else "_".join(names)
