"""Figures and foreign texts as people read them. `-` stands for what is not known."""

UNKNOWN = "-"
LONGEST = 200  # characters of one foreign text
SENTENCE = 500  # characters of a sentence of ours that may hold foreign text
_MINUTE, _HOUR = 60, 3600


def number(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def share(value: float | None) -> str:
    """A fraction from 0 to 1 as whole percent."""
    return UNKNOWN if value is None else f"{value:.0%}"


def size(value: int | None) -> str:
    """Bytes as GiB, or below one as MiB, KiB or bytes."""
    if value is None:
        return UNKNOWN
    if value >= 2**30:
        return f"{value / 2**30:.2f} GiB"
    if value >= 2**20:
        return f"{value / 2**20:.0f} MiB"
    return f"{value / 2**10:.0f} KiB" if value >= 2**10 else f"{value} bytes"


def duration(seconds: float | None) -> str:
    """Seconds as `48 s`, `1 min 15 s` or `2 h 05 min`."""
    if seconds is None:
        return UNKNOWN
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def of(done: int | None, total: int | None) -> str:
    """`3 of 5`, or `3` where the total is not known."""
    if done is None:
        return UNKNOWN
    return f"{done} of {total}" if total is not None else f"{done}"


def clipped(text: str, longest: int = LONGEST) -> str:
    """A foreign text without control characters, in one line and cut to `longest` characters."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(character if character.isprintable() else " " for character in short)
