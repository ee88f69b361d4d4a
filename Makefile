# Needs make and a Python from 3.11 to 3.13, nothing else. `make` lists the targets.
#
#   PYTHON=/path/to/python   which Python; without it the newest that works
#   VENV=.venv               where its packages go
#   ARGS="..."               passed on by test, bench, demo and start

PYTHON ?=
VENV ?= .venv
SERVE ?= 1
ARGS ?=
bin := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo start test test-unit check bench fuzz tsql chaos memory e2e infra focus fmt lock schema openapi zip clean packages packages-dev packages-e2e

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: packages ## an hour of sample traffic through the triggers, three tables, then the audit API (SERVE=0: stop after the tables)
	@"$(bin)/python" -m localhost demo $(if $(filter 0 no false,$(SERVE)),--no-serve) $(ARGS)

start: packages ## the functions on http://127.0.0.1:7071, with the ledger under .local/
	@"$(bin)/python" -m localhost start $(ARGS)

# Four at once on two cores too: those that run whole hosts spend most of their time waiting.
test: packages-dev ## all tests (ARGS="-k replay")
	@"$(bin)/python" -m pytest -n 4 --dist worksteal $(ARGS)

test-unit: packages-dev ## units of the app without the slow ones, in less than a minute (ARGS="-k replay")
	@"$(bin)/python" -m pytest -n 2 --dist worksteal -m "not slow" tests/unit --ignore tests/unit/infra $(ARGS)

check: packages-dev ## format, lint, types, layers, spelling, rendered schema, OpenAPI: what CI checks
	@"$(bin)/ruff" format --check --quiet --diff .
	@"$(bin)/ruff" check --quiet .
	@"$(bin)/lint-imports" --no-logo >"$(VENV)/lint-imports.log" || { cat "$(VENV)/lint-imports.log"; exit 1; }
	@"$(bin)/mypy"
	@"$(bin)/codespell"
	@"$(bin)/python" -m shared.stores.sql.migrate schema | diff -u sql/schema.sql - \
		|| { echo "sql/schema.sql is not what the migrations render: run make schema"; exit 1; }
	@"$(bin)/python" -m tests.tools.contract check
	@"$(bin)/python" clients/python/generate.py --check
	@echo "All checks passed."

bench: packages-dev ## all that is measured, with goals, over a ledger of 1,000,000 calls that is kept (ARGS="--rows 10000000 questions timers", COMPARE=old.json)
	@"$(bin)/python" -m tests.benchmarks $(ARGS) $(if $(COMPARE),--compare $(COMPARE))

focus: packages-dev ## the validator of FOCUS reads exports, CSV and Parquet
	@python=$$(.ci/find-python 3.12) && .ci/venv "$(VENV)-focus" requirements-focus.txt "$$python" \
		&& PROMPTLEDGER_FOCUS_VALIDATOR="$(VENV)-focus" "$(bin)/python" -m pytest -q -rs tests/unit/test_focus.py

fmt: packages-dev ## format, and fix what ruff can fix
	@"$(bin)/ruff" check --quiet --fix-only .
	@"$(bin)/ruff" format .

lock: packages-dev ## write requirements*.txt from requirements*.in (ARGS=--upgrade: take newer versions)
	@for name in requirements requirements-local requirements-dev requirements-fuzz requirements-e2e requirements-infra; do \
		"$(bin)/uv" pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
			--custom-compile-command "make lock" --output-file $$name.txt $(ARGS) $$name.in || exit 1; \
	done
	@"$(bin)/uv" pip compile --quiet --no-config --universal --python-version 3.12 --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements-focus.txt $(ARGS) requirements-focus.in
	@"$(bin)/uv" pip compile --quiet --no-config --no-deps --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements-tsql.txt $(ARGS) requirements-tsql.in

fuzz: packages-dev ## mutations of every source's events for ten minutes (ARGS="--seconds 30")
	@"$(bin)/python" -m pip install -qq --disable-pip-version-check --no-input --only-binary :all: \
		--require-hashes -r requirements-fuzz.txt || echo "NOTE: no wheel of atheris for this machine"
	@"$(bin)/python" -m tests.fuzz $(ARGS)

tsql: packages-dev ## Microsoft's parser reads every line of T-SQL that the product sends or ships
	@"$(bin)/python" -m pip install -qq --disable-pip-version-check --no-input --only-binary :all: --no-deps \
		--require-hashes --upgrade --target "$(VENV)/tsql" -r requirements-tsql.txt \
		|| echo "NOTE: no packages of the T-SQL parser for this machine"
	@PYTHONPATH="$(VENV)/tsql" "$(bin)/python" -m tests.tsql

chaos: packages-dev ## hosts under every fault we know, 100,000 events, ten minutes (ARGS="--events 8000 --seconds 40")
	@"$(bin)/python" -m tests.chaos $(ARGS)

memory: packages-dev ## the most memory that the largest batches, and a replay of 1,000,000 events, take (ARGS="--events 50000")
	@"$(bin)/python" -m tests.chaos.batches
	@"$(bin)/python" -m tests.chaos.memory $(ARGS)

e2e: packages-e2e ## producer, hub, checkpoints, host, ledger, API: all real but the services' stand-ins
	@"$(bin)/python" -m pytest tests/e2e/test_event_hubs.py $(ARGS)

infra: packages-dev ## compile the templates of infra/ where there is a bicep, ask what they deploy, and lint them with checkov
	@.ci/compile-templates
	@"$(bin)/python" -m pytest -q -rs tests/unit/infra/test_snapshots.py
	@.ci/venv "$(VENV)-infra" requirements-infra.txt "$(PYTHON)"
	@.ci/lint-templates "$(VENV)-infra/bin/checkov"

schema: packages-dev ## write sql/schema.sql from the migrations
	@"$(bin)/python" -m shared.stores.sql.migrate schema >sql/schema.sql.new
	@mv sql/schema.sql.new sql/schema.sql

openapi: packages-dev ## write docs/openapi.json and the client from the routes (RELEASED=1: and docs/openapi.released.json, for a release)
	@"$(bin)/python" -m tests.tools.contract write
	@"$(bin)/python" clients/python/generate.py
	@$(if $(filter 1,$(RELEASED)),"$(bin)/python" -m tests.tools.contract release)

zip: ## build/app.zip, the package that is deployed (ARGS=other.zip)
	@"$$(.ci/find-python)" .ci/package.py $(ARGS)

clean: ## remove what these targets made, the local ledger too
	rm -rf "$(VENV)" "$(VENV)-infra" "$(VENV)-focus" tests/parts/node_modules .local build
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@.ci/venv "$(VENV)" requirements-local.txt "$(PYTHON)"

packages-e2e: packages-dev
	@.ci/venv "$(VENV)" requirements-e2e.txt "$(PYTHON)" || echo "NOTE: python-qpid-proton cannot be built here, so there is no Event Hubs stand-in"
	@.ci/npm tests/parts

packages-dev:
	@.ci/venv "$(VENV)" requirements-dev.txt "$(PYTHON)"
