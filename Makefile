# What a developer types. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS_READY := $(VENV)/.peers-ready
AZURITE_VERSION := 3.37.0
AZURITE := node_modules/.bin/azurite-blob
TEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo up test lint format bench rooms azurite hooks lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  PYTHON=python3.12 (or any Python from 3.11) chooses the interpreter when .venv is made."

venv: $(READY) ## install everything into .venv (the other targets do this when it is needed)

demo: $(READY) ## build 120 days of a sandbox world, train, forecast and print the record; no token, no network
	@$(BIN)/ghstars demo

up: $(READY) ## serve the asset graph and the model registry until interrupted
	@$(BIN)/ghstars up

test: $(READY) ## run every test and print the coverage
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --cov --cov-report=term

lint: $(READY) ## style, types, import contracts, SQL, security
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint sql bench
	$(BIN)/bandit -q -ii -c pyproject.toml -r ghstars_assets bench tools

format: $(READY) ## rewrite Python and SQL in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix sql bench

bench: $(PEERS_READY) ## run every bench/*.py, figures in bench/results/
	@mkdir -p bench/results
	@set -e; for file in bench/*.py; do \
		echo "== $$file"; \
		$(BIN)/python "$$file" --json "bench/results/$$(basename "$$file" .py).json"; \
	done

azurite: $(AZURITE) ## install Azurite, so that the Azure Blob tests run (needs npm; skipped without)

$(AZURITE):
	npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error azurite@$(AZURITE_VERSION)

rooms: $(READY) ## draw docs/rooms.svg and list docs/stages.md, both from the code
	@$(BIN)/python -m tools.draw_rooms
	@$(BIN)/python -m tools.list_stages

hooks: $(READY) ## run the linters before every commit
	$(BIN)/pre-commit install

# The oldest supported Python makes the lock, so that every pin exists for the later ones too.
lock: ## resolve pyproject.toml afresh into constraints.txt (PYTHON=python3.11)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "make lock needs Python 3.11, the oldest supported: make lock PYTHON=python3.11" >&2; exit 1; }
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch/venv"; \
	"$$scratch/venv/bin/python" -m pip install -qq --upgrade pip; \
	"$$scratch/venv/bin/python" -m pip install -qq --no-compile -e '.[dev,postgres,bench]'; \
	{ sed -n '/^#/p' constraints.txt; \
	  "$$scratch/venv/bin/python" -m pip freeze --all --exclude setuptools --exclude wheel | grep ==; \
	} > "$$scratch/constraints.txt"; \
	mv "$$scratch/constraints.txt" constraints.txt
	@git --no-pager diff --stat -- constraints.txt

clean: ## delete .venv, caches, bench results and installed Node packages; .ghstars (your data) stays
	rm -rf $(VENV) node_modules bench/results build *.egg-info
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip compiles serially, which is half of an install; compileall uses every core and leaves out what only the
# packages' own tests import. An interrupted install is resumed, not begun again.
$(READY): pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		command -v "$(PYTHON)" >/dev/null || \
			{ echo "$(PYTHON) is not installed: install Python 3.11 or later, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
			{ echo "ghstars needs Python 3.11 or later and $(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())'): name another, for example make PYTHON=python3.12" >&2; exit 1; }; \
		$(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing into $(VENV) (one to two minutes, once) ..." >&2
	@$(BIN)/python -m pip install -qq --upgrade -c constraints.txt pip
	@$(BIN)/python -m pip install -qq --no-compile -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	@touch $@

$(PEERS_READY): $(READY)
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[dev,bench]'
	@touch $@
