# Everything here sets itself up. PYTHON names the interpreter to begin with; it must be 3.11 or newer.
PYTHON ?= python3
# Tests that deploy wait for most of their time, so more of them run at once than there are cores on a small machine.
WORKERS ?= 3
RUN := .venv/bin

# Without kept bytecode every pulumi run compiles the provider's package anew, which takes longer than the run itself.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint format types bench docs site lock clean

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup:  ## .venv with the locked dependencies, and the Pulumi engine
	@$(PYTHON) tools/setup_environment.py

demo: setup  ## Deploy an example campaign to the sandbox and generate images (KEEP=1 leaves it running)
	@$(RUN)/python -m demo

test: setup  ## Every test that needs no Google account
	@$(RUN)/python tools/setup_browser.py
	@$(RUN)/pytest -n $(WORKERS) --dist loadfile $(PYTEST)

lint: setup  ## Formatter, linter, type checker
	@$(RUN)/ruff format --check . && $(RUN)/ruff check . && $(RUN)/mypy

format: setup  ## Format and mend what can be mended
	@$(RUN)/ruff format . && $(RUN)/ruff check --fix .

bench: setup  ## Measure, and write bench/results.json, which the documentation shows
	@$(RUN)/python -m bench

docs: setup  ## Regenerate the generated parts of the documentation
	@$(RUN)/python -m tools.generate_docs

site: setup  ## Build docs/ as a site, into build/site
	@$(RUN)/zensical build

LOCK := $(RUN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --upgrade

lock: setup  ## Resolve and hash the dependencies anew
	@$(LOCK) --extra sandbox --extra dev pyproject.toml -o requirements/all.txt
	@$(LOCK) requirements/policies.in -o requirements/policies.txt
	@$(LOCK) functions/requirements.in -o functions/requirements.txt
	@awk '/^uv==/{p=1} p{print} p&&!/\\$$/{exit}' requirements/all.txt > requirements/installer.txt

clean:  ## Remove what was made here; the engine's cache stays
	@rm -rf .venv .plantain out build dist *.egg-info
