# `make run` shows the whole story on this computer, `make test` holds it to its promises.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Two targets at once would set up the same folders.
.NOTPARALLEL:

PYTHON := .venv/bin/python
RECONVERGE := bin/reconverge
CODE := function_app.py shared responders cli sandbox bench tests
HOST ?= runtime

COMPILE := .venv/bin/uv pip compile --quiet --python-version 3.13 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links

.PHONY: help setup setup-az run test test-cluster up recreate down lint types bench lock

help: ## what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup:
	@bin/setup

setup-az:
	@bin/setup az

run: setup ## rebuild a cluster in a sandbox, watch the repair, and read the verdict
	@mkdir -p .sandbox
	@$(RECONVERGE) drill --report .sandbox/drill.html

test: setup-az ## every test
	@$(PYTHON) -m pytest

test-cluster: setup ## the Kubernetes contract against a cluster of yours (KUBECONFIG=…)
	@$(if $(KUBECONFIG),,$(error name the cluster: make test-cluster KUBECONFIG=…))
	@RECONVERGE_TEST_KUBECONFIG="$(abspath $(KUBECONFIG))" $(PYTHON) -m pytest tests/cluster

up: setup ## start a sandbox that stays (HOST=func: with Core Tools)
	@$(RECONVERGE) sandbox up --host $(HOST)

recreate: setup ## rebuild the cluster of that sandbox's dev
	@$(RECONVERGE) sandbox recreate

down: setup ## stop that sandbox
	@$(RECONVERGE) sandbox down

lint: setup ## ruff, its format, and the import contracts
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

types: setup ## strict types
	@$(PYTHON) -m mypy --strict $(CODE)

bench: setup ## each cost against its floor
	@$(PYTHON) -m bench

lock: setup ## the locks from what they are made of, keeping the versions that still fit
	@$(COMPILE) pyproject.toml --all-extras --output-file locks/dev.txt
	@$(COMPILE) pyproject.toml --no-annotate --constraints locks/dev.txt --output-file requirements.txt
	@$(COMPILE) locks/az.in --output-file locks/az.txt
