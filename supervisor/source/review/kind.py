"""What a script learns from: images, tables or text, told from its imports and its handling of data. Pure.

A word counts for one kind only. A script with words of two kinds, or of none, is of no clear kind: many
read a table of labels beside their images, so tables count only where nothing speaks for the others.
"""

from supervisor.domain.review import Kind
from supervisor.source.review.facts import Facts

_MODULES = {
    Kind.IMAGE: frozenset(
        {"torchvision", "timm", "albumentations", "cv2", "PIL", "skimage", "kornia", "imageio", "monai"}
        | {"segmentation_models_pytorch", "ultralytics", "imgaug", "mmdet", "tifffile"}
    ),
    Kind.TEXT: frozenset(
        {"tokenizers", "sentencepiece", "nltk", "spacy", "torchtext", "sentence_transformers", "gensim"}
        | {"tiktoken", "trl"}
    ),
    Kind.TABULAR: frozenset({"lightgbm", "xgboost", "catboost", "pytorch_tabnet", "pytorch_tabular"}),
}
# Classes and functions, imported or called by these names.
_WORDS = {
    Kind.IMAGE: frozenset(
        {"Conv2d", "Conv2D", "MaxPool2d", "MaxPooling2D", "AdaptiveAvgPool2d", "ImageFolder", "imread"}
        | {"load_digits", "AutoImageProcessor", "AutoModelForImageClassification", "ImageDataGenerator"}
        | {"ViTForImageClassification", "image_dataset_from_directory", "RandomHorizontalFlip"}
        | {"decode_jpeg", "decode_png", "decode_image", "read_image", "fetch_olivetti_faces"}
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
    strong = {kind: _evidence(facts, _MODULES[kind], _WORDS[kind]) for kind in Kind}
    seen = {kind: evidence for kind, evidence in strong.items() if evidence}
    if not seen:
        weak = _evidence(facts, frozenset(), _WEAK_TABULAR)
        return (Kind.TABULAR, weak) if len(weak) >= _ENOUGH_WEAK else (None, weak)
    if len(seen) == 1:
        return next(iter(seen.items()))
    together = [f"{kind}: {item}" for kind, evidence in seen.items() for item in evidence[:2]]
    return None, tuple(together)


def _evidence(facts: Facts, modules: frozenset[str], names: frozenset[str]) -> tuple[str, ...]:
    lines: dict[str, tuple[int, str]] = {}
    for module in modules & facts.modules.keys():
        lines[module] = (facts.modules[module], f"import of {module}")
    for name in names & facts.names.keys():
        lines[name] = (facts.names[name], f"import of {name}")
    for name in names:
        call = facts.called((name,))
        if call is not None:
            lines.setdefault(name, (call.lineno, f"call of {name}"))
    ranked = sorted(lines.values())[:_MOST_EVIDENCE]
    return tuple(f"{what} on line {line}" for line, what in ranked)
