#!/usr/bin/env bash
# `make run`: installs what is missing, builds, prepares the example shop and serves it.
#
# The shop runs on SQLite; with DATABASE_URL and REDIS_URL set it runs on what they name.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-/usr/bin/python3}
bind=${BIND:-127.0.0.1:8000}
tls_bind=${TLS_BIND:-127.0.0.1:8443}
export SHOP_DEMO=1

say() { echo "run: $*"; }

groups=(build run)
[ -z "${DATABASE_URL:-}" ] || groups+=(postgres)
[ -z "${REDIS_URL:-}" ] || groups+=(redis)
scripts/install_packages.sh "${groups[@]}"

scripts/build.sh build
say "preparing the shop: migrations, static files, demo data"
(cd examples/shop && "$python" manage.py prepare)
scripts/local_ca.sh var/tls "${tls_bind##*:}"

say "serving the shop; stop it with Ctrl-C"
say "  http://$bind/"
say "  http://$bind/admin/  user admin, password admin"
say "  https://localhost:${tls_bind##*:}/  (signed by var/tls/ca.pem)"
say "in another terminal: build/quintet status --chdir examples/shop; it knows reload and stop, too"
exec build/quintet run --chdir examples/shop --python "$python" --bind "$bind" --tls-bind "$tls_bind" \
    --certfile "$PWD/var/tls/server.pem" --keyfile "$PWD/var/tls/server.key"
