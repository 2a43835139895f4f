"""What a script learns from: images, tables or text, told from its imports and its handling of data. Pure.

A word counts for one kind only. A script with words of two kinds, or of none, is of no clear kind: many
read a table of labels beside their images, so tables count only where nothing speaks for the others.
Signs of sounds, games or graphs leave the kind open, whatever else is there.
"""

from supervisor.domain.review import Kind
from supervisor.source.review.facts import Facts

_MODULES = {
    Kind.IMAGE: frozenset(
        {"torchvision", "timm", "albumentations", "cv2", "PIL", "skimage", "kornia", "imageio", "monai"}
        | {"segmentation_models_pytorch", "ultralytics", "imgaug", "mmdet", "tifffile", "fastai.vision"}
    ),
    Kind.TEXT: frozenset(
        {"tokenizers", "sentencepiece", "nltk", "spacy", "torchtext", "sentence_transformers", "gensim"}
        | {"tiktoken", "trl", "fastai.text"}
    ),
    Kind.TABULAR: frozenset(
        {"lightgbm", "xgboost", "catboost", "pytorch_tabnet", "pytorch_tabular", "fastai.tabular"}
    ),
}
# Classes and functions, imported or called by these names.
_WORDS = {
    Kind.IMAGE: frozenset(
        {"Conv2d", "Conv2D", "MaxPool2d", "MaxPooling2D", "AdaptiveAvgPool2d", "ImageFolder", "imread"}
        | {"load_digits", "AutoImageProcessor", "AutoModelForImageClassification", "ImageDataGenerator"}
        | {"ViTForImageClassification", "image_dataset_from_directory", "RandomHorizontalFlip"}
        | {"decode_jpeg", "decode_png", "decode_image", "read_image", "fetch_olivetti_faces"}
        | {"cifar10", "cifar100", "mnist", "fashion_mnist", "CIFAR10", "CIFAR100", "MNIST", "FashionMNIST"}
    ),
    Kind.TEXT: frozenset(
        {"AutoTokenizer", "BertTokenizer", "BertTokenizerFast", "RobertaTokenizer", "GPT2Tokenizer"}
        | {"AutoModelForSequenceClassification", "AutoModelForCausalLM", "AutoModelForSeq2SeqLM"}
        | {"AutoModelForMaskedLM", "AutoModelForTokenClassification", "AutoModelForQuestionAnswering"}
        | {"DataCollatorWithPadding", "DataCollatorForLanguageModeling", "word_tokenize", "TfidfVectorizer"}
        | {"CountVectorizer", "TextVectorization", "fetch_20newsgroups", "encode_batch", "pad_sequences"}
    ),
    Kind.TABULAR: frozenset(
        {"LGBMClassifier", "LGBMRegressor", "XGBClassifier", "XGBRegressor", "CatBoostClassifier"}
        | {"CatBoostRegressor", "TabNetClassifier", "TabNetRegressor", "OneHotEncoder", "OrdinalEncoder"}
    ),
}
# Endings of the names that transformers and its like give to what handles one kind.
_ENDINGS = {
    Kind.IMAGE: ("ImageProcessor", "ForImageClassification", "ForObjectDetection", "ForSemanticSegmentation"),
    Kind.TEXT: (
        *("Tokenizer", "TokenizerFast", "ForSequenceClassification", "ForCausalLM", "ForMaskedLM"),
        *("ForSeq2SeqLM", "ForTokenClassification", "ForQuestionAnswering", "LMHeadModel"),
    ),
}
# None of the three; what such scripts hold besides, as pictures of sounds, has no range of its own.
_OTHER = {
    "sound": frozenset(
        {"librosa", "torchaudio", "soundfile", "audiomentations", "speechbrain", "torchlibrosa"}
    ),
    "games": frozenset({"gym", "gymnasium", "stable_baselines3", "pettingzoo"}),
    "graphs": frozenset({"torch_geometric", "dgl"}),
}
# Said of tables, and of the labels of anything.
_WEAK_TABULAR = frozenset(
    {"read_csv", "read_parquet", "read_feather", "StandardScaler", "MinMaxScaler", "RobustScaler"}
    | {"QuantileTransformer", "LabelEncoder", "get_dummies", "ColumnTransformer", "SimpleImputer"}
    | {"fetch_california_housing", "fetch_covtype", "load_breast_cancer", "make_classification"}
)
_ENOUGH_WEAK = 2
_MOST_EVIDENCE = 6


def tell_kind(facts: Facts) -> tuple[Kind | None, tuple[str, ...]]:
    """The script's kind, None where it is not clear, and the evidence for it or for the choice."""
    strong = {kind: _evidence(facts, _MODULES[kind], _WORDS[kind], _ENDINGS.get(kind, ())) for kind in Kind}
    seen: dict[str, tuple[str, ...]] = {kind: evidence for kind, evidence in strong.items() if evidence}
    others = {name: _evidence(facts, modules, frozenset(), ()) for name, modules in _OTHER.items()}
    seen |= {name: evidence for name, evidence in others.items() if evidence}
    if not seen:
        weak = _evidence(facts, frozenset(), _WEAK_TABULAR, ())
        return (Kind.TABULAR, weak) if len(weak) >= _ENOUGH_WEAK else (None, weak)
    if len(seen) == 1 and not any(others.values()):
        name, evidence = next(iter(seen.items()))
        return Kind(name), evidence
    together = [f"{name}: {item}" for name, evidence in seen.items() for item in evidence[:2]]
    return None, tuple(together)


def _evidence(
    facts: Facts, modules: frozenset[str], names: frozenset[str], endings: tuple[str, ...]
) -> tuple[str, ...]:
    lines: dict[str, tuple[int, str]] = {}
    for module in modules & facts.modules.keys():
        lines[module] = (facts.modules[module], f"import of {module}")
    for name, line in facts.names.items():
        if name in names or (endings and name.endswith(endings)):
            lines[name] = (line, f"import of {name}")
    for name in names:
        call = facts.called((name,))
        if call is not None:
            lines.setdefault(name, (call.lineno, f"call of {name}"))
    ranked = sorted(lines.values())[:_MOST_EVIDENCE]
    return tuple(f"{what} on line {line}" for line, what in ranked)
