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

# the lowest versions of setup.cfg, in an environment of their own
LOWEST ?= .venv-lowest
# where `dist` puts what it builds
DIST ?= dist
# of `coverage` and `test-lowest`: folders or files, all by default
TESTS ?=

.PHONY: help demo test test-slow test-all test-kernels test-lowest coverage lint format types docs \
	site bench dist hooks clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## */\t/' | expand -t 14

demo: $(VENV)/.installed-plot  ## install, then convert and score the genomics model under examples/
	$(BIN)/python examples/genomics/demo.py

test: $(VENV)/.installed-test  ## the fast tests
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(VENV)/.installed-test  ## the slow ones
	$(BIN)/python -m pytest -m "slow and not thorough" $(PARALLEL)

test-all: $(VENV)/.installed-test  ## every test there is
	$(BIN)/python -m pytest -m "slow or not slow" $(PARALLEL)

# Without oneDNN, as TensorFlow runs on processors that lack its instructions: what computes in
# float32 and is compared with Keras, with other packages' numbers, or with itself.
KERNELS := tests/engine/test_forward.py tests/engine/test_gradients.py tests/engine/test_running.py \
	tests/engine/test_completeness.py tests/conformance/test_originals.py \
	tests/conformance/test_compat_calls.py
test-kernels: $(VENV)/.installed-test  ## the numeric tests in float32 without oneDNN's kernels
	TF_ENABLE_ONEDNN_OPTS=0 $(BIN)/python -m pytest $(PARALLEL) $(KERNELS) -k "not float64"

# Python 3.11, and the pins of tests/lowest.txt: make PYTHON=python3.11 test-lowest
test-lowest:  ## every fast test at the lowest versions of all dependencies
	$(MAKE) VENV=$(LOWEST) PIP_CONSTRAINT=$(CURDIR)/tests/lowest.txt $(LOWEST)/.installed-test
	$(LOWEST)/bin/python -m pytest $(PARALLEL) $(TESTS)

coverage: $(VENV)/.installed-test $(VENV)/.installed-coverage  ## lines and branches that the fast tests run
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered $(TESTS)

lint: $(VENV)/.installed-dev  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev  ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.installed-dev  ## mypy --strict
	$(BIN)/mypy

docs: $(VENV)/.installed-test  ## write the pages of docs/ again from the tables
	$(BIN)/python -m docs.generate.layers docs/LAYERS.md
	$(BIN)/python -m docs.generate.methods docs/METHODS.md
	$(BIN)/python -m docs.generate.metrics docs/METRICS.md
	$(BIN)/python -m docs.generate.references docs/REFERENCES.md
	$(BIN)/python -m docs.generate.eras docs/ERAS.md

bench: $(VENV)/.installed-test  ## the table of benchmarks/; with PEERS=/path/to/their/python the peers
	$(BIN)/python -m benchmarks $(if $(PEERS),--peers-python $(PEERS))
	$(BIN)/python -m benchmarks methods $(if $(PEERS),--peers-python $(PEERS))

site: $(VENV)/.installed-site  ## the pages as a site of HTML, build/site/html; a warning is an error
	$(BIN)/python -m docs.generate.site build/site

dist: $(VENV)/.installed-dev  ## build sdist and wheel, check them, and run the demos from the wheel
	rm -rf $(DIST)
	$(BIN)/python -m build --quiet --outdir $(DIST) .
	$(BIN)/python -m twine check --strict $(DIST)/*
	ls -l $(DIST)
	set -e; outside=$$(mktemp -d); trap 'rm -rf "$$outside"' EXIT; \
	$(BIN)/python -m venv "$$outside/venv"; \
	"$$outside/venv/bin/python" -m pip install --quiet "$$(echo $(DIST)/*.whl)[plot,jobs,genomics]"; \
	cp -R examples "$$outside"; cd "$$outside"; \
	venv/bin/deeplift-engine --version; \
	venv/bin/python examples/genomics/demo.py; \
	venv/bin/python examples/reverse_complement/demo.py; \
	venv/bin/python examples/genome/demo.py --small

hooks: $(VENV)/.installed-dev  ## check each commit before it is made
	$(BIN)/pre-commit install

clean:  ## remove the environment and everything built
	rm -rf $(VENV) $(LOWEST) build dist *.egg-info demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.coverage
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
