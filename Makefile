# Two commands for a fresh machine: `make demo` and `make test`. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test lint clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[compress,bench,remote,dev]'
	touch $@

demo: $(INSTALLED)  ## generate 24 sample meshes, compress, extract, compare, print a table
	$(BIN)/python benchmarks/cost/demo.py demo

test: $(INSTALLED)  ## all tests, the slow ones included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto

lint: $(INSTALLED)  ## style, types and the order of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .venv demo
