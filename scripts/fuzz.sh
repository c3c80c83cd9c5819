#!/usr/bin/env bash
# Builds the fuzzers with clang's libFuzzer, ASan and UBSan, and runs each for some seconds, as many at a time as
# there are cores (JOBS).
#
# Each starts from the corpus in the tree; what it finds new goes to build-fuzz/corpus, so the tree stays
# as it is. usage: fuzz.sh SECONDS [NAME]        (NAME is the part after `fuzz_`)
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
only=${2:-*}
jobs=${JOBS:-$(nproc)}
mapfile -t sources < <(find tests/fuzz -name "fuzz_$only.c" 2>/dev/null | sort)
if [ ${#sources[@]} -eq 0 ]; then
    echo "fuzz: no fuzzer named fuzz_$only"
    [ "$only" = '*' ]
    exit
fi

CC=clang scripts/build.sh build-fuzz -Dfuzzers=true -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false \
    -Dbuildtype=debugoptimized

fuzz() {
    target=$1
    binary=$(find build-fuzz -type f -name "$target" -perm -u+x | head -n 1)
    found=build-fuzz/corpus/$target
    mkdir -p "$found" build-fuzz/crashes
    seeds=tests/fuzz/corpus/${target#fuzz_}
    args=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="build-fuzz/crashes/$target-" "$found")
    [ -d "$seeds" ] && args+=("$seeds")
    if [ -n "$binary" ] && UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$binary" "${args[@]}" \
        >"build-fuzz/$target.log" 2>&1; then
        echo "fuzz: ok $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$target.log") inputs"
    else
        tail -n 60 "build-fuzz/$target.log" 2>/dev/null || echo "build-fuzz has no $target"
        echo "fuzz: FAILED $target"
        return 1
    fi
}

export -f fuzz
export seconds
# xargs, not `&`: Ctrl-C reaches them.
printf '%s\n' "${sources[@]##*/}" | sed 's/\.c$//' | xargs -P "$jobs" -I{} bash -euo pipefail -c 'fuzz {}' || exit 1
