"""Whether a path lies inside the allowed roots once its symlinks are resolved."""

from pathlib import Path


def outside(path: Path, roots: tuple[Path, ...]) -> bool:
    """True where roots are set and the path lies in none of them; so does one whose links go in a circle."""
    if not roots:
        return False
    try:
        real = path.resolve()
        return not any(real.is_relative_to(root.resolve()) for root in roots)
    except (OSError, RuntimeError):
        return True
