# `make help` lists the targets. Python >= 3.11 and make are all that is needed; PYTHON=python3.12 chooses one.
.DEFAULT_GOAL := help
.PHONY: help install demo test check fmt synth deploy dist release lock previews bench bench-detection bench-breaker bench-cold-start pictures clean

VENV := .venv/bin
CANDIDATES := $(if $(PYTHON),$(PYTHON),$(VENV)/python python3.13 python3.12 python3.11 python3 python)
SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# The Node of .venv comes first, for the CDK command line.
export PATH := $(CURDIR)/$(VENV):$(PATH)
unexport PYTHONPATH PYTHONHOME

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 28

install: ## install everything below this folder (.venv, node_modules)
	@for python in $(CANDIDATES); do \
	  if "$$python" -c "$(SUITABLE)" >/dev/null 2>&1; then exec "$$python" install.py; fi; \
	done; \
	echo "install: no Python >= 3.11 with venv and ensurepip among: $(CANDIDATES)." >&2; \
	echo "install: on Debian and Ubuntu the package python3-venv has them; or say PYTHON=/path/to/python3.12." >&2; \
	exit 1

demo: install ## see it work on an embedded AWS, without an account
	@$(VENV)/python -m demo $(ARGS)

test: install ## all tests
	@$(VENV)/python -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: sessions
sessions: install ## each way in as a new user walks it, by the scripts of docs/sessions; some minutes
	@$(VENV)/python -m pytest -n 2 -m session tests/sessions $(ARGS)

check: install ## what CI runs: format, lint, types, tests, synth
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/python -m pytest -n 2 --dist loadfile
	@$(MAKE) --no-print-directory synth

fmt: install ## format, and mend what the linter can mend
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

synth: install ## the CloudFormation template, into cdk.out; ARGS="-c mail=ops@example.com"
	@$(VENV)/cdk synth --quiet $(ARGS)

deploy: install ## into the account of your AWS credentials; ARGS="-c mail=ops@example.com"
	@$(VENV)/python -m release.dropped $(ARGS)
	@$(VENV)/cdk deploy $(ARGS)

dist: install ## the Python package, wheel and sdist, into dist/
	@$(VENV)/python -m release.dist

release: dist ## what is deployed without CDK, into dist/: a template for each mode and one for an organisation, and the zip
	@$(VENV)/python -m release.template
	@$(VENV)/python -m release.organisation

LOCK := $(VENV)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "make lock"
lock: install ## the requirements files, from what pyproject.toml declares; ARGS=--upgrade
	@$(LOCK) $(ARGS) --generate-hashes --group functions -o lambdas/requirements.txt
	@$(LOCK) $(ARGS) pyproject.toml --extra cdk --group deploy -c lambdas/requirements.txt -o requirements.txt
	@$(LOCK) $(ARGS) pyproject.toml --extra cdk --extra mcp --group deploy --group dev -c requirements.txt -o requirements-dev.txt
	@$(LOCK) $(ARGS) --group checks -o requirements-checks.txt
	@$(LOCK) $(ARGS) --group runtime -o requirements-runtime.txt

bench: install ## what it costs, in exact counts and list prices; into benchmarks/results and the README
	@$(VENV)/python -m benchmarks.cost

previews: install ## every message as people read it; into docs/previews, with pictures where Chromium is installed
	@$(VENV)/python -m previews

.PHONY: bench-storm
bench-storm: install ## ten thousand services that begin to loop within ten minutes; ARGS="--services 1000" for fewer
	@$(VENV)/python -m benchmarks.storm $(ARGS)

.PHONY: bench-year
bench-year: install ## a year of 500 services on a virtual clock: nothing grows, nothing is stuck; ARGS="--services 50"
	@$(VENV)/python -m benchmarks.year $(ARGS)

bench-detection: install ## how well it detects, beside simpler rules; into benchmarks/results
	@$(VENV)/python -m benchmarks.detection $(ARGS)

bench-breaker: install ## what the breaker does to services, beside the same services without it
	@$(VENV)/python -m benchmarks.breaker $(ARGS)

bench-cold-start: install ## what a cold start costs, in instructions; needs valgrind
	@$(VENV)/python -m benchmarks.cold_start

pictures: install ## five incidents and what a terminal shows of them, into docs/pictures
	@$(VENV)/python -m benchmarks.pictures

.PHONY: mutants
mutants: install ## which small changes no test notices; ARGS="lambdas/loopbreaker/treating/*.py"
	@$(VENV)/python -m tests.mutants $(ARGS)

clean: ## remove everything that was installed or made
	rm -rf .venv node_modules cdk.out build dist infra/functions.zip .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
