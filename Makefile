# run · demo · test · check · interop · bench · chaos · soak: each makes what it needs first.
PYTHON ?= python3
BIN := .venv/bin
# Compiling a source costs more than running it: whatever the environment says, the result is kept for the next process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test check bench chaos soak defences interop proto dev clean

help:            ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/  -/'

run:             ## the gateway on 127.0.0.1:8000, with its own PostgreSQL unless DATABASE_URL is set
	@$(PYTHON) tools/bootstrap.py run
	@$(BIN)/recado serve

demo:            ## the same against the emulator: no phone, no account
	@$(PYTHON) tools/bootstrap.py run
	@$(BIN)/recado demo

dev:
	@$(PYTHON) tools/bootstrap.py dev

check: dev       ## types, lint, import contracts, size budget: under a minute
	@$(BIN)/ruff check src tests tools bench examples
	@$(BIN)/ruff format --check src tests tools bench examples
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest tests/architecture -p no:randomly

test: dev        ## every test: check first, then all the rest
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -p no:randomly --ignore=tests/architecture --durations=15 -n 2 --dist loadscope

interop: dev     ## only the unmodified Baileys at the other end; writes docs/reference/interop.md
	@RECADO_INTEROP_TABLE=1 $(BIN)/pytest -p no:randomly tests/interop

bench: dev       ## every figure, with Baileys beside it in the same run
	@$(BIN)/python -m bench

chaos: dev       ## workers, PostgreSQL and networks fail under traffic: MINUTES=5 SEED=… ACCOUNTS=300 WORKERS=3
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) \
	    $(if $(ACCOUNTS),--accounts $(ACCOUNTS)) $(if $(WORKERS),--workers $(WORKERS)) $(CHAOS)

soak: dev        ## many accounts and mixed traffic for long, memory watched: MINUTES=20 SEED=… ACCOUNTS=500
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED)) \
	    $(if $(ACCOUNTS),--accounts $(ACCOUNTS)) $(SOAK)

defences: dev    ## each defence taken out once, and its test must fail: ONLY="csrf scopes"; about half an hour for all
	@$(BIN)/python -m tests.defences $(if $(ONLY),--only $(ONLY)) $(DEFENCES)

proto: dev       ## compile proto/*.proto again
	@$(BIN)/python tools/gen_proto.py

clean:           ## remove the environment and everything made
	rm -rf .venv .run tests/interop/node_modules build dist
