"""What the rules on the batch size share: the ranges of the kinds, and how a size is set. Pure."""

from supervisor.domain.review import Kind
from supervisor.source.locate import Located

LEAST = {Kind.IMAGE: 128, Kind.TABULAR: 4096, Kind.TEXT: 64}
MOST = {Kind.TEXT: 128}
RANGES = {Kind.IMAGE: "128 or more", Kind.TABULAR: "4096 or more", Kind.TEXT: "64 to 128"}


def set_to(located: Located, size: int) -> str:
    """How to bring the size to another."""
    if located.argument is not None:
        return f"pass {located.argument.flag} {size}"
    names = dict.fromkeys(place.name for place in located.places)
    return f"set {' and '.join(names)} to {size}"
