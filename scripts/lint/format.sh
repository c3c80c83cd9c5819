#!/usr/bin/env bash
# Checks the layout of the C sources, or with --fix puts it right.
#
# Each version of clang-format lays out a little differently, so one version decides: Debian 12's. Exit 77: it
# is not on this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

major=14
for tool in clang-format-$major clang-format none; do
    command -v "$tool" >/dev/null && "$tool" --version | grep -q "version $major\." && break
done
if [ "$tool" = none ]; then
    echo "clang-format $major is not here (it comes with Debian 12)"
    exit 77
fi
mode=(--dry-run --Werror)
[ "${1:-}" = --fix ] && mode=(-i)
git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 --no-run-if-empty "$tool" --style=file "${mode[@]}"
