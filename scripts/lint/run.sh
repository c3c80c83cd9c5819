#!/usr/bin/env bash
# Every check that needs no running server, each with a word on how it went. usage: lint/run.sh [CHECK...]
#
# clang-format, clang-tidy and cppcheck judge only in the version of Debian 12: others find other things, and a
# check that comes and goes with the machine teaches nobody.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

python=${PYTHON:-/usr/bin/python3}
build=${BUILD:-build}
jobs=${JOBS:-$(nproc)}
here=scripts/lint

check_cppcheck() {
    cppcheck --version | grep -q ' 2\.10' || { echo "cppcheck 2.10 is not here (it comes with Debian 12)"; return 77; }
    [ -d src ] || return 0
    mkdir -p "$build/lint-cppcheck"
    # cppcheck 2.10 knows no __VA_OPT__ (without the comma that it stands for the text still parses) and not
    # the macros of libraries; its ctuuninitvar takes a function that fills a struct for one that reads it
    cppcheck --quiet --std=c11 --language=c -I src "-D__VA_OPT__(...)=" "-Djson_array_foreach(a,i,v)=while((i)=0,(v)=json_array_get(a,i))" -j "$jobs" --cppcheck-build-dir="$build/lint-cppcheck" \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=ctuuninitvar --template='{file}:{line}: {severity}: {message} [{id}]' src
}

check_tidy() {
    [ -e meson.build ] || return 0
    scripts/build.sh "$build" && "$python" "$here/tidy.py" "$build" "$jobs"
}

check() {
    case $1 in
    layers | sizes | banned | listed | links) "$python" "$here/$1.py" ;;
    format) "$here/format.sh" ;;
    pyflakes) git ls-files -z "*.py" ":!*/apps/broken/*" | xargs -0 --no-run-if-empty "$python" -m pyflakes ;;
    shellcheck) { git ls-files -z '*.sh' && printf '.ci/run\0'; } | xargs -0 shellcheck ;;
    cppcheck) check_cppcheck ;;
    tidy) check_tidy ;;
    *) echo "no check named $1" && return 2 ;;
    esac
}

checks=("$@")
[ $# -gt 0 ] || checks=(layers sizes banned listed links format pyflakes shellcheck cppcheck tidy)
failed=0
for name in "${checks[@]}"; do
    start=$SECONDS
    output=$(check "$name" 2>&1)
    code=$?
    [ -n "$output" ] && printf '%s\n' "$output"
    case $code in
    0) word=ok ;;
    77) word=skipped ;;
    *) word=FAILED; failed=1 ;;
    esac
    echo "lint: $word $name ($((SECONDS - start)) s)"
done
exit $failed
