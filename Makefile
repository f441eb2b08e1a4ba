# make demo   set up from nothing and run the main job      make test   set up and run lint, types and tests
# make lint   ruff and mypy only                            make test-full   with the speech recognisers and lmms-eval

VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MODEL ?= vita15-mini
ESPEAK := $(shell command -v espeak-ng)
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: demo test test-full lint clean

demo: $(VENV)/.base
	$(VENV)/bin/harness run --model $(MODEL) --tasks asr,mme --data mini --out runs/demo-$$(date -u +%Y%m%dT%H%M%SZ)

test: lint
	@test -n "$(ESPEAK)" || { echo "make test needs espeak-ng (Debian: apt-get install espeak-ng)"; exit 1; }
	@test -n "$(CHROMIUM)" || { echo "make test needs Chromium (Debian: apt-get install chromium)"; exit 1; }
	$(VENV)/bin/python -m pytest

test-full: $(VENV)/.full test

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The stamps depend on what decides their content, so that a changed requirement installs again.
$(VENV)/.base: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable ".[dev]"
	touch $@

$(VENV)/.full: $(VENV)/.dev
	$(PIP) --editable ".[judges,lmms]"
	$(PIP) --no-deps lmms-eval==0.7.3
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
