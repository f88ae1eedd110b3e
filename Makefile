# Commands of one word; CONTRIBUTING.md says when to use which.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)

.PHONY: format lint types quick test docs

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

docs:  ## Write docs/reference anew from the settings, the commands and the public API.
	$(PYTHON) -m tools.reference
