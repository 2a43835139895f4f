"""The bindings that an expression may stand for, for those who ask no more than that."""

from supervisor.source.search import stands_for

__all__ = ["stands_for"]
