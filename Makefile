# Every target makes its own environment: `make demo` and `make test` work in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Most tests wait on processes of their own, so more of them run at once than there are cores.
WORKERS ?= 3
GENERATOR := .venv-generator
GENERATOR_NEEDS := tests/api/generator-requirements.txt

.PHONY: demo test lint types contract unit faults bench install clean

demo: install
	$(BIN)/traind demo

test: lint types contract unit

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

contract: install
	$(BIN)/lint-imports --no-cache

unit: install $(GENERATOR)/.installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not alone" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
	$(BIN)/coverage run -m pytest -m alone
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# About ten minutes: the daemon is killed over two hundred times with runs alive.
faults: install
	$(BIN)/python -m tests.faults $(KILLS) $(SEED)

bench: install
	$(BIN)/python -m benchmarks

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[workloads,dev]'
	touch $@

$(GENERATOR)/.installed: $(GENERATOR_NEEDS)
	$(PYTHON) -m venv $(GENERATOR)
	$(GENERATOR)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(GENERATOR_NEEDS)
	touch $@

clean:
	rm -rf $(VENV) $(GENERATOR) .cache .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
