# `make test` and `make demo` need Python 3.11 or newer and PyPI, and nothing else.

PYTHON ?= python3
# One more than there are cores, since some tests wait, and at most four; more are slower.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 4 ? n + 1 : 4)))
VENV := .venv
DEMO_VENV := .venv-demo
RESULTS := .tox/results
PYENV_ROOT ?= $(HOME)/.pyenv
# The interpreters of pyenv count as well, behind all others.
export PATH := $(PATH):$(subst $() ,:,$(wildcard $(PYENV_ROOT)/versions/3.1[1-9]*/bin))

.PHONY: test proof lint demo mutants clean python
.DEFAULT_GOAL := test

test: $(VENV)/ready
	@rm -rf $(RESULTS) .tox/data
	@mkdir -p $(RESULTS)
	@status=0; \
	$(VENV)/bin/tox run-parallel --parallel $(JOBS) \
		$(if $(CI),--skip-missing-interpreters false) \
		--result-json $(RESULTS)/tox.json $(TOX_ARGS) </dev/null || status=$$?; \
	$(VENV)/bin/python tests/project/report.py $(RESULTS) || status=1; \
	exit $$status

# The slow tests with the full counts of tests/effort.py, and the chaos, one after the other.
proof: $(VENV)/ready
	$(VENV)/bin/tox run -e proof-sqlite,proof-postgres,chaos $(TOX_ARGS)

lint: $(VENV)/ready
	$(VENV)/bin/tox run -e lint

demo: $(DEMO_VENV)/ready
	$(DEMO_VENV)/bin/python manage.py demo $(ARGS)

# make mutants MODULES="tokens.py krea/wire.py"
mutants: $(VENV)/ready
	$(VENV)/bin/tox run -e mutants -- $(MODULES)

clean:
	rm -rf $(VENV) $(DEMO_VENV) .tox .mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build

$(VENV)/ready: Makefile | python
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet "tox>=4.26" tox-uv
	touch $@

$(DEMO_VENV)/ready: Makefile pyproject.toml | python
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python -m pip install --quiet --editable .
	touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
		exit 1; }
