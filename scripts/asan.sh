#!/usr/bin/env bash
# Unit and e2e tests over a build with AddressSanitizer and UndefinedBehaviorSanitizer; with "soak" the long run over the
# shop instead (further arguments go to tests/soak/soak.py), then every fault for FAULTS_SECONDS (60).
#
# gcc is the compiler because its ASan is a shared library: preloaded into everything the program starts,
# it also serves the extension inside an interpreter that was not built with it.
set -euo pipefail
cd "$(dirname "$0")/.."

export BUILD=build-asan
CC=gcc scripts/build.sh build-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Dbuildtype=debugoptimized
cat >build-asan/quintet-asan <<SH
#!/bin/sh
# The program with ASan's library first in every process that it starts.
export LD_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)"
exec "$PWD/build-asan/quintet" "\$@"
SH
chmod +x build-asan/quintet-asan

# An interpreter never frees all it has at its end, so in its process leaks are not looked for: the worker's own
# tests watch its memory grow or not. The options of a file named after the program hold in that program alone.
python=${PYTHON:-/usr/bin/python3}
for name in "$(basename "$python")" "$(basename "$(readlink -f "$python")")"; do
    echo detect_leaks=0 >"build-asan/asan-options.$name"
done
ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
export ASAN_OPTIONS=$ASAN_OPTIONS:include_if_exists=$PWD/build-asan/asan-options.%b
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export QUINTET_BINARY=$PWD/build-asan/quintet-asan
if [ "${1:-}" = soak ]; then
    shift
    # What is freed is kept for a while to catch late users: a small while, or it looks like growth.
    export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=8
    failed=0
    "$python" tests/soak/soak.py "$@" || failed=1
    export FAULTS_SECONDS=${FAULTS_SECONDS:-60} FAULTS_LIMIT=${FAULTS_LIMIT:-14400}
    "$python" scripts/run_tests.py faults || failed=1
    exit $failed
fi
export E2E_SECONDS=2400
exec "$python" scripts/run_tests.py unit e2e
