# Commands of one word; CONTRIBUTING.md says when to use which.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

# How long each attack of `make attack` goes on, and where its account is appended.
ATTACK_S ?= 600
ATTACK_REPORT ?= attacks.jsonl

.PHONY: format lint types quick test attack fresh docs

format:  ## Put the code into shape, and repair what can be repaired without thought.
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

lint:  ## Say what is wrong or out of shape; change nothing.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:  ## Check the types.
	$(PYTHON) -m mypy

quick:  ## The tests that are not marked slow: under 90 s on two cores.
	$(PYTHON) -m pytest -q -m "not slow"

test:  ## All tests: under 8 minutes on two cores.
	$(PYTHON) -m pytest -q

attack:  ## Attack the promises for ATTACK_S seconds each (600); the account goes to ATTACK_REPORT.
	$(PYTHON) -m pytest -q -n0 --timeout 0 tests/attacks --attack-s $(ATTACK_S) --attack-report $(ATTACK_REPORT)

fresh:  ## Run the pages' commands with a wheel in a new environment, without source; PAGES="README.md ..." for some.
	$(PYTHON) -m tests.fresh $(PAGES)

docs:  ## Write docs/reference anew from the settings, the commands and the public API.
	$(PYTHON) -m tools.reference
