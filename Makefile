# Every target sets up .venv by itself and skips that when it is there and current.
PYTHON ?= python3
JOBS ?= 2
# `make lock` keeps this torch; everything else moves to its newest allowed version.
TORCH ?= 2.13.0

BIN := .venv/bin
# The stamp changes with the lock, the package's metadata and the checkout's place (scripts in a venv hold its path).
STAMP := .venv/ready-$(shell (cat requirements.lock pyproject.toml; pwd) | sha256sum | cut -c1-16)

.DELETE_ON_ERROR:
.PHONY: help setup demo demo-reads test check format lock benchmarks

help:
	@echo "make demo        simulate a genome, build a dataset, train four models, write demo/comparison/report.html"
	@echo "make demo-reads  the demo from simulated FASTQ on: align, coverage, dataset, models, demo_reads/comparison/report.html"
	@echo "make test        run the tests (REGACT_DATA=FOLDER adds those on real data)"
	@echo "make check       lint, format, types, import layers"
	@echo "make format      let ruff mend lint and format"
	@echo "make benchmarks  run benchmarks/bench_*.py"
	@echo "make lock        renew requirements.lock from pyproject.toml"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "regact: $(PYTHON) not found; on Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "regact: $$($(PYTHON) --version) found, 3.11 or newer needed; name another with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "regact: $(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up .venv (once; some minutes)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f .venv/ready-* && touch $@

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh experiments/demo.sh

demo-reads: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh experiments/demo_reads.sh

test: setup
	@$(BIN)/python -m pytest -m alone
	@$(BIN)/python -m pytest -m "not alone" --numprocesses $(JOBS)

check: setup
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m pytest --quiet tests/test_import_layers.py tests/test_public_names.py

format: setup
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

benchmarks: setup
	@set -e; for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script; done

# A fresh environment with the newest versions that pyproject.toml allows, frozen. torch's builds for other devices
# (+cpu, nvidia-*, triton) are left out: pip chooses them for the machine.
lock:
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --upgrade pip setuptools
	@.venv-lock/bin/python -m pip install --quiet torch==$(TORCH) --editable . --group dev
	@{ sed -n 1p requirements.lock; .venv-lock/bin/python -m pip freeze --all --exclude-editable --exclude pip --exclude wheel \
		| sed 's/+[a-z0-9.]*$$//' | grep -viE '^(nvidia-|cuda-|triton)' | tr 'A-Z_' 'a-z-' | LC_ALL=C sort; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock && rm -rf .venv-lock
	@echo "requirements.lock renewed; run make test before committing it"
