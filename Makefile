# The newcomer's door: every command of the project, each a few words. Meson and ninja do the building.
# `make help` lists the targets; CONTRIBUTING.md says more.

PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
BUILD ?= build
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 600
SUITE ?= bookworm

# What `make run` listens on.
BIND ?= 127.0.0.1:8000
TLS_BIND ?= 127.0.0.1:8443

# Warnings are errors where the pinned compilers are (Debian 12): newer ones know warnings we have not met.
WERROR ?= $(shell grep -q '^VERSION_CODENAME=bookworm' /etc/os-release && echo true || echo false)
MESON_FLAGS ?=

export PYTHON BUILD JOBS BIND TLS_BIND WERROR MESON_FLAGS
.DEFAULT_GOAL := build

# The targets are commands: none names a file they make (there is a directory `build`).
.PHONY: build run test test-unit test-e2e faults bench reliability lint asan soak testssl tsan fuzz fmt install fresh clean help

build: ## build build/quintet (installs the missing Debian packages for it first)
	@scripts/install_packages.sh build
	@scripts/build.sh $(BUILD)

run: ## install, build, prepare the example shop and serve it on http and https
	@exec scripts/run.sh

test: ## install, build, and run every test and check there is
	@scripts/install_packages.sh build run test lint
	@exec $(PYTHON) scripts/run_tests.py

test-unit: ## the unit tests alone
	@scripts/install_packages.sh build run test
	@exec $(PYTHON) scripts/run_tests.py unit

test-e2e: ## the tests of the whole program alone (ARGS="-k name" goes to pytest)
	@scripts/install_packages.sh build run test
	@exec $(PYTHON) scripts/run_tests.py e2e -- $(ARGS)

lint: ## layers, sizes, format, clang-tidy, cppcheck, shellcheck, pyflakes, links
	@scripts/install_packages.sh build test lint
	@exec scripts/lint/run.sh

asan: ## unit and e2e tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/install_packages.sh build run test
	@exec scripts/asan.sh

soak: ## a million requests through the shop and every fault for FAULTS_SECONDS=60, under sanitizers (ARGS="--requests N")
	@scripts/install_packages.sh build run test bench
	@exec scripts/asan.sh soak $(ARGS)

testssl: ## testssl.sh over a site of ours: nothing above INFO (minutes)
	@scripts/install_packages.sh build run test testssl
	@scripts/build.sh $(BUILD)
	@cd tests/e2e && exec $(PYTHON) -m pytest -q testssl.py $(ARGS)

tsan: ## unit tests (the pool's above all) under ThreadSanitizer
	@scripts/install_packages.sh build test
	@exec scripts/tsan.sh

fuzz: ## run every fuzzer for FUZZ_SECONDS=600 each (TARGET=h1 for one)
	@scripts/install_packages.sh build test
	@exec scripts/fuzz.sh $(FUZZ_SECONDS) $(TARGET)

faults: ## the faults under load alone: deploys, deaths, hangs, shortage, overload (ARGS="-k edge", FAULTS_SECONDS=4 each)
	@scripts/install_packages.sh build run test
	@exec $(PYTHON) scripts/run_tests.py faults -- $(ARGS)

bench: ## measure against others on this machine, half an hour (CASE=hello for one, ARGS="--quick", BENCH_PEERS=dir)
	@scripts/install_packages.sh build run bench
	@scripts/build.sh $(BUILD)
	@exec $(PYTHON) bench/run.py $(CASE) $(ARGS)

reliability: ## the same faults for others: what they lose, for docs/user/reliability.md (ARGS="--seconds 12 --write")
	@scripts/install_packages.sh build run test bench
	@scripts/build.sh $(BUILD)
	@exec $(PYTHON) bench/reliability.py $(ARGS)

fmt: ## lay out the C sources by .clang-format
	@scripts/install_packages.sh lint
	@exec scripts/lint/format.sh --fix

install: build ## install below PREFIX=/usr/local (DESTDIR is honoured)
	@exec scripts/install.sh $(BUILD) $(PREFIX)

fresh: ## run and test a copy of HEAD in an empty Debian: SUITE=bookworm|trixie|forky, TARGETS="run test bench"
	@scripts/install_packages.sh fresh
	@exec scripts/fresh.sh $(SUITE) $(TARGETS)

clean: ## remove everything that was built
	rm -rf $(BUILD) build-asan build-tsan build-fuzz

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14
