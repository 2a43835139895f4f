"""Which of the offered media types an Accept header asks for (RFC 9110, 12.5.1). Pure."""

from collections.abc import Sequence


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The offered type that the header gives the highest quality; the first one offered among equals.

    A header that takes none of them gets the first one too: an answer is worth more than a refusal.
    """
    ranges = [_range(item) for item in (accept or "*/*").split(",")]
    best, best_quality = offered[0], 0.0
    for kind in offered:
        fitting = [(precision, quality) for name, quality in ranges if (precision := _fits(name, kind))]
        quality = max(fitting, default=(0, 0.0))[1]
        if quality > best_quality:
            best, best_quality = kind, quality
    return best


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _quality(value)
    return name, 1.0


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def _fits(name: str, kind: str) -> int:
    """How exactly a media range names a type; 0 where it does not."""
    if name == kind:
        return 3
    if name == kind.partition("/")[0] + "/*":
        return 2
    return 1 if name == "*/*" else 0
