# Two commands on a fresh machine: `make demo` and `make test`. Each installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint install constraints clean

demo: install  ## make a small world, run the main job on it, show its personas
	@$(BIN)/personagraph demo

test: java install  ## everything; starts a real Neo4j with open GDS itself
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: install  ## format and fix what a machine can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt overrides.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is older or missing."; \
	  echo "Install it (Debian: apt-get install python3 python3-venv) or say which: make PYTHON=python3.12"; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt \
	  --override overrides.txt --compile-bytecode --editable '.[test]'
	@touch $@

# Where the tests look for a JDK (tests/neo4j/server.py).
JAVAS = "$$JAVA_HOME/bin/java" java /usr/lib/jvm/*/bin/java \
	/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java

java:
	@missing=; command -v mvn >/dev/null || missing="Maven"; \
	found=$$(for java in $(JAVAS); do \
	  "$$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'; done | sort -nu | xargs); \
	case " $$found " in *" 17 "*|*" 21 "*) ;; \
	  *) missing="a JDK 17 or 21$${missing:+, and $$missing}" ;; esac; \
	test -z "$$missing" || { \
	  echo "make test starts a real Neo4j and needs $$missing (JDKs found: $${found:-none})."; \
	  echo "Debian: apt-get install openjdk-17-jdk-headless maven    macOS: brew install openjdk@21 maven"; \
	  exit 1; }
.PHONY: java

constraints: install  ## resolve the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	  --override overrides.txt --extra test pyproject.toml --output-file constraints.txt

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

openapi: install  ## write docs/openapi.json anew
	$(BIN)/python -m api.app > docs/openapi.json
.PHONY: openapi
