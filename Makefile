# Every target works from a fresh clone; `make` lists them.
PYTHON ?= python3
VENV   := $(if $(GPU),.venv-gpu,.venv)
BIN    := $(VENV)/bin
# GPU=1 serves with onnxruntime-gpu
# only what is given to make itself: shells export a HOST of their own
flag    = $(if $(filter command,$(firstword $(origin $(1)))),$(2) $($(1)))
LOCK   := requirements/$(if $(GPU),gpu,cpu).txt
# Label Studio takes 1 GB and minutes to install: kept in the cache, an environment for each lock file and Python
CACHE  := $(or $(SAMSERVE_CACHE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/samserve)
# and torch takes 6 GB
EXPORT := $(CACHE)/export-$(firstword $(shell { $(PYTHON) -V; cat requirements/export.txt; } | cksum))
E2E    := $(CACHE)/e2e-$(firstword $(shell { $(PYTHON) -V; cat requirements/e2e.txt; } | cksum))

.DEFAULT_GOAL := help
.PHONY: help serve install heif export test test-exporters test-export test-gpu bench-gpu test-label-studio test-browser e2e demo chromium check bench format lint types imports lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

serve: $(VENV)/serve.$(notdir $(LOCK)) ## Serve on HOST:PORT (0.0.0.0:9090); fetches the model the first time
	@$(BIN)/samserve serve $(call flag,HOST,--host) $(call flag,PORT,--port) $(ARGS)

install: $(VENV)/serve.$(notdir $(LOCK)) ## Install samserve into .venv, and start nothing

heif: $(VENV)/serve.$(notdir $(LOCK)) ## Let samserve read HEIC too (its library is under the GPL)
	@$(PIP) "$$(grep -om1 '^pillow-heif==[0-9.]*' requirements/dev.txt)"

test: $(VENV)/dev ## Run all tests, with coverage
	@$(BIN)/samserve weights pull
	$(BIN)/pytest --cov --cov-report=term $(ARGS)
	@$(MAKE) --no-print-directory test-exporters

EXPORTERS = $(EXPORT)/bin/python -m pytest --confcutdir=tests/exporters tests/exporters

test-exporters: $(EXPORT)/ready
	$(EXPORTERS) -m "not export_real"

test-export: $(VENV)/dev $(EXPORT)/ready ## Export the real MobileSAM from a checkpoint, and compare it with the published graphs
	@$(BIN)/samserve weights pull
	$(EXPORTERS) -m export_real $(ARGS)

export: $(EXPORT)/ready ## Make a model of a checkpoint: ARGS="--family sam --checkpoint FILE"
	@$(EXPORT)/bin/python -W ignore -m exporters $(ARGS)

# GPU_PYTHON: any Python that has onnxruntime-gpu and what docs/gpu.md lists, where a venv cannot be made
GPU_PYTHON ?= .venv-gpu/bin/python

test-gpu: $(if $(filter .venv-gpu/bin/python,$(GPU_PYTHON)),.venv-gpu/test) ## Run the tests that need an NVIDIA GPU
	$(GPU_PYTHON) -m pytest -m gpu --confcutdir=tests/gpu tests/gpu $(ARGS)

bench-gpu: $(if $(filter .venv-gpu/bin/python,$(GPU_PYTHON)),.venv-gpu/test) ## Time encodes and clicks on the GPU; more options: ARGS=--help
	@$(GPU_PYTHON) -m benchmarks.gpu --provider cuda $(ARGS)

.venv-gpu/test: requirements/gpu.txt requirements/dev.txt
	@$(MAKE) --no-print-directory GPU=1 .venv-gpu/serve.gpu.txt
	@$(PYTHON) -m pip --disable-pip-version-check --quiet --python .venv-gpu/bin/python install "$$(grep -om1 '^pytest==[0-9.]*' requirements/dev.txt)"
	@.venv-gpu/bin/samserve weights pull
	@touch $@

test-label-studio: $(VENV)/dev $(E2E)/ready ## Run the tests against a real Label Studio, installed into a venv of its own
	LABEL_STUDIO_COMMAND=$(E2E)/bin/label-studio $(BIN)/pytest tests/label_studio $(ARGS)

test-browser: $(VENV)/browser ## Play on the playground in Chromium (Debian: apt install chromium)
	$(BIN)/pytest tests/playground $(ARGS)

e2e: chromium $(E2E)/ready $(VENV)/serve.cpu.txt ## Click through a real Label Studio in a real browser
	@$(BIN)/samserve weights pull
	SAMSERVE=$(BIN)/samserve $(E2E)/bin/python -m pytest --confcutdir=tests/e2e tests/e2e $(ARGS)

demo: $(E2E)/ready $(VENV)/serve.cpu.txt ## Start Label Studio and samserve with a project of pictures to click on
	@$(BIN)/python docs/demo.py --label-studio $(E2E)/bin/label-studio --samserve $(BIN)/samserve --data $(CACHE)/demo $(ARGS)

chromium:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome || \
	   { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
	   { echo "make e2e needs Chromium; on Debian: sudo apt-get install chromium" >&2; exit 1; }; } >/dev/null

check: format lint types imports test ## All checks: format, lint, types, import contracts, tests, coverage

format: $(VENV)/dev
	$(BIN)/ruff format --check .

lint: $(VENV)/dev
	$(BIN)/ruff check .

types: $(VENV)/dev
	$(BIN)/mypy

imports: $(VENV)/dev
	$(BIN)/lint-imports

bench: $(VENV)/dev ## Time clicks on the server at URL (http://127.0.0.1:9090); more options: ARGS=--help
	@$(BIN)/samserve weights pull >&2
	@$(BIN)/python -m benchmarks --url $(URL) $(ARGS)
URL ?= http://127.0.0.1:9090

lock: ## Pin all dependencies anew (needs uv)
	@for extra in cpu gpu; do uv pip compile pyproject.toml $(LOCKED) --extra $$extra --group build -o requirements/$$extra.txt; done
	@uv pip compile pyproject.toml $(LOCKED) --extra cpu --group build --group dev -c requirements/cpu.txt -o requirements/dev.txt
	@uv pip compile pyproject.toml $(LOCKED) --extra cpu --extra export --group export -c requirements/cpu.txt -o requirements/export.txt
	@uv pip compile --group pyproject.toml:export-build $(LOCKED) -c requirements/export.txt -o requirements/export-build.txt
	@uv pip compile --group pyproject.toml:browser $(LOCKED) -c requirements/dev.txt -o requirements/browser.txt
	@uv pip compile --group e2e --no-config $(LOCKED) -o requirements/e2e.txt
LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade

clean: ## Remove what was built here (the cache folder stays)
	rm -rf .venv .venv-gpu .venv-label-studio .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage dist

# A venv without its own pip needs no ensurepip, which some systems leave out; the system's pip installs into it.
# The lock files are complete and hashed, so nothing is resolved (--no-deps).
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet --python $(BIN)/python install --no-deps

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "samserve needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/serve.%: requirements/% pyproject.toml | $(BIN)/python
	@echo "Installing samserve and its dependencies into $(VENV) ..."
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing samserve and its development tools into $(VENV) ..."
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation -e .
	@touch $@ $(VENV)/serve.cpu.txt

$(E2E)/ready: | $(BIN)/python
	@echo "Installing Label Studio and Playwright into $(E2E): 1 GB, once ..."
	@rm -rf $(E2E)
	@$(PYTHON) -m venv --without-pip $(E2E)
	@$(PYTHON) -m pip --disable-pip-version-check --quiet --python $(E2E)/bin/python install --no-deps --require-hashes -r requirements/e2e.txt
	@touch $@

# sam2 and iopath are published as sources: they are built with what is here, not with another copy of torch
$(EXPORT)/ready: export SAM2_BUILD_CUDA = 0
$(EXPORT)/ready: | $(BIN)/python
	@echo "Installing torch and the models' packages into $(EXPORT): 6 GB, once ..."
	@rm -rf $(EXPORT)
	@$(PYTHON) -m venv --without-pip $(EXPORT)
	@$(INTO_EXPORT) -r requirements/export-build.txt
	@$(INTO_EXPORT) --no-build-isolation -r requirements/export.txt
	@touch $@
INTO_EXPORT := $(PYTHON) -m pip --disable-pip-version-check --quiet --python $(EXPORT)/bin/python install --no-deps --require-hashes

$(VENV)/browser: requirements/browser.txt $(VENV)/dev
	@echo "Installing playwright into $(VENV) ..."
	@$(PIP) --require-hashes -r $<
	@touch $@
