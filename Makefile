# Every target works from a fresh clone: `setup` is a prerequisite of the others and costs nothing once done.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.ONESHELL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Test workers share the cores: one thread each, or they wait for one another.
WORKERS ?= 2
TOOLS := .venv-tools/bin
TOOLS_STAMP := .venv-tools/.installed
# What is built from its source is built by what is locked, and not by the newest setuptools of a registry.
LOCKED := --no-deps --require-hashes --no-build-isolation
TEST_ENV := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=2

export DVC_NO_ANALYTICS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

QUICK := tests/architecture tests/dns_core tests/properties tests/dns_ops/quality tests/docs \
	--ignore tests/dns_core/measurement --ignore tests/dns_core/corpus

# Where the dashboard that is pictured answers; `dns up` starts it here.
DASHBOARD ?= http://127.0.0.1:8501

.PHONY: help setup demo test test-failed chaos quick check docs wheel-check lock audit sbom bench format screenshots

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) ## Create .venv with the pinned packages (about 3 minutes and 3 GB, once)
	@:

# pip's chatter becomes one counter. Where pip finds a build of torch for CPU, that is taken: it is small. A build for
# CUDA gets what it asks for at the end.
$(STAMP): $(wildcard requirements*.lock) pyproject.toml
	@start=$$SECONDS; total=$$(grep -c == requirements.lock)
	$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11.5 or newer is needed, found {sys.version.split()[0]}" if sys.version_info < (3, 11, 5) else 0)'
	echo "setup 1/3: .venv of $$($(PYTHON) --version)"
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	echo "setup 2/3: $$total pinned packages"
	awk '/^setuptools==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > .venv/setuptools.lock
	$(BIN)/pip install -q $(LOCKED) -r .venv/setuptools.lock
	$(BIN)/pip install -q $(LOCKED) -r requirements-cpu.lock 2>/dev/null || echo "  no build of torch for CPU: the general one"
	$(BIN)/pip install $(LOCKED) -r requirements.lock 2>&1 | awk -v total="$$total" \
		'/^(Collecting|Processing|Requirement already satisfied)/ {n++; if (n % 25 == 0) {print "  found " n " of " total; fflush()}} \
		 /^Installing/ {print "  unpacking"; fflush()} /^ *(ERROR|error)/ {print}'
	$(BIN)/pip check >/dev/null || { echo "  adding what a build of torch for CUDA asks for"; $(BIN)/pip install -q $(LOCKED) -r requirements-cuda.lock; }
	echo "setup 3/3: the project itself"
	PYTHONWARNINGS=ignore $(BIN)/pip install -q --no-deps --no-build-isolation -e .
	touch $@
	echo "setup: done in $$((SECONDS - start)) s; the command is $(BIN)/dns"

demo: setup ## Film a small corpus, train on it, index it and query it (demo/report.json)
	@$(BIN)/dns corpus demo data
	$(BIN)/dns reproduce
	mkdir -p demo
	$(BIN)/dns query data/test/queries/edited-excerpt.mp4 --index artifacts/index
	cp artifacts/report.json demo/report.json
	echo "demo: the report is demo/report.json"

test: setup ## Run the tests
	@$(TEST_ENV) $(BIN)/pytest -q -n $(WORKERS)

test-failed: setup ## Run the tests that failed last, one at a time
	@$(TEST_ENV) $(BIN)/pytest -q --last-failed --last-failed-no-failures none

# A short version runs in `make test`; this one tries each kind of fault many times, and counts them.
chaos: setup ## Kill, fill disks, stop, cut and flip bits, seeded (DNS_CHAOS_SEED); under 20 minutes
	@DNS_CHAOS=long $(TEST_ENV) $(BIN)/pytest -q -n $(WORKERS) -m chaos tests/chaos

# Without what films, trains, starts servers or opens browsers.
quick: setup ## Run the quick tests, for the inner loop (under three minutes)
	@$(TEST_ENV) $(BIN)/pytest -q -n $(WORKERS) -m "not slow" $(QUICK)

check: setup ## Lint, format, types, import contracts and documentation
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

wheel-check: setup ## Install the built wheel into fresh environments, one for each extra, and use it there
	@$(BIN)/python .ci/wheel_check.py

docs: setup ## Build the documentation into site/index.html, readable without a network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

format: setup ## Rewrite the code in the project's format
	@$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(TOOLS_STAMP): requirements-tools.lock
	@test -x $(TOOLS)/pip || $(PYTHON) -m venv .venv-tools
	$(TOOLS)/pip install -q $(LOCKED) -r requirements-tools.lock
	touch $@

lock: $(TOOLS_STAMP) ## Write the hashes of the lock files anew, after a version was changed
	@$(TOOLS)/python .ci/lock.py

audit: $(TOOLS_STAMP) ## Look for known weaknesses in the pinned packages and in the code
	@$(TOOLS)/python .ci/audit.py

sbom: setup $(TOOLS_STAMP) ## List every installed package with its licence (CycloneDX, distill-and-select.cdx.json)
	@$(TOOLS)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --spec-version 1.6 --output-reproducible -o distill-and-select.cdx.json
	echo "distill-and-select.cdx.json: $$(grep -c '"bom-ref"' distill-and-select.cdx.json) components"

bench: setup ## Time each part beside its slow twin, and the query service under load after a demo
	@$(BIN)/python -m benchmarks.speed
	if test -d artifacts/index; then $(BIN)/python benchmarks/service_load.py --queries 200; fi

screenshots: setup ## Picture every page of the dashboard that runs here (docs/screenshots)
	@$(BIN)/python benchmarks/screenshots.py $(DASHBOARD) docs/screenshots
