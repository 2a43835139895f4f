"""What a training job is about, and how strictly its script is reviewed before the launch."""

from enum import StrEnum


class Kind(StrEnum):
    """What a training script learns from."""

    IMAGE = "image"
    TABULAR = "tabular"
    TEXT = "text"


class ReviewMode(StrEnum):
    OFF = "off"
    WARN = "warn"  # findings become an event of the run
    ENFORCE = "enforce"  # a script that fails is not launched
