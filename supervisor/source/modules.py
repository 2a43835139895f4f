"""What the name of an imported module says: a framework, or settings of the project itself."""

from supervisor.source.names import words

FRAMEWORKS = frozenset(
    {
        "torch",
        "monai",
        "dgl",
        "paddle",
        "mxnet",
        "gluon",
        "mindspore",
        "jittor",
        "geometric",
        "torchdata",
        "timm",
        "mmcv",
    }
    | {
        "torchio",
        "pytorch",
        "lightning",
        "accelerate",
        "tensorflow",
        "keras",
        "fastai",
        "ignite",
        "composer",
        "ffcv",
    }
    | {
        "flax",
        "tf",
        "torchvision",
        "torchtext",
        "torchaudio",
        "transformers",
        "datasets",
        "trl",
        "peft",
        "optax",
        "jax",
    }
)
_LIBRARIES = FRAMEWORKS | frozenset(
    {
        "os",
        "sys",
        "math",
        "numpy",
        "np",
        "pandas",
        "pylab",
        "matplotlib",
        "sklearn",
        "scipy",
        "tkinter",
        "typing",
        "random",
    }
    | {
        "time",
        "json",
        "re",
        "pathlib",
        "collections",
        "itertools",
        "functools",
        "argparse",
        "subprocess",
        "glob",
        "shutil",
    }
    | {
        "pickle",
        "copy",
        "cv2",
        "PIL",
        "tqdm",
        "wandb",
        "skimage",
        "nltk",
        "spacy",
        "gensim",
        "joblib",
        "librosa",
        "h5py",
    }
    | {
        "albumentations",
        "seaborn",
        "cupy",
        "numba",
        "multiprocessing",
        "builtins",
        "gym",
        "absl",
        "click",
        "typer",
    }
)
_SETTINGS = frozenset(
    {
        "config",
        "configs",
        "cfg",
        "conf",
        "settings",
        "setting",
        "hparams",
        "hyparams",
        "hyperparams",
        "hyperparameters",
    }
    | {
        "params",
        "parameters",
        "constants",
        "const",
        "args",
        "arguments",
        "options",
        "opts",
        "opt",
        "parser",
        "argument",
    }
)


def is_framework(module: str) -> bool:
    """Whether it is a well-known library, which no script keeps its settings in."""
    return module.partition(".")[0] in _LIBRARIES


def speaks_of_settings(name: str) -> bool:
    """Whether a module or a function is named for settings: `config`, `hyperparams`, `get_args`."""
    return not _SETTINGS.isdisjoint(words(name))
