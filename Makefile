# The front door. Works with Python >= 3.11 and pip; uses uv when it is there.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
P ?= examples/bookshop_vulnerable
# Quoted, as a path may hold spaces; the shell itself has to see a leading ~.
PATH_TO_REVIEW = $(if $(filter ~%,$(firstword $(P))),$(P),'$(subst ','\'',$(P))')
SEED ?= 1
SCANS ?= 220
MINUTES ?= 30
CORPUS ?= ../shared/corpus
MIRRORS ?= .work/mirrors

# The suite starts some thousand Python processes. Where this is set, each compiles the sources anew:
# 2.7 times the CPU for tests/cli, tests/mcp/test_story.py and tests/secapi/sandbox.
unexport PYTHONDONTWRITEBYTECODE
# A test that hangs fails by name, with the stacks of all threads; the longest takes about a minute.
HANGS := -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

.DEFAULT_GOAL := help
.PHONY: help review install lint format test test-matrix bench bench-file bench-service bench-secapi bench-lists chaos soak catalogue new-rule docs accuracy sample corpus requirements

help: ## list what there is
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/architect: pyproject.toml requirements/core.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it, or name it: make review PYTHON=/path/to/python3"; exit 2; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/core.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

review: $(BIN)/architect ## review the bundled example, or P=/path/to/any/backend
	@$(BIN)/architect review $(PATH_TO_REVIEW) || test $$? -eq 1
	@command -v architect >/dev/null || echo "\`architect\` stands in $(BIN); for this shell: . $(BIN)/activate" >&2

install: $(VENV)/.dev ## everything for developing

$(VENV)/.dev: pyproject.toml requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it, or name it: make test PYTHON=/path/to/python3"; exit 2; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(BIN)/architect

lint: install ## formatting, style, types, layers, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

format: install ## apply formatting and safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: install ## every test on 2 processes; starts its own PostgreSQL and Redis
	$(BIN)/python -m pytest -n 2 $(HANGS) -m "not matrix"

test-matrix: install ## heavy and combinatorial tests
	$(BIN)/python -m pytest -n 2 -m matrix

bench: install ## speed against the floor, memory, CPU per rule
	$(BIN)/python benchmarks/run.py

bench-file: install ## what the review of one changed file costs over MCP
	$(BIN)/python benchmarks/one_file.py

bench-service: install ## what an authenticated read of a generated service costs, layer by layer
	$(BIN)/python benchmarks/service/run.py

chaos: install ## SecAPI while everything under it is killed: SEED=n SCANS=n WITHOUT=defence; then every promise is checked
	$(BIN)/python -m chaos --seed $(SEED) --scans $(SCANS) $(if $(WITHOUT),--without $(WITHOUT))

soak: install ## SecAPI under steady load for MINUTES=n, and whether anything has grown
	$(BIN)/python -m chaos.soak --minutes $(MINUTES) --seed $(SEED)

bench-secapi: install ## what reading findings of SecAPI costs beside the same by hand
	$(BIN)/python benchmarks/secapi/run.py

bench-lists: install ## what a page of a list costs PostgreSQL, with up to a hundred thousand of everything
	$(BIN)/python benchmarks/secapi/lists.py

accuracy: install ## the app graph against imported applications
	$(BIN)/python ecosystem/accuracy.py

sample: install ## draw findings on pinned projects for judging: SEED=n
	$(BIN)/python ecosystem/sample.py $(SEED)

corpus: install ## certain and firm findings against known flaws: CORPUS=folder of flaws.jsonl and score.py, MIRRORS=folder of git directories
	mkdir -p .work/corpus
	$(BIN)/python $(CORPUS)/score.py --flaws $(CORPUS)/flaws.jsonl --mirrors $(MIRRORS) --work .work/corpus \
	  --tool architect --command '$(CURDIR)/$(BIN)/python $(CURDIR)/ecosystem/firm.py {path}' --tag "$$(git rev-parse HEAD)" \
	  --out .work/corpus/result.json

catalogue: install ## rules built and missing, by tier and category
	$(BIN)/python -m docs.catalogue

new-rule: install ## NAME=security/injection/name-of-the-wrong-thing
	$(BIN)/python -m fastapi_architect.proving.new_rule $(NAME)

docs: install ## write the generated pages, and build the site into .work/site
	$(BIN)/python -m docs.generate
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q -j auto docs .work/site
	@echo "open .work/site/index.html"

requirements: ## pin names, versions and hashes anew
	$(PYTHON) docs/pin_requirements.py
