"""Which names speak of secrets, and settings as they may be shown."""

from collections.abc import Iterable, Mapping

MASK = "***"
_WORDS = ("key", "token", "secret", "password", "passwd", "credential", "auth")


def masked_env(env: Mapping[str, str]) -> dict[str, str]:
    """An environment fit to show: values whose names speak of secrets are masked."""
    return {name: MASK if _speaks_of_secret(name) else value for name, value in env.items()}


def masked_args(args: Iterable[str]) -> list[str]:
    """Arguments fit to show: `--api-key X`, `--token=X` and `password=X` keep their names alone.

    What follows a secret's option is masked unless it is an option itself.
    """
    shown: list[str] = []
    awaited = False
    for arg in args:
        name, equals, _ = arg.partition("=")
        option = _is_option(arg)
        if awaited and not option:
            shown.append(MASK)
        elif equals and _speaks_of_secret(name):
            shown.append(f"{name}={MASK}")
        else:
            shown.append(arg)
        awaited = option and not equals and _speaks_of_secret(arg)
    return shown


def _speaks_of_secret(name: str) -> bool:
    return any(word in name.lower() for word in _WORDS)


def _is_option(arg: str) -> bool:
    return arg.startswith("-") and arg.lstrip("-")[:1].isalpha()
