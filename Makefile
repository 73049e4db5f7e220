# make up      install into .venv and run Podium on this machine
# make test    install what the tests need and run them all
# make check   what CI runs: lint, types, import contracts, tests
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: up test check lint format words references pictures benchmark chaos slow gpu system-packages clean

up: .venv/installed
	$(BIN)/podium up $(ARGS)

test: .venv/installed-dev system-packages
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: lint test

words: .venv/installed-dev
	$(BIN)/python -m podium.web.wordlist

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	for folder in challenges/*-*; do $(BIN)/mypy $$folder/*.py || exit 1; done
	$(BIN)/lint-imports --no-cache

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The description of the API, the client's types and the references of docs/, written from the code.
references: .venv/installed-dev
	UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/test_docs.py tests/cli tests/web/test_api_openapi.py -k written_down

# The pictures of the docs, of real pages.
pictures: .venv/installed-dev system-packages
	UPDATE_PICTURES=1 $(BIN)/python -m pytest -q tests/browser/test_pictures.py

# Ratios to the bare limit, in one process at a time.
benchmark: .venv/installed-dev
	$(BIN)/python -m pytest -m benchmark -s $(ARGS)

# Thousands of submissions while everything under them is killed, frozen, filled and lost.
chaos: .venv/installed-dev
	CHAOS_SUBMISSIONS=$(or $(SUBMISSIONS),3000) $(BIN)/python -m pytest tests/chaos -x $(ARGS)

# On a machine with an NVIDIA device and a torch that knows it.
gpu: .venv/installed-dev
	$(BIN)/python -m pytest -m gpu $(ARGS)

slow: .venv/installed-dev system-packages
	$(BIN)/python -m pytest -m slow $(ARGS)

# Chromium for the tests of pages: installed where this user may, asked for where not.
system-packages:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || { echo "The tests of pages need chromium: sudo apt-get install chromium"; exit 1; }

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Podium needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,models,games]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,models,games,dev]'
	@touch $@

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache
