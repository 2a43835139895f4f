"""Images, tables and text are told apart by what a script imports and calls, with the evidence named."""

import pytest

from supervisor.source.review import Kind
from tests.source.review.scripts import judged, only

KINDS = {
    "torchvision": ("from torchvision import transforms", Kind.IMAGE),
    "convolution": ("from torch import nn\nnn.Conv2d(3, 8, 3)", Kind.IMAGE),
    "alias": ("import cv2 as cv", Kind.IMAGE),
    "images beside a table of labels": ("import pandas as pd\nimport timm\npd.read_csv('a.csv')", Kind.IMAGE),
    "vision by transformers": ("from transformers import AutoImageProcessor", Kind.IMAGE),
    "tokenizer": ("from transformers import AutoTokenizer as T\nT.from_pretrained('b')", Kind.TEXT),
    "called by its whole name": ("import transformers\ntransformers.AutoTokenizer()", Kind.TEXT),
    "bag of words": ("from sklearn.feature_extraction.text import TfidfVectorizer", Kind.TEXT),
    "trees": ("import lightgbm as lgb", Kind.TABULAR),
    "table with a scaler": (
        "import pandas as pd\nfrom sklearn.preprocessing import StandardScaler\npd.read_csv('a')",
        Kind.TABULAR,
    ),
    "table alone": ("import pandas as pd\npd.read_csv('a.csv')", None),
    "images and text": ("import torchvision\nfrom transformers import AutoTokenizer", None),
    "transformers alone": ("import transformers", None),
    "digits": ("from keras.datasets import mnist", Kind.IMAGE),
    "a library's part": ("from fastai.vision.all import *", Kind.IMAGE),
    "a library's other part": ("from fastai.collab import *", None),
    "model of text": ("from transformers import LlamaForCausalLM", Kind.TEXT),
    "model of images": ("from transformers import SwinForImageClassification as S", Kind.IMAGE),
    "pictures of sounds": ("import librosa, timm", None),
    "a game's pictures": ("import gymnasium, torchvision", None),
    "graphs": ("from torch_geometric.loader import DataLoader", None),
    "dead code": (
        "if False:\n    import cv2\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import PIL",
        None,
    ),
    "relative import": ("from .timm import x\nfrom . import cv2", None),
    "words in strings and comments": ("x = 'import cv2'  # Conv2d", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("source", "kind"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_is_told(source: str, kind: Kind | None) -> None:
    assert judged(source).kind is kind


def test_the_evidence_names_what_and_where() -> None:
    found = judged("import timm\nfrom torch import nn\nx = nn.Conv2d(3, 8, 3)\n")
    assert found.kind_evidence == ("import of timm on line 1", "call of Conv2d on line 3")


def test_the_evidence_of_two_kinds_is_named_for_both() -> None:
    found = judged("import cv2\nimport nltk\n")
    assert found.kind_evidence == ("image: import of cv2 on line 1", "text: import of nltk on line 2")


def test_the_rule_on_kinds_says_what_contradicts_what() -> None:
    source = "import cv2\nimport nltk\nimport torch\nx = DataLoader(d, batch_size=8)\n"
    finding = only(judged(source), "kind-unknown")
    signs = "image: import of cv2 on line 1; text: import of nltk on line 2"
    assert finding.found == f"batch size 8, and no clear sign of its kind ({signs})"
    sounds = only(judged(source.replace("nltk", "librosa")), "kind-unknown")
    assert "sound: import of librosa on line 2" in sounds.found
    assert judged(source).passed


def test_a_kind_that_is_given_is_not_questioned() -> None:
    found = judged("import cv2", Kind.TEXT)
    assert (found.kind, found.kind_evidence) == (Kind.TEXT, ("given",))
