#!/usr/bin/env bash
# Proves the two commands on an empty Debian: SUITE from debootstrap, git, make and gcc, a clone of HEAD, nothing else.
#
# The empty system is kept in FRESH_DIR and copied for each run; downloaded packages are kept too. Everything runs
# in mount and process namespaces of its own: when it ends, however it ends, no mount and no process is left.
# usage: fresh.sh SUITE [run] [test] [bench]        environment: FRESH_DIR (/var/tmp/quintet-fresh), FRESH_KEEP=1
set -euo pipefail
cd "$(dirname "$0")/.."

suite=$1
shift
targets=("${@:-run}")
[ $# -gt 0 ] || targets=(run test)
store=${FRESH_DIR:-/var/tmp/quintet-fresh}
base=$store/$suite.base
python=${PYTHON:-/usr/bin/python3}

if [ "$(id -u)" -ne 0 ]; then
    exec sudo --preserve-env=FRESH_DIR,FRESH_KEEP,PYTHON "$0" "$suite" "${targets[@]}"
fi
if [ -z "${FRESH_ROOT:-}" ]; then
    # Out here there is no mount below the folder, so removing it can reach nothing else.
    mkdir -p "$store"
    FRESH_ROOT=$(mktemp -d "$store/$suite.XXXXXX")
    export FRESH_ROOT
    [ -n "${FRESH_KEEP:-}" ] || trap 'rm -rf --one-file-system "$FRESH_ROOT"' EXIT
    unshare --mount --pid --fork --kill-child "$0" "$suite" "${targets[@]}"
    exit
fi
root=$FRESH_ROOT

say() { echo "fresh: $*"; }

# debootstrap knows a suite by a script of its name; one younger than this debootstrap is laid out like sid.
make_base() {
    local script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    say "debootstrap of $suite (once)"
    rm -rf "$base.part"
    debootstrap --variant=minbase "$suite" "$base.part" "$("$python" scripts/apt_sources.py mirror)" "$script" \
        >"$store/$suite.log" 2>&1 || { tail -n 20 "$store/$suite.log"; exit 1; }
    "$python" scripts/apt_sources.py list "$suite" >"$base.part/etc/apt/sources.list"
    rm -rf "$base.part/etc/apt/sources.list.d"/*
    # how this machine reaches its archive: proxy, clock
    apt-config dump | grep -E '^Acquire::(https?|ftp|Check|Max|Retries)[^ ]* "[^"]' >"$base.part/etc/apt/apt.conf.d/90host" || true
    # services do not start in here, as in any chroot
    printf '#!/bin/sh\nexit 101\n' >"$base.part/usr/sbin/policy-rc.d"
    chmod +x "$base.part/usr/sbin/policy-rc.d"
    mv "$base.part" "$base"
}

# Becomes a command inside, with the environment of a bare login.
enter() {
    local pass=()
    for name in http_proxy https_proxy no_proxy; do
        [ -z "${!name:-}" ] || pass+=("$name=${!name}")
    done
    exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${pass[@]}" "$@" </dev/null
}

inside() { (enter "$@"); }

prepare_root() {
    mount --bind "$root" "$root" # a mount point, as any / is: tests make mount namespaces of their own
    cp -a "$base/." "$root/"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mkdir -p "$store/$suite.debs/partial"
    mount --bind "$store/$suite.debs" "$root/var/cache/apt/archives"
    # keep what was downloaded for the next run, as apt-get does by default but not everywhere
    echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/91keep"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    inside apt-get update -qq
    inside apt-get install -y -qq --no-install-recommends git make gcc >"$store/$suite.log" 2>&1 ||
        { tail -n 20 "$store/$suite.log"; exit 1; }
    git clone -q --no-hardlinks . "$root/root/quintet"
    git -C "$root/root/quintet" checkout -q --detach "$(git rev-parse HEAD)"
    git -C "$root/root/quintet" remote remove origin
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# One `make run`: up within the seconds, serves the shop on both addresses, ends by TERM.
serve() {
    local seconds=$1 http tls pid
    http=$(free_port)
    tls=$(free_port)
    enter make -C /root/quintet run BIND="127.0.0.1:$http" TLS_BIND="127.0.0.1:$tls" &
    pid=$!
    "$python" scripts/wait_http.py --pid $pid --seconds "$seconds" --text "</html>" "http://127.0.0.1:$http/"
    "$python" scripts/wait_http.py --pid $pid --seconds 5 --text "</html>" \
        --ca "$root/root/quintet/var/tls/ca.pem" "https://localhost:$tls/"
    kill -TERM $pid
    wait $pid || true
    if pgrep -f 'build/quintet ru[n]' >/dev/null || pgrep '^quintet' >/dev/null; then
        say "processes are left after TERM:"
        ps ax
        exit 1
    fi
    say "ok make run: served http and https, ended by TERM"
}

# ps and pgrep shall see this namespace
mount -t proc proc /proc
[ -d "$base" ] || make_base
prepare_root
for target in "${targets[@]}"; do
    case $target in
    run)
        say "make run on an empty $suite"
        serve 900
        say "make run once more: to be up in 5 s"
        serve 5
        ;;
    bench)
        say "make bench on $suite: one short round of each"
        inside CI=true make -C /root/quintet bench ARGS=--quick
        say "ok make bench"
        ;;
    *)
        say "make $target on $suite"
        inside CI=true make -C /root/quintet "$target"
        say "ok make $target"
        ;;
    esac
done
say "ok $suite: ${targets[*]}"
