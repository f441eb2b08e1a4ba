# make demo   set up from nothing, run docs/demo.yaml and make its page; MODEL=NAME runs another model
# make demo-all   the same with all tasks, whole, and all weights that ship
# make gate   hold the shipped weights to their baseline    make test   set up and run lint, types and tests
# make lint   ruff, import arrows and mypy only             make test-full   with the speech recognisers, lmms-eval and Ray
# make wheel  build wheel and sdist and try them elsewhere

VENV := .venv
PIP := $(VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt
MODEL ?= vita15-mini
MODELS ?= $(notdir $(patsubst %/weights.json,%,$(wildcard models/weights/*/weights.json)))
SUITES := asr,tts,s2tt,sqa,image,video,latency
STAMP := $(shell date -u +%Y%m%dT%H%M%SZ)
# A command that opens a page of this machine in a browser, on Linux and macOS.
TELL_PAGE = @$(VENV)/bin/python -c 'import pathlib, sys; \
    print("to see every answer:  $(VENV)/bin/python -m webbrowser -t", pathlib.Path(sys.argv[1]).resolve().as_uri())'

.PHONY: demo demo-all gate test test-full lint system wheel clean

demo: $(VENV)/.base
	$(VENV)/bin/harness run --config docs/demo.yaml --model $(MODEL) --out runs/demo-$(STAMP)/$(MODEL)
	$(VENV)/bin/harness report runs/demo-$(STAMP)/$(MODEL) -o runs/demo-$(STAMP)/site >/dev/null
	$(TELL_PAGE) runs/demo-$(STAMP)/site/index.html

demo-all: $(VENV)/.base
	for model in $(MODELS); do \
	    $(VENV)/bin/harness run --model $$model --tasks $(SUITES) --data mini --skip-unable \
	        --out runs/demo-all-$(STAMP)/$$model || exit; \
	done
	$(VENV)/bin/harness report $(MODELS:%=runs/demo-all-$(STAMP)/%) -o runs/demo-all-$(STAMP)/site >/dev/null
	$(TELL_PAGE) runs/demo-all-$(STAMP)/site/index.html

# This repository's own gate: the shipped weights on a part of the mini world against the committed baseline.
gate: $(VENV)/.base
	folder=$$(mktemp -d) \
	&& $(VENV)/bin/harness run --model vita15-mini --tasks librispeech_test_clean,aishell1,mme --data mini --out $$folder/run \
	&& $(VENV)/bin/harness gate $$folder/run --baseline .ci/baselines/vita15-mini.json --gates .ci/gates.yaml -o $$folder/gate

test: system lint
	$(VENV)/bin/python -m pytest -n auto --dist worksteal

test-full: $(VENV)/.full test

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/mypy

# What the tests need besides Python: installed where that can be done without asking, else the command is told.
system:
	@missing=""; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	    || missing="$$missing chromium"; \
	[ -z "$$missing" ] && exit 0; \
	if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then \
	    sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	    echo "installing$$missing by apt-get (about half a minute)"; \
	    $$sudo apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
	    echo "the tests need$$missing: install them with your system's package manager"; \
	    echo "  Debian, Ubuntu: sudo apt-get install$$missing      macOS: brew install$$missing"; \
	    exit 1; \
	fi

# The stamps depend on what decides their content, so that a changed requirement installs again.
$(VENV)/.base: pyproject.toml constraints.txt
	@echo "installing the harness into $(VENV): about 2 GB, one to three minutes"
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "installing what lint and tests need"
	$(PIP) --editable ".[dev]"
	touch $@

$(VENV)/.full: $(VENV)/.dev
	@echo "installing the speech recognisers, WeTextProcessing, lmms-eval and Ray: about 2.7 GB more"
	$(PIP) --editable ".[judges,lmms,ray]"
	$(PIP) --no-deps lmms-eval==0.7.3
	touch $@

wheel: $(VENV)/.dev
	.ci/wheel

clean:
	rm -rf $(VENV) build dist *.egg-info
