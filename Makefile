# What each command does: make help. Needs git, make and Python 3.11 or newer, nothing else.
# On Windows run it in Git Bash. A conda environment: make report VENV="$CONDA_PREFIX"
VENV ?= .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
override VENV := $(subst \,/,$(VENV))
VENV_PYTHON := $(or $(wildcard $(VENV)/python.exe),$(VENV)/Scripts/python.exe)
BENCH_PYTHON := build/bench/Scripts/python.exe
SPARK_PYTHON := build/spark/Scripts/python.exe
else
PYTHON ?= python3
VENV_PYTHON := $(VENV)/bin/python
BENCH_PYTHON := build/bench/bin/python
SPARK_PYTHON := build/spark/bin/python
endif
RUN := "$(VENV_PYTHON)" -m

# Says in one line that PYTHON is no Python; tools/environment.py says everything else.
HAS_PYTHON = $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 6))" >/dev/null 2>&1 || \
	{ echo "error: '$(PYTHON)' is not a Python 3 that runs: install Python 3.11 or newer, or name it, as in make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12" >&2; exit 1; }
SET_UP = $(HAS_PYTHON); $(PYTHON) tools/environment.py --venv "$(VENV)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help report data test lint types tests verify publish check serve pdf doctor licences lock lab bench spark validate clean \
	report-environment test-environment

help: ## Show these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

report: report-environment ## Set up, run the notebooks, render the site into reports/site
	@$(RUN) analysis site build

data: report-environment ## Fetch public microdata into data/external; one by name: make data ARGS="jtpa"
	@$(RUN) analysis fetch $(ARGS)

test: lint types tests ## Set up, then every check: lint, types, tests and documented examples

lint: test-environment ## Only ruff: faults, docstrings, layout
	@echo "== ruff check"
	@$(RUN) ruff check
	@echo "== ruff format --check"
	@$(RUN) ruff format --check

types: test-environment ## Only mypy, strict
	@echo "== mypy"
	@$(RUN) mypy

tests: test-environment ## Only pytest; one part: make tests ARGS="-k claims"
	@echo "== pytest: tests, documented examples, notebooks without outputs"
	@$(RUN) pytest --numprocesses auto --dist loadgroup $(ARGS)

publish: report-environment ## Build and sign the numbers off as published (ARGS='--note "why they moved"')
	@$(RUN) analysis publish $(ARGS)

verify: test-environment ## Everything published against what is made here: numbers, files, pages, bytes
	@$(RUN) analysis verify
	@$(RUN) analysis claims check >/dev/null
	@test ! -d reports/site || $(RUN) analysis site check
	@$(RUN) analysis twice
	@echo "== every page in a browser: accessibility, phones, requests"
	@$(RUN) pytest -m every_page tests/site

check: report-environment ## Check the claims ledger and the built site
	@$(RUN) analysis claims check
	@$(RUN) analysis site check

serve: report-environment ## Serve the site on this machine; rebuild and reload what is edited
	@$(RUN) analysis site serve --watch $(ARGS)

pdf: report ## The report and its two-page summary as PDFs in reports (needs Chromium)
	@$(RUN) analysis site pdf

doctor: report-environment ## Say what this machine has and lacks
	@$(RUN) analysis doctor

licences: report-environment ## List the licence of every package the report needs
	@"$(VENV_PYTHON)" tools/licences.py

validate: report-environment ## Draw panels with known effects, thousands of times (about 15 minutes)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(RUN) analysis validate $(ARGS)

bench: ## Time cells and effects beside other packages, in an environment of its own (ARGS="--rows …")
	@$(HAS_PYTHON); $(PYTHON) tools/environment.py --venv build/bench --lock requirements-bench.lock
	@$(BENCH_PYTHON) benchmarks/cells.py
	@$(BENCH_PYTHON) benchmarks/effects.py $(ARGS)
	@$(BENCH_PYTHON) benchmarks/speed.py

# pyspark is published as source alone, which no lock here holds.
spark: ## Hold cells from Spark on two cores against the other engines (needs Java 17; fetches pyspark)
	@command -v java >/dev/null || { echo "error: no Java here: install the Debian package default-jre-headless" >&2; exit 1; }
	@$(HAS_PYTHON); $(PYTHON) tools/environment.py --venv build/spark --lock requirements-test.lock
	@$(SPARK_PYTHON) -m pip install --quiet pyspark
	@$(SPARK_PYTHON) -m pytest -k spark tests/cells

lab: report-environment ## Open the notebooks in JupyterLab (an extra, outside the lock)
	@mkdir -p build
	@$(RUN) pip freeze --exclude-editable > build/constraints.txt
	@$(RUN) pip install --quiet --no-build-isolation --constraint build/constraints.txt -e ".[lab]"
	@$(RUN) jupyter lab --notebook-dir=notebooks

# The other locks are resolved against the first, so a package has one version in all.
COMPILE = $(RUN) uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links --only-binary :all:

lock: test-environment ## Rewrite the lock files (ARGS="--upgrade" for newer versions)
	@$(COMPILE) --extra build --extra public --output-file requirements.lock $(ARGS)
	@$(COMPILE) --extra build --extra public --extra test --constraint requirements.lock \
		--output-file requirements-test.lock $(ARGS)
	@$(COMPILE) --extra build --extra public --extra bench --constraint requirements.lock \
		--output-file requirements-bench.lock $(ARGS)

clean: ## Delete what was built (the environment stays)
	@rm -rf build reports/site reports/quarto

report-environment:
	@$(SET_UP) --lock requirements.lock

test-environment:
	@$(SET_UP) --lock requirements-test.lock
