# Two commands for a fresh machine: `make demo` and `make test`. Everything goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
DOCS := .venv/.docs

.PHONY: demo test lint docs clean

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

$(DOCS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

docs: $(DOCS)  ## docs/ as a site in site/; a broken link or anchor is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo 'site/index.html is made; for its search: $(PYTHON) -m http.server --directory site'

clean:
	rm -rf .venv demo site
