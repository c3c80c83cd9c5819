#!/usr/bin/env bash
# Unit and e2e tests over a build with AddressSanitizer and UndefinedBehaviorSanitizer; with "soak" the long run over the
# shop instead (further arguments go to tests/soak/soak.py).
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

# An interpreter never frees all it has at its end: its leaks are not ours (tests/lsan.supp).
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export QUINTET_BINARY=$PWD/build-asan/quintet-asan
if [ "${1:-}" = soak ]; then
    shift
    # What is freed is kept for a while to catch late users: a small while, or it looks like growth.
    export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=8
    exec "${PYTHON:-/usr/bin/python3}" tests/soak/soak.py "$@"
fi
exec "${PYTHON:-/usr/bin/python3}" scripts/run_tests.py unit e2e
