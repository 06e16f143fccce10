# The whole workflow. Everything happens in .venv; nothing needs to be installed by hand but Python, make and pip.
.PHONY: demo test check format lock schema build clean

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

demo: .venv/demo  ## watch an agent learn, on real MiniHack
	$(BIN)/ictbench run --env minihack

test: .venv/dev  ## the tests that need no heavy package
	$(BIN)/pytest -n auto

check: .venv/dev  ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: .venv/dev  ## write docs/result.schema.json from the models
	$(BIN)/python -c 'from ictbench.results.schema import json_schema; print(json_schema(), end="")' > docs/result.schema.json

build: .venv/dev  ## the wheel
	$(BIN)/python -m build --wheel --outdir dist

lock: .venv/dev  ## bring requirements.txt up to date with pyproject.toml
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --all-extras --group dev pyproject.toml --output-file requirements.txt

clean:
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[minihack]'
	@touch $@

.venv/dev: pyproject.toml requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --editable .
	@touch $@
