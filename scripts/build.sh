#!/usr/bin/env bash
# Configures (once) and builds one build directory. usage: build.sh DIRECTORY [MESON OPTIONS...]
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$1
shift
if [ ! -e "$dir/build.ninja" ]; then
    echo "build: making $dir/quintet (a minute, the first time)"
    rm -rf "$dir"
    # shellcheck disable=SC2086 # MESON_FLAGS are words
    meson setup "$dir" -Dwerror="${WERROR:-false}" "$@" ${MESON_FLAGS:-} >"$dir.log" 2>&1 ||
        { cat "$dir.log"; exit 1; }
    rm -f "$dir.log"
fi
ninja -C "$dir" -j "${JOBS:-$(nproc)}" --quiet | sed '/^ninja: no work to do\.$/d'
"${PYTHON:-/usr/bin/python3}" -m compileall -q "$dir/python" # workers start 10 ms sooner
