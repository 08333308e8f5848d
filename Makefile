# Every recipe sets up what it needs: Python 3.11 to 3.13 and make are enough.
CHECK := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(CHECK)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
BENCH := .venv-bench
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header

.DEFAULT_GOAL := help
.PHONY: help install demo test chaos markers histories simulation lint audit format lock bench bench-ingest bench-warehouse bench-ml stop clean

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/'

$(UV): locks/bootstrap.txt
	@test -n "$(PYTHON)" || { echo "Kyalo needs Python 3.11, 3.12 or 3.13 with venv (on Debian: apt install" \
		"python3-venv), or name one: make PYTHON=/path/to/python ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@touch $(UV)

$(VENV)/.installed: $(UV) locks/development.txt pyproject.toml
	@echo "installing into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes locks/development.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.installed ## set up the environment in .venv

KYALO := $(BIN)/kyalo

demo: install ## set up everything and run the main job; SURVEYS=file.csv runs it on a file of yours
	@$(KYALO) demo $(if $(SURVEYS),--surveys "$(SURVEYS)")

TEST_SERVERS := tests/servers/node_modules/.package-lock.json

$(TEST_SERVERS): tests/servers/package-lock.json
	@cd tests/servers && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || \
		echo "without npm the tests against Azure Blob and against a PostgreSQL with TLS are left out"

# Three workers for two processors: tests also wait. The longest files come first, in the order of their names.
test: install $(TEST_SERVERS) ## set up everything and run every test
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

chaos: install ## kill API, worker and PostgreSQL a hundred times (SEED=7 repeats an order, RUNS=20), and a run at every step
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS))
	@$(BIN)/python -m tests.chaos.runs

markers: install ## plant 2,000 people at every door, run everything, search every byte for them; some 5 minutes
	@KYALO_MARKERS=2000 $(BIN)/python -m pytest -q tests/e2e/test_personal_data.py

lint: install ## check style, security, types, imports and SQL
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive warehouse ingest_api ml orchestration
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(KYALO) exec $(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests

audit: install ## ask which dependencies have known weaknesses; needs the network, and PyPI or a mirror that tells them
	@$(BIN)/pip-audit --disable-pip --require-hashes --strict -r locks/runtime.txt

format: install ## write Python as the style asks
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

lock: $(UV) ## resolve the dependencies again and write the lock files
	@$(UV) pip compile $(COMPILE) pyproject.toml --group build --group lint --group test -o locks/development.txt
	@$(UV) pip compile $(COMPILE) pyproject.toml --group build -c locks/development.txt -o locks/runtime.txt
	@$(UV) pip compile $(COMPILE) --group bench -o locks/benchmarks.txt

bench: install ## measure, and compare with the goals in docs/benchmarks.md
	@$(BIN)/python -m benchmarks.main_job

$(BENCH)/.installed: $(UV) locks/benchmarks.txt
	@echo "installing what only benchmarks need into $(BENCH)"
	@$(UV) venv --quiet --clear --python $(BIN)/python $(BENCH)
	@VIRTUAL_ENV=$(BENCH) $(UV) pip sync --quiet --require-hashes locks/benchmarks.txt
	@touch $@

bench-ingest: install $(BENCH)/.installed ## measure every door, some 20 minutes; needs wrk (on Debian: apt install wrk) and 10 GB
	@$(BIN)/python -m benchmarks.ingest $(OPTIONS)

bench-warehouse: install ## measure building a million submissions, some 10 minutes, and the defects that the rules find
	@$(BIN)/python -m benchmarks.warehouse $(OPTIONS)
	@$(BIN)/python -m benchmarks.faults

bench-ml: install ## measure training, scoring, answers at once, parity, the gate and drift, some 30 minutes
	@$(BIN)/python -m benchmarks.training $(if $(SURVEYS),--surveys "$(SURVEYS)")
	@$(BIN)/python -m benchmarks.scoring
	@$(BIN)/python -m benchmarks.online
	@$(BIN)/python -m benchmarks.parity
	@$(BIN)/python -m benchmarks.gate
	@$(BIN)/python -m benchmarks.drift

histories: install ## build twenty random histories step by step and anew, and compare; HISTORIES=5 is shorter
	@KYALO_HISTORIES=$(or $(HISTORIES),20) $(BIN)/python -m pytest tests/integration/test_histories.py -n 2

simulation: install ## let thirty clean days pass and twelve faults happen, some 40 minutes, and tell the alerts; DAYS=3 is shorter
	@$(BIN)/python -m tests.simulation $(if $(DAYS),--days $(DAYS)) $(if $(SEED),--seed $(SEED))

stop: ## stop the embedded PostgreSQL
	@$(KYALO) stop

clean: ## remove the environment and caches; surveys and models stay in .kyalo
	@rm -rf $(VENV) $(BENCH) .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/dbt_packages \
		tests/servers/node_modules
