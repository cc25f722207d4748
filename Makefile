# Every target makes what it needs. The virtual environment is made once, and filled again only
# when setup.cfg or pyproject.toml changed. Another Python: make PYTHON=/path/to/python3.12 demo

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := $(VENV)/bin
# two tests at a time: make WORKERS=8 test
WORKERS ?= 2
PARALLEL := -n $(WORKERS) --dist loadgroup
METADATA := setup.cfg pyproject.toml
# TensorFlow's own chatter, off unless asked for
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help demo test test-slow test-all lint format types docs bench clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## */\t/' | expand -t 12

demo: $(VENV)/.installed-plot  ## install, then convert and score the genomics model under examples/
	$(BIN)/python examples/genomics/demo.py

test: $(VENV)/.installed-test  ## the fast tests
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(VENV)/.installed-test  ## the slow ones
	$(BIN)/python -m pytest -m "slow and not thorough" $(PARALLEL)

test-all: $(VENV)/.installed-test  ## every test there is
	$(BIN)/python -m pytest -m "slow or not slow" $(PARALLEL)

lint: $(VENV)/.installed-dev  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev  ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.installed-dev  ## mypy --strict
	$(BIN)/mypy

docs: $(VENV)/.installed-test  ## write docs/LAYERS.md, METHODS.md, METRICS.md and ERAS.md again from the tables
	$(BIN)/python -m docs.generate.layers docs/LAYERS.md
	$(BIN)/python -m docs.generate.methods docs/METHODS.md
	$(BIN)/python -m docs.generate.metrics docs/METRICS.md
	$(BIN)/python -m docs.generate.eras docs/ERAS.md

bench: $(VENV)/.installed-test  ## the table of benchmarks/; with PEERS=/path/to/their/python the peers
	$(BIN)/python -m benchmarks $(if $(PEERS),--peers-python $(PEERS))

clean:  ## remove the environment and everything built
	rm -rf $(VENV) build dist *.egg-info demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found:" \
		"name one with make PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# one stamp for each extra of setup.cfg
$(VENV)/.installed-%: $(METADATA) | $(BIN)/python
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@
