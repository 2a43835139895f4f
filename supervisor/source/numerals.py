"""Numbers as a script writes them: whole, with a point, or with an exponent."""

from decimal import Decimal

_DIGITS = 6
# Beyond as many places after the point, an exponent is easier to read.
_MOST_PLACES = 8


def as_written(rate: float) -> float:
    """The rate to the digits that are written."""
    return float(f"{rate:.{_DIGITS}g}")


def numeral(number: float, like: str) -> str:
    """The number in the way that `like` is written: `numeral(0.002, "1e-3")` is `2e-3`."""
    if isinstance(number, int):
        return str(number)
    plain = format(Decimal(repr(number)), "f")
    places = len(plain.partition(".")[2])
    if "e" not in like.lower() and places <= _MOST_PLACES:
        return plain
    mantissa, _, power = f"{number:.{_DIGITS - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    letter = "E" if "E" in like else "e"
    padded = "e-0" in like.lower() or "e+0" in like.lower()
    sign = "-" if power.startswith("-") else "+" if "e+" in like.lower() else ""
    digits = power[1:] if padded else str(abs(int(power)))
    point = ".0" if ".0e" in like.lower() and "." not in mantissa else ""
    return f"{mantissa}{point}{letter}{sign}{digits}"
