# What each command does: make help. Nothing here needs more than git, make and Python 3.11+.
PYTHON ?= python3
VENV   ?= .venv
RUN    := $(VENV)/bin/python -m analysis
ifeq ($(OS),Windows_NT)
RUN    := $(VENV)/Scripts/python -m analysis
endif
REPORT_ENV := $(PYTHON) tools/environment.py --venv $(VENV) --lock requirements.lock
TEST_ENV   := $(PYTHON) tools/environment.py --venv $(VENV) --lock requirements-test.lock

.DEFAULT_GOAL := help
.PHONY: help report test verify check serve lock clean

help: ## Show these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: ## Set up, run the notebooks, render the site into reports/site
	@$(REPORT_ENV)
	@$(RUN) site build

test: ## Set up and run every check: lint, types, notebooks without outputs, tests
	@$(TEST_ENV)
	@$(RUN) test

verify: ## Rebuild every published number and compare it with reports/findings.csv
	@$(REPORT_ENV)
	@$(RUN) verify

check: ## Check the claims ledger and the built site
	@$(REPORT_ENV)
	@$(RUN) claims check
	@$(RUN) site check

serve: ## Serve the built site on this machine
	@$(REPORT_ENV)
	@$(RUN) site serve

lock: ## Rewrite the lock files after a change of dependencies (needs the registry)
	@$(TEST_ENV)
	@$(RUN) lock

clean: ## Delete what was built (the environment stays)
	@rm -rf build reports/site
