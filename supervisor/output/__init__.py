"""Bytes of a script's output in, typed records out: pure."""
