# `make` lists what can be done. Everything runs in .venv, which `make setup` creates.

PYTHON ?= python3
PORT ?= 5000

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
# First on the path, so that the stages of dvc.yaml find this Python under its plain name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

STORE := sqlite:///$(CURDIR)/mlflow.db
PAGE := results/report/index.html

.PHONY: help
help: ## Show this list
	@echo "Photochrom. Start with: make repro"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: .venv/installed ## Install everything into .venv (only again when requirements change)

.venv/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11 or newer, or name one with make setup PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Photochrom needs Python 3.11 or newer, this is $$($(PYTHON) --version): name a newer one with make setup PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments: install its venv module (on Debian and Ubuntu the package python3-venv)." >&2; exit 1; }
	@.venv/bin/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo "Installing into .venv: some minutes and some 7 GB the first time, mostly PyTorch."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[samples,semantic,perceptual,cluster,onnx,dev]' || { echo "Not everything was installed, see above; run the same command again. If the disk is full: 7 GB must be free here and 3 GB in $${TMPDIR:-/tmp}." >&2; exit 1; }
	@touch $@

.PHONY: repro
repro: setup ## Run the pipeline: photographs, training, evaluation, report (minutes)
	@$(BIN)/photochrom params check
	$(BIN)/dvc repro
	@echo "The report: $(CURDIR)/$(PAGE)  (make report opens it, make ui shows the runs)"

.PHONY: test
test: setup lint ## Check style, types and rooms, then run all tests
	$(BIN)/python -m pytest

.PHONY: lint
lint: setup ## Check style, types and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: browser
browser: ## Find Chromium, in which the pages are tested, or install it (Debian, Ubuntu; as root)
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium, in which the pages are tested."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
		echo "Chromium is missing: install it (on Debian the package chromium)." >&2; exit 1; \
	fi

.PHONY: ui
ui: setup ## Compare the runs in MLflow in the browser (PORT=5000)
	@if [ -n "$$MLFLOW_TRACKING_URI" ]; then echo "The runs are at MLFLOW_TRACKING_URI, $$MLFLOW_TRACKING_URI." >&2; exit 1; fi
	@test -f mlflow.db || { echo "There are no runs yet: run make repro." >&2; exit 1; }
	@echo "MLflow: http://127.0.0.1:$(PORT)/#/experiments  (stop with Ctrl-C)"
	@$(BIN)/mlflow ui --host 127.0.0.1 --port $(PORT) --backend-store-uri "$(STORE)"

.PHONY: report
report: ## Open the report in the browser
	@test -f $(PAGE) || { echo "There is no report yet: run make repro." >&2; exit 1; }
	@echo "$(CURDIR)/$(PAGE)"
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then $(PYTHON) -m webbrowser "file://$(CURDIR)/$(PAGE)" >/dev/null; fi

.PHONY: bench
bench: setup ## Measure speed against limits and usual ways (BENCH="--only b,c --rounds 5")
	@$(BIN)/python benchmarks/run.py $(BENCH)

.PHONY: clean
clean: ## Remove caches and what the pipeline wrote; photographs, DVC's cache and runs stay
	git clean -fdXq -- data/raw data/filtered data/lab data/prior models results
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src stages tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Kept: .venv, .dvc/cache (dvc checkout brings the outputs back), .checkpoints of trainings"
	@echo "under way, mlflow.db, data/downloads and data/photographs."
