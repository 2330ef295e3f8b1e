# Needs Python 3.11 or later and make; everything else is installed into .venv on first use.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install -q -c constraints/cpu.txt
DEMO_STEPS ?= 60000

.PHONY: help demo test lint smoke docs interop wheel clean

help:
	@echo "make demo   train an agent in about a minute: progress, scores beside the baselines, a curve"
	@echo "make test   run the tests"
	@echo "make lint   check style and types"
	@echo "make smoke  run a small benchmark whole, in about two minutes, and make its report"
	@echo "make docs   build the site in docs/_build/html, warnings are errors"
	@echo "make interop  run every example of the site: RL Zoo, RLlib, TorchRL and Tianshou train, each as it is"
	@echo "make wheel  build the wheel, install it into a fresh environment, and use it from an empty folder"
	@echo "make clean  remove .venv and what tools leave behind; runs/ stays"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints/cpu.txt | $(BIN)/python
	@echo "Installing nlp-gym-envs and what it needs into $(VENV); this takes a few minutes, once."
	@$(INSTALL) -e ".[plots]"
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints/cpu.txt | $(BIN)/python
	@echo "Installing nlp-gym-envs and its tools into $(VENV); this takes a few minutes, once."
	@$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	@out=runs/demo; number=2; \
	while [ -e "$$out" ]; do out=runs/demo-$$number; number=$$((number + 1)); done; \
	set -x; $(BIN)/nlp-gym train --agent ppo --env nlp/sentiment-label-v0 --steps $(DEMO_STEPS) --out "$$out"

test: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright -p . --pythonpath $(BIN)/python

smoke: $(VENV)/.installed-dev
	HF_HUB_OFFLINE=1 $(BIN)/nlp-gym benchmark configs/smoke.yaml --workers 2 --out runs/smoke
	$(BIN)/nlp-gym report runs/smoke

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	@$(INSTALL) -e ".[dev,docs]"
	@touch $@

docs: $(VENV)/.installed-docs
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

$(VENV)/.installed-interop: $(VENV)/.installed-dev
	@$(INSTALL) -e ".[dev,interop]"
	@touch $@

$(VENV)-tianshou/.installed: pyproject.toml constraints/cpu.txt
	@$(PYTHON) -m venv $(VENV)-tianshou
	@$(VENV)-tianshou/bin/python -m pip install -q -c constraints/cpu.txt -e . "tianshou>=2,<3" pytest pytest-timeout
	@touch $@

interop: $(VENV)/.installed-interop $(VENV)-tianshou/.installed
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 -m "slow or not slow" tests/test_docs.py -k "example or library"
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(VENV)-tianshou/bin/python -m pytest -m "slow or not slow" tests/test_docs.py -k tianshou

wheel: $(VENV)/.installed-dev
	PYTHON=$(BIN)/python tests/wheel.sh

clean:
	rm -rf $(VENV) $(VENV)-tianshou docs/_build docs/environments docs/results .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
