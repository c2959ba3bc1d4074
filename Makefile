# Two commands on a fresh machine with Python 3.11: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DIR ?= var/ledger
TYPESCRIPT := tests/page/node/node_modules/.package-lock.json
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')
# Of the commit: other tests meet after each, and a run that went wrong can be repeated.
SEED ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1)

# Demo and tests start hundreds of processes: without its byte code cache, each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo lie serve needs test lint docs lock bench clean

help:
	@echo "make demo    the whole story on real data, in a minute or two"
	@echo "make lie     see a lie told and caught: NAME=changed_byte, say; without NAME, all that there are"
	@echo "make test    every check: format, lint, types, import rules, tests"
	@echo "make docs    the documentation as a site, into var/site"
	@echo "make lock    uv.lock and .ci/requirements.txt anew, from pyproject.toml"
	@echo "make bench   the benchmarks, as ratios to this machine's limits"
	@echo "make serve   run a ledger on http://127.0.0.1:8080 (DIR=$(DIR))"
	@echo "make clean   remove $(VENV) and var/"

$(INSTALLED): pyproject.toml .ci/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=$(PYTHON) is older"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement .ci/requirements.txt --quiet
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/ledger demo --out var/demo

lie: $(INSTALLED)
	@$(BIN)/python -m tests.lies $(NAME) $(if $(KEEP),--keep $(KEEP))

serve: $(INSTALLED)
	@test -e $(DIR)/ledger.db || $(BIN)/ledger init $(DIR) --origin localhost/ledger --operator operator.localhost
	@$(BIN)/ledger serve $(DIR)

needs:
	@.ci/needs

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy ledger verifier tests benchmarks
	$(BIN)/lint-imports

# Where npm or the network is missing, the test that needs it says so.
$(TYPESCRIPT): tests/page/node/package-lock.json
	@npm ci --prefix tests/page/node --no-audit --no-fund --silent && touch $@ || true

# Coverage takes a third of the time again: CI measures it, against the floor in pyproject.toml. Tests wait for processes
# that they start: one worker more than there are cores keeps these busy. Lint runs meanwhile; what it finds is shown at
# once, and fails the whole.
test: needs $(INSTALLED) $(TYPESCRIPT)
	@mkdir -p var; \
	{ $(MAKE) --no-print-directory lint >var/lint.txt 2>&1 || { cat var/lint.txt; false; }; } & lint=$$!; \
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --randomly-seed $(SEED) -rs \
		$(if $(CI),--cov --cov-report term:skip-covered); tests=$$?; \
	wait $$lint && lint=passed || lint="failed (var/lint.txt)"; \
	echo "format, lint, types, import rules: $$lint"; \
	test $$tests = 0 && test "$$lint" = passed

docs: $(INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "var/site/index.html"

lock: $(INSTALLED)
	@$(BIN)/uv lock
	@$(BIN)/uv export --quiet --locked --no-emit-project --no-header --extra dev --extra docs --format requirements-txt \
		--output-file .ci/requirements.txt

bench: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) var
