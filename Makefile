# What people type. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# Scenarios at once: they wait for Kubernetes most of the time. Each worker takes 60 to 90 MiB of memory.
WORKERS ?= 6
# Half of them are for Node faults, which take the longest.
NODES ?= 6
# More for pytest, for example: make features ARGS="--cluster-name mine -m shared-volume"
ARGS ?=

.PHONY: help
help: ## Say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: features
features: setup ## Prove every claim on a cluster of this machine, write the reports, stop the cluster
	$(BIN)/pytest features/ -n $(WORKERS) --nodes $(NODES) $(ARGS)

.PHONY: test
test: setup browser ## Run the project's own tests
	$(BIN)/pytest tests/ -n 2

.PHONY: lint
lint: venv ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: report
report: venv ## Render the last run's results as one HTML file
	scripts/system-packages report
	npm ci --silent
	$(BIN)/python -m podproof.reporting.html

.PHONY: bench
bench: setup ## Measure start, stop, memory and the scenarios; figures go to reports/bench/
	$(BIN)/python -m benchmarks

.PHONY: setup
setup: system venv ## Install system packages and the Python environment, build the components
	$(BIN)/podproof build

.PHONY: system
system: ## Install the Debian packages that lack
	scripts/system-packages cluster

.PHONY: browser
browser: ## Install the browser that the tests of the matrix's page drive
	scripts/system-packages browser

.PHONY: venv
venv: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	scripts/system-packages python
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

.PHONY: clean
clean: ## Stop the default cluster, remove the environment and the reports (the cache stays)
	if [ -x $(BIN)/podproof ]; then $(BIN)/podproof down; fi
	rm -rf $(VENV) node_modules build dist *.egg-info
	find reports -mindepth 1 ! -name .gitkeep -delete
