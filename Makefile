PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint deploy/constraints.txt

.PHONY: help install run test lint fuzz bench clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

install: $(VENV)/installed  ## Make .venv with everything that running needs

run: install  ## Start Kinora and print the link that opens it
	@$(BIN)/kinora serve

test: $(VENV)/installed-test  ## Run the whole suite, in two processes (WORKERS=8 for eight)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

lint: $(VENV)/installed-test  ## Formatting, lint, types, and who may import whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fuzz: $(VENV)/installed-test  ## Try to break the ledger, for as long as it takes
	@KINORA_TEST_EXAMPLES=2000 $(BIN)/python -m pytest \
	  tests/storage/test_ledger.py tests/storage/test_links.py tests/storage/test_purchases.py

bench: install  ## Measure this machine: rendering, memory, fairness, ETA, the event loop
	@$(BIN)/python -m tests.bench

clean:  ## Remove .venv; your data stays
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Kinora wants Python 3.11: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml deploy/constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV): a few minutes the first time."
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(PIP) --editable '.[test,postgres]'
	@touch $@
