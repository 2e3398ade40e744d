# Lotkeeper: each target is one command that does its own set-up. Needs git, make, python3.11 and python3.11-venv; no root.
#   PYTHON=...    the interpreter the environment is made with (3.11 or newer)
#   ARGS="..."    passed on: make demo ARGS="--seconds 60", make bench ARGS=--quick

PYTHON ?= $(shell for name in python3.11 python3; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
CONTRACT ?= ../shared/contract
ARGS ?=
# Test files run side by side, each whole file in one process.
WORKERS ?= auto

BIN := .venv/bin
# Two stamps, so that the first demo does not wait for the tools that check the project.
SERVER := .venv/.server
TOOLS := .venv/.tools
PROTO_TOOLS := .venv-protos/.ready
SDKS := .venv-certify/.ready
PIP := -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo run test clients check bench crash certify protos lint types floors lint-protos breaking check-protos clean
.DELETE_ON_ERROR:

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | awk -F': ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

demo: $(SERVER) ## three bots trade through a sidecar that is killed half way; 30 s
	@$(BIN)/lotkeeper demo $(ARGS)

run: $(SERVER) ## serve on 127.0.0.1:50051 with var/lotkeeper.db
	@mkdir -p var
	@$(BIN)/lotkeeper serve --listen 127.0.0.1:50051 --database var/lotkeeper.db $(ARGS)

# Measuring coverage doubles the time of what it watches, so it watches the domain's own tests, which have to reach all of it.
test: $(TOOLS) ## every test but the long suites; the domain's coverage must be whole
	$(BIN)/python -m pytest tests/domain --cov
	$(BIN)/python -m pytest --ignore=tests/domain -n $(WORKERS) --dist loadfile $(ARGS)

clients: $(TOOLS) ## the clients in Go, TypeScript, Java and Rust by their own tests, as far as the languages are installed
	client/test.sh $(ARGS)

check: lint types floors lint-protos breaking check-protos ## what a machine can see without running it

bench: $(TOOLS) ## measure; prints the table and writes JSON
	$(BIN)/python -m tests.bench $(ARGS)

crash: $(TOOLS) ## kill a real server at every write, 200 times at random, fill its disk, crowd it; needs strace
	@command -v strace >/dev/null || { echo "make crash needs strace: sudo apt-get install strace" >&2; exit 1; }
	$(BIN)/python -m pytest -m crash tests/simulation $(ARGS)

certify: $(TOOLS) $(SDKS) ## the vendors' own libraries read from the fake venues and brokers that everything is tested against
	LOTKEEPER_DEMAND_ALL=1 $(BIN)/python -m pytest -m certify tests/certify $(ARGS)

protos: $(PROTO_TOOLS) ## write the Python stubs again
	.venv-protos/bin/python protos/generate.py client/python

lint: $(TOOLS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(TOOLS)
	$(BIN)/mypy

floors: $(TOOLS)
	$(BIN)/lint-imports --no-logo

lint-protos: $(TOOLS)
	$(BIN)/buf lint protos

breaking: $(TOOLS)
	@if [ -d "$(CONTRACT)" ]; then echo "buf breaking protos --against $(CONTRACT)"; \
	  $(BIN)/buf breaking protos --against "$(CONTRACT)"; \
	else echo "breaking gate not run: there is no $(CONTRACT) (CONTRACT=... names another place)"; fi

check-protos: $(PROTO_TOOLS)
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && .venv-protos/bin/python protos/generate.py "$$fresh" && \
	  diff -r --brief --exclude=__pycache__ "$$fresh/lotkeeper/v1" client/python/lotkeeper/v1 && echo "stubs are fresh" || \
	  { echo "the committed stubs are not what the protos give: run 'make protos' and commit" >&2; exit 1; }

clean: ## forget environments and caches; var/ stays
	rm -rf .venv .venv-protos .venv-certify .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

# $(call environment,FOLDER): a virtual environment, or the one command that makes it possible.
define environment
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is missing: sudo apt-get install python3.11 python3.11-venv" >&2; exit 1; }
	@[ -x $(1)/bin/pip ] || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv is missing: sudo apt-get install python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv" >&2; exit 1; }
	@[ -x $(1)/bin/pip ] || { echo "setting up $(1), once"; $(PYTHON) -m venv $(1); }
endef

$(SERVER): pyproject.toml constraints.txt
	$(call environment,.venv)
	$(BIN)/python $(PIP) --editable '.[server,postgresql,brokers]'
	@touch $@

$(TOOLS): $(SERVER)
	$(BIN)/python $(PIP) --editable '.[server,postgresql,brokers,dev]'
	@touch $@

$(PROTO_TOOLS): protos/requirements.txt
	$(call environment,.venv-protos)
	.venv-protos/bin/python -m pip install --disable-pip-version-check --requirement protos/requirements.txt
	@touch $@

$(SDKS): tests/certify/requirements.txt
	$(call environment,.venv-certify)
	.venv-certify/bin/python -m pip install --disable-pip-version-check --requirement tests/certify/requirements.txt
	@touch $@
