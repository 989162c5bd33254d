# Every target makes .venv, installs the locked dependencies and builds the extension first; stamps make a second call
# instant. `make help` lists what there is.
PYTHON ?= python3
TORCH ?= torch==2.13.0
FBGEMM ?= fbgemm-gpu-cpu==1.8.0
BITORCH ?= bitorch==0.4.1 pandas==3.1.1
PIP_AUDIT ?= pip-audit==2.10.1
ONNX ?= onnx==1.23.2 onnxruntime==1.32.0 protobuf==7.36.2 flatbuffers==25.12.19 ml_dtypes==0.6.0
# Another package index for torch alone, such as one with CPU-only or CUDA builds.
TORCH_INDEX ?=
DEMO_ROWS ?= 80000
DEMO_SEED ?= 0
# A click log of your own for `make demo`; empty means the built-in synthetic one.
CLICKS ?=
# The synthetic log is small and soon learned; your own log gets the presets as they are.
DEMO_SETTINGS := $(if $(CLICKS),,--set train.fit.max_epochs=3)
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMPS := $(VENV)/.stamps
DEMO := demo/$(if $(CLICKS),$(basename $(basename $(notdir $(CLICKS)))),synthetic)
# One thread per process: test workers and the loader already fill the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install bitorch onnx peers demo demo-documents demo-discover demo-archive test check soak audit format bench bench-kernels lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

install: $(STAMPS)/built  ## make .venv with the locked dependencies, torch and the farthing command

$(STAMPS)/venv:
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/locked: requirements/locked.txt | $(STAMPS)/venv
	$(PIP) install --quiet --require-hashes --requirement requirements/locked.txt
	@touch $@

# What torch's Python side needs is in the lock already, so this adds torch (and, for a CUDA build, its libraries).
$(STAMPS)/torch: $(STAMPS)/locked
	$(PIP) install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$(TORCH)"
	@touch $@

$(STAMPS)/built: $(STAMPS)/torch pyproject.toml CMakeLists.txt $(wildcard native/*)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Without dependencies: BITorch asks for any torch and any numpy, and the locked ones stay. pandas is all that it lacks.
$(STAMPS)/bitorch: $(STAMPS)/torch
	$(PIP) install --quiet --no-deps $(BITORCH)
	@touch $@

$(STAMPS)/onnx: $(STAMPS)/torch
	$(PIP) install --quiet --no-deps $(ONNX)
	@touch $@

onnx: install $(STAMPS)/onnx  ## add ONNX and its runtime to .venv, for docs/export.md and its tests

bitorch: install $(STAMPS)/bitorch  ## add BITorch (GPL-3) to .venv, for docs/bitorch.md and its tests

# FBGEMM's metadata asks for a torch of its own.
$(STAMPS)/peers: $(STAMPS)/onnx
	$(PIP) install --quiet --no-deps $(FBGEMM)
	@touch $@

peers: install $(STAMPS)/peers  ## add the engines that `farthing recommend bench` and bench/kernels.py compare with

demo: install  ## the main job: a click log in, a table of model sizes and accuracies out (CLICKS=FILE for your own log)
ifeq ($(CLICKS),)
	$(BIN)/farthing recommend synthesize --rows $(DEMO_ROWS) --seed $(DEMO_SEED) --out $(DEMO)/clicks.tsv.gz
endif
	$(BIN)/farthing recommend prepare $(or $(CLICKS),$(DEMO)/clicks.tsv.gz) --out $(DEMO)/data
	$(BIN)/farthing recommend compare $(DEMO)/data --out $(DEMO)/compare $(DEMO_SETTINGS)
	@echo "table:  $(DEMO)/compare/compare.csv"
	@echo "report: $(DEMO)/compare/report.html"

PAGES := demo/documents
SHORT := --set train.num_images=6000 --set train.num_quantized_images=1000 --set train.num_evals=3

demo-documents: install  ## pages with pictures: made up, learned from, found in a folder without labels, a report to look at
	test -d $(PAGES)/pages || $(BIN)/farthing documents synthesize --pages 800 --classes illustration --out $(PAGES)/pages
	test -d $(PAGES)/scans || $(BIN)/farthing documents synthesize --pages 150 --seed 1 --out $(PAGES)/scans
	$(BIN)/farthing documents train $(PAGES)/pages --out $(PAGES)/run --resume --set 'classes=["illustration"]' $(SHORT)
	$(BIN)/farthing documents filter $(PAGES)/run $(PAGES)/scans/images --out $(PAGES)/own --resume
	$(BIN)/farthing documents filter builtin $(PAGES)/scans/images --contains illustration --out $(PAGES)/found --crops --resume
	@echo "trained here:    $(PAGES)/own/report.html"
	@echo "shipped model:   $(PAGES)/found/report.html"
	@echo "single pictures: $(PAGES)/found/crops"

DIGITS := demo/discover

demo-discover: install  ## images with few labels: digits made long-tailed, some classes hidden and found again
	rm -rf $(DIGITS)
	$(BIN)/python examples/digits.py $(DIGITS)/classes
	$(BIN)/farthing discover split $(DIGITS)/classes --imbalance 20 --out $(DIGITS)/collection
	$(BIN)/farthing discover fit $(DIGITS)/collection/images --labels $(DIGITS)/collection/labels.csv --out $(DIGITS)/run
	$(BIN)/farthing discover evaluate $(DIGITS)/run --truth $(DIGITS)/collection/truth.csv
	@echo "report:  $(DIGITS)/run/report.html"
	@echo "gallery: $(BIN)/farthing discover gallery $(DIGITS)/run"

ARCHIVE := demo/archive
KINDS := illustration,drop_capital,stamp,table,music

demo-archive: install  ## the whole chain: pages -> filter -> crops -> discover -> named classes -> COCO
	rm -rf $(ARCHIVE)/run $(ARCHIVE)/named
	test -d $(ARCHIVE)/pages || $(BIN)/farthing documents synthesize --pages 300 --classes $(KINDS) --out $(ARCHIVE)/pages
	$(BIN)/farthing documents filter builtin $(ARCHIVE)/pages/images --contains $(KINDS) --out $(ARCHIVE)/found --crops --resume
	$(BIN)/python examples/label_crops.py $(ARCHIVE)/found $(ARCHIVE)/labels.csv table music
	$(BIN)/farthing discover fit $(ARCHIVE)/found/crops --labels $(ARCHIVE)/labels.csv --classes 6 --out $(ARCHIVE)/run
	$(BIN)/farthing discover export $(ARCHIVE)/run --to coco --out $(ARCHIVE)/named
	@echo "pages:   $(ARCHIVE)/found/report.html"
	@echo "classes: $(ARCHIVE)/run/report.html"
	@echo "COCO:    $(ARCHIVE)/named/annotations.json"

test: install  ## all tests
	$(ONE_THREAD) $(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

check: install  ## format, lint, types, import layers, docs
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(ONE_THREAD) $(BIN)/python -m pytest -q tests/test_docs.py

HOURS ?=
# Numbers of promises; empty means all fifteen.
PROMISES ?=

soak: sanitized  ## hold the project to its fifteen promises: 60 minutes on two cores, or HOURS=8
	$(ONE_THREAD) $(BIN)/python -m tests.soak --json soak.json --page docs/reliability.md \
	  $(if $(HOURS),--hours $(HOURS),--minutes 60) $(foreach number,$(PROMISES),--only $(number))

$(STAMPS)/audit: | $(STAMPS)/venv
	$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet $(PIP_AUDIT)
	@touch $@

audit: $(STAMPS)/audit  ## known vulnerabilities of everything locked, torch too; fails if anything was skipped (needs a network)
	echo "$(TORCH)" >$(VENV)/audit/torch.txt
	$(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements/locked.txt
	$(VENV)/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement $(VENV)/audit/torch.txt

format: install  ## let ruff rewrite what it can
	$(BIN)/ruff format --quiet
	$(BIN)/ruff check --fix --quiet

# Every tier against the scalar one without Python, here and on 64-bit ARM; the checksums of both machines are equal.
TIERS := build/tiers
ARM := -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_EXE_LINKER_FLAGS=-static -DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64
.PHONY: emulate sanitize sanitized
CMAKE_NATIVE := $(BIN)/cmake -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja)

emulate: $(STAMPS)/locked  ## compare the kernel tiers, those of 64-bit ARM in an emulator (apt-get install qemu-user g++-aarch64-linux-gnu)
	$(CMAKE_NATIVE) -S tests/native -B $(TIERS)/host -DCMAKE_BUILD_TYPE=Release -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
	$(CMAKE_NATIVE) -S tests/native -B $(TIERS)/aarch64 -DCMAKE_BUILD_TYPE=Release -DCMAKE_COMPILE_WARNING_AS_ERROR=ON $(ARM)
	$(BIN)/cmake --build $(TIERS)/host --target tiers
	$(BIN)/cmake --build $(TIERS)/aarch64
	$(TIERS)/host/tiers > $(TIERS)/host.txt
	qemu-aarch64 $(TIERS)/aarch64/tiers > $(TIERS)/aarch64.txt
	diff $(TIERS)/host.txt $(TIERS)/aarch64.txt

# The interpreter must load the sanitizer before anything else, and with it the library whose exceptions it watches. What
# Python itself never frees at its end is no leak of ours.
SANITIZED := LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0 FARTHING_TEST_EXTENSION="$$(echo build/sanitized/extension/_native*.so)"

sanitized: install  ## build the extension with AddressSanitizer and UndefinedBehaviorSanitizer
	$(CMAKE_NATIVE) -S . -B build/sanitized/extension -DCMAKE_BUILD_TYPE=Debug -DFARTHING_SANITIZE=ON \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python)
	$(BIN)/cmake --build build/sanitized/extension

sanitize: sanitized  ## the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, the threads under ThreadSanitizer
	$(CMAKE_NATIVE) -S tests/native -B build/sanitized/races -DCMAKE_BUILD_TYPE=RelWithDebInfo
	$(BIN)/cmake --build build/sanitized/races --target pool_races
	build/sanitized/races/pool_races
	$(CMAKE_NATIVE) -S tests/native -B build/sanitized/native -DCMAKE_BUILD_TYPE=Debug -DFARTHING_SANITIZE=ON
	$(BIN)/cmake --build build/sanitized/native
	build/sanitized/native/pool
	build/sanitized/native/tiers
	$(ONE_THREAD) $(SANITIZED) $(BIN)/python -m pytest -q -p tests.native.extension -m native \
	  $$(grep -rl "pytest.mark.native" tests --include "test_*.py") $(PYTEST_ARGS)

bench: install  ## measure what needs no data of your own: preparing a log, training
	$(BIN)/python -m bench.prepare
	$(BIN)/python -m bench.training
	$(BIN)/python -m bench.report

bench-kernels: install $(STAMPS)/peers  ## time every kernel beside other engines, held to AVX2 and at their best
	$(BIN)/python -m bench.kernels --isa avx2
	$(BIN)/python -m bench.kernels
	$(BIN)/python -m bench.clicks
	FARTHING_KERNELS=avx2 $(BIN)/python -m bench.onerow
	$(BIN)/python -m bench.report

lock: $(STAMPS)/venv  ## resolve the dependencies again into requirements/locked.txt
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes \
	  --no-emit-index-url --excludes requirements/excluded.in --custom-compile-command "make lock" --extra dev --extra documents --extra serve --extra accurate \
	  --output-file requirements/locked.txt pyproject.toml requirements/torch.in

clean:  ## remove everything that make made
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
