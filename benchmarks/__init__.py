"""Measurements, each a command with a table as its output: `python -m benchmarks [NAME ...]`."""
