#!/usr/bin/env bash
# The unit tests under ThreadSanitizer: the pool's hand-overs above all.
set -euo pipefail
cd "$(dirname "$0")/.."

export BUILD=build-tsan
CC=clang scripts/build.sh build-tsan -Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
# ThreadSanitizer's shadow memory does not stand every address layout of newer kernels.
exec setarch "$(uname -m)" --addr-no-randomize "${PYTHON:-/usr/bin/python3}" scripts/run_tests.py unit
