# seqdata: one front door. `make` alone lists the targets.
# Each target sets up what it needs in .venv and can be run again and again.

VENV   := .venv
BIN    := $(VENV)/bin
# More than two cores have, since many tests wait for a browser, a kernel or another process.
WORKERS ?= 4
STAMP  := $(VENV)/.installed
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
            command -v $$p >/dev/null 2>&1 && \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
            { command -v $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help demo lab test soak simulate bench gallery pictures docs lint format clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP)  ## Sync a made-up household from a local sandbox, export and draw it (no account needed)
	@$(BIN)/seqdata demo

lab: $(STAMP)  ## Open the notebooks in JupyterLab (they run on the sandbox)
	@$(BIN)/seqdata notebooks demo/notebooks

test: $(STAMP) lint  ## Check style and types, then run all tests
	@$(BIN)/seqdata browser install --yes
	@$(BIN)/python -m compileall -q seqdata
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder

soak: $(STAMP)  ## Run the tests with full counts where they repeat (takes long)
	@$(BIN)/python -m compileall -q seqdata
	@SEQDATA_SOAK=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder

simulate: $(STAMP)  ## Simulate lives of a ledger, faults and all (SEED=7 with its log, STEPS=60)
	@$(BIN)/python tests/simulation $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS))

bench: $(STAMP)  ## Measure against the targets and a peer (QUICK=1: small sizes, a minute or two)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

gallery: $(STAMP)  ## Draw the charts that the documentation shows, from the sandbox
	@$(BIN)/python docs/gallery/draw.py

pictures: $(STAMP)  ## Take the pictures of the widgets, and run the notebooks for readers
	@SEQDATA_SOAK=1 SEQDATA_PICTURES=$(CURDIR)/docs/images SEQDATA_SHEETS=$(CURDIR)/build/pictures \
	  $(BIN)/python -m pytest -q tests/lab/test_lab_looks.py tests/lab/test_lab_fits.py
	@$(BIN)/python docs/notebooks/render.py

docs: $(STAMP)  ## Build the documentation into site/, warnings as errors
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

lint: $(STAMP)  ## Check style (ruff) and types (mypy)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q . && $(BIN)/mypy

format: $(STAMP)  ## Rewrite the code in the project's style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

clean:  ## Remove the virtual environment and everything generated; your data stays
	rm -rf $(VENV) benchmarks/.peer-venv benchmarks/.data build dist demo site .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
	  echo "seqdata needs Python 3.11 or newer, and none was found."; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; fi
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments."; \
	  echo "On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once; some minutes on a slow line)"
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1' || { \
	  echo "pip could not reach its package index. Check the connection, then run make again."; \
	  exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt \
	  -e '.[all]' --group dev || { \
	  echo "The installation failed; pip's message is above. Mend it, then run make again."; \
	  exit 1; }
	@touch $(STAMP)
