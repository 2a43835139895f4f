"""traind: a background-training supervisor. `docs/architecture.md` says where each thing lives."""

__version__ = "0.1.0"
