#!/usr/bin/env bash
# Makes a certificate authority of this machine's own and a server certificate for localhost, once.
#
# The authority may sign for localhost and loopback addresses only (name constraints), so trusting it
# in a browser gives nobody a key to other sites. usage: local_ca.sh DIRECTORY PORT
# (the port is that of the hint to curl)
set -euo pipefail

dir=$1 port=$2
mkdir -p "$dir"
umask 077
days_left() { openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) >/dev/null 2>&1; }

make_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
        -keyout "$dir/ca.key" -out "$dir/ca.pem" -subj "/CN=Quintet local CA ($(uname -n))" \
        -config "$dir/openssl.cnf" -extensions ca
    rm -f "$dir/server.pem"
}

make_server() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -config "$dir/openssl.cnf" \
        -keyout "$dir/server.key" -out "$dir/server.csr" -subj "/CN=localhost"
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -sha256 -days 397 \
        -set_serial "0x$(openssl rand -hex 15)" -extfile "$dir/openssl.cnf" -extensions server \
        -out "$dir/leaf.pem"
    cat "$dir/leaf.pem" "$dir/ca.pem" >"$dir/server.pem"
    rm -f "$dir/server.csr" "$dir/leaf.pem"
}

cat >"$dir/openssl.cnf" <<'CNF'
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, @names
[names]
permitted;DNS.1 = localhost
permitted;IP.1 = 127.0.0.0/255.0.0.0
permitted;IP.2 = ::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
CNF

made=false
if [ ! -s "$dir/ca.key" ] || ! days_left "$dir/ca.pem" 60; then
    make_ca 2>/dev/null
    made=true
fi
if [ ! -s "$dir/server.key" ] || ! days_left "$dir/server.pem" 30; then
    make_server 2>/dev/null
fi
rm -f "$dir/openssl.cnf"
chmod 0600 "$dir"/*.key
chmod 0644 "$dir"/*.pem
if $made; then
    cat <<TEXT
local_ca: made a local certificate authority. To trust it on this machine:
  curl      curl --cacert $dir/ca.pem https://localhost:$port/
  Debian    cp $dir/ca.pem /usr/local/share/ca-certificates/quintet-local.crt && update-ca-certificates
  Firefox   Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import
  Chromium  Settings > Privacy and security > Security > Manage certificates > Authorities > Import
TEXT
fi
