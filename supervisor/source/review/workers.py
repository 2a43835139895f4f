"""How many workers a loader should have on a machine. Pure."""

_FEW, _MANY = 8, 12
_USUAL = 10


def range_of_workers(cores: int) -> tuple[int, int]:
    """8 to 12, or as many as there are cores."""
    return min(_FEW, cores), max(min(_MANY, cores), 1)


def in_words(cores: int) -> str:
    """The range as a finding says it."""
    low, high = range_of_workers(cores)
    return f"{low} to {high}" if low < high else f"{high}, the cores there are"


def best_workers(cores: int) -> int:
    """The number to advise."""
    return cores if cores < _MANY else _USUAL
