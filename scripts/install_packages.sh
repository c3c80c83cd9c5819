#!/usr/bin/env bash
# Installs the Debian packages of the named groups (scripts/packages.list) that are missing.
#
# Asks dpkg alone first: where nothing is missing, apt is not called and it takes milliseconds.
# usage: install_packages.sh [--print] GROUP...     --print names the packages and installs nothing
set -euo pipefail

list="$(dirname "$0")/packages.list"
print=false
if [ "${1:-}" = --print ]; then
    print=true
    shift
fi

die() { echo "install_packages: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root or sudo to install: ${missing[*]}"
    fi
}

command -v dpkg-query >/dev/null || die "this is not Debian: install these by hand: $(grep -v '^#' "$list" | xargs)"
installed=$(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' | sed -n 's/^\([^ :]*\)[^ ]* installed$/\1/p')

is_installed() { grep -qxF -- "$1" <<<"$installed"; }

known() { apt-cache show --no-all-versions -- "$1" >/dev/null 2>&1; }

# The major version of the clang that the package `clang` stands for: installed, else to be installed.
clang_major() {
    { dpkg-query -W -f='${Depends}\n' clang 2>/dev/null || apt-cache depends clang; } |
        grep -oE 'clang-[0-9]+' | head -n 1 | grep -oE '[0-9]+'
}

# Puts the name to install for one line of alternatives into `chosen`.
choose() {
    local name
    for name; do
        if is_installed "$name"; then
            chosen=$name
            return
        fi
    done
    update_lists
    for name; do
        if known "$name"; then
            chosen=$name
            return
        fi
    done
    die "this Debian has none of: $*"
}

updated=false
update_lists() {
    $updated && return
    updated=true
    # The lists of a fresh machine are empty, those of an old one may name packages that are gone.
    [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mmin -1440 -print -quit 2>/dev/null)" ] && return
    echo "install_packages: updating the package lists"
    as_root apt-get update -qq
}

missing=()
wanted=()
while read -r group names; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    case "$names" in
    *'{clang}'*)
        # the lists are needed only where clang itself is not there yet
        is_installed clang || update_lists
        names=${names//'{clang}'/$(clang_major)}
        ;;
    esac
    # shellcheck disable=SC2086 # the alternatives are words
    choose $names
    wanted+=("$chosen")
    is_installed "$chosen" || missing+=("$chosen")
done < <(grep -vE '^(#|$)' "$list")
# a package may stand in several groups
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | awk 'NF && !seen[$0]++')

if $print; then
    printf '%s\n' "${wanted[@]}"
    exit
fi
[ ${#missing[@]} -eq 0 ] && exit

echo "install_packages: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >"$log" 2>&1
}
# A list fetched earlier may name versions that the archive has replaced since: once more with new ones.
install || { as_root apt-get update -qq && install; } || { tail -n 40 "$log" >&2; die "apt-get could not install them"; }
