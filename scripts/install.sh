#!/usr/bin/env bash
# `make install`: what is built goes below the prefix (and DESTDIR), quietly unless it fails. usage: install.sh BUILD_DIRECTORY PREFIX
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$1 prefix=$2 log=$1/install.log
{ meson configure "$dir" -Dprefix="$prefix" && ninja -C "$dir" -j "${JOBS:-$(nproc)}"; } >"$log" 2>&1 || { cat "$log"; exit 1; }
meson install -C "$dir" --no-rebuild --quiet
# Whoever runs the site may not write there: each worker would compile it anew. Other versions of Python do.
"${PYTHON:-/usr/bin/python3}" -m compileall -q ${DESTDIR:+-s "$DESTDIR" -p /} "${DESTDIR:-}$prefix/lib/quintet/python"
echo "install: ${DESTDIR:-}$prefix/bin/quintet"
