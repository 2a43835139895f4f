"""The limit on open files: raised for the daemon, and given back to what it launches.

Each wait and each stream is an open file, and 1024 is a common limit. A script must not inherit the
higher one: what still uses select() breaks on descriptors above 1024.
"""

import resource

_inherited: int | None = None


def raise_open_files() -> None:
    """Let this process open as many files as it may."""
    global _inherited  # noqa: PLW0603 - the process has one limit, and this remembers what it was
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        _inherited = soft


def inherited_open_files() -> int | None:
    """The soft limit that a child is to get back, or None where it is as it was."""
    return _inherited
