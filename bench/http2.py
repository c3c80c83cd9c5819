#!/usr/bin/env python3
"""Measures HTTP/2 over TLS and compression: Quintet beside nginx, h2o, caddy and haproxy, each of these in front of the same gunicorn.

h2load keeps 16 connections with 16 requests each in flight; the servers take turns in several rounds, the table shows medians. CPU is that of all
processes of the server per request, gunicorn's included; with files gunicorn is idle. haproxy serves no files.
usage: http2.py [--seconds 4] [--rounds 3] [--only PEER] [--case NAME] [--json FILE]
"""
import argparse
import gzip
import json
import os
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import peers
from run import cpu_of

WORKERS = 2
CSS = "\n".join(".rule-%d { margin: %dpx; color: #%06x; font-family: sans-serif }" % (i, i % 7, i * 7919 % 0xffffff) for i in range(1200))


class Case(NamedTuple):
    path: str
    coding: str  # what the client accepts; the answer must have it, if it is not identity
    file: bool


CASES = {
    "file of 1 KB": Case("/static/small.txt", "identity", True),
    "page of 20 KB": Case("/page", "identity", False),
    "page of 20 KB, gzip": Case("/page", "gzip", False),
    "page of 20 KB, br": Case("/page", "br", False),
    "file of 80 KB, precompressed gzip": Case("/static/site.css", "gzip", True),
}

NGINX = """
{user}
daemon off;
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    types {{ text/css css; text/plain txt; }}
    access_log {dir}/nginx-access.log;
    keepalive_requests 1000000;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    gzip on;
    gzip_proxied any;
    gzip_static on;
    client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    upstream app {{ server unix:{dir}/app.sock; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        location /static/ {{ alias {static}/; }}
        location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }}
    }}
}}
"""

H2O = """
num-threads: 2
access-log: {dir}/h2o-access.log
error-log: {dir}/h2o-error.log
hosts:
  default:
    listen: {{ host: 127.0.0.1, port: {port}, ssl: {{ certificate-file: {dir}/cert.pem, key-file: {dir}/key.pem }} }}
    compress: [ gzip, br ]
    file.send-compressed: ON
    paths:
      /static: {{ file.dir: {static} }}
      /: {{ proxy.reverse.url: "http://[unix:{dir}/app.sock]/", proxy.preserve-host: ON }}
"""

CADDY = """
{{
    admin off
    auto_https off
    log {{
        output file {dir}/caddy.log
    }}
}}
https://localhost:{port} {{
    bind 127.0.0.1
    tls {dir}/cert.pem {dir}/key.pem
    log {{
        output file {dir}/caddy-access.log
    }}
    handle_path /static/* {{
        root * {static}
        file_server {{
            precompressed gzip
        }}
    }}
    handle {{
        encode gzip
        reverse_proxy unix/{dir}/app.sock
    }}
}}
"""

HAPROXY = """
global
    nbthread 2
defaults
    mode http
    log stdout format raw local0
    option httplog
    timeout connect 5s
    timeout client 75s
    timeout server 30s
frontend site
    bind 127.0.0.1:{port} ssl crt {dir}/both.pem alpn h2,http/1.1
    compression algo gzip
    compression type text/html text/css
    default_backend app
backend app
    http-reuse always
    server app unix@{dir}/app.sock
"""


def behind(site, name, conf, words):
    path = site.dir / name
    path.write_text(conf.format(dir=site.dir, port=site.port, static=site.dir / "static", user="user root;" if os.geteuid() == 0 else ""))
    return [peers.gunicorn_on(site, f"unix:{site.dir}/app.sock"), peers.spawn(site, words[0].split("/")[-1], [*words, path])]


def quintet(site):
    binary = os.environ.get("QUINTET_BINARY", peers.ROOT / "build" / "quintet")
    return [peers.spawn(site, "quintet", [
        binary, "run", "--chdir", site.chdir, "--python", peers.PYTHON, "--bind", f"unix:{site.dir}/q.sock", "--tls-bind", f"127.0.0.1:{site.port}",
        "--certfile", site.dir / "cert.pem", "--keyfile", site.dir / "key.pem", "--workers", WORKERS, "--threads", 4,
        "--static", f"/static/={site.dir}/static", "--access-log", site.dir / "access.log", "--control", site.dir / "control.sock", site.app])]


PEERS = {
    "quintet": quintet,
    "nginx": lambda site: behind(site, "nginx.conf", NGINX, ["/usr/sbin/nginx", "-p", site.dir, "-e", site.dir / "nginx-error.log", "-c"]),
    "h2o": lambda site: behind(site, "h2o.yaml", H2O, ["h2o", "-c"]),
    "caddy": lambda site: behind(site, "Caddyfile", CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config"]),
    "haproxy": lambda site: behind(site, "haproxy.cfg", HAPROXY, ["/usr/sbin/haproxy", "-db", "-f"]),
}
NOT_THERE = {("haproxy", True, "identity"), ("haproxy", True, "gzip"), ("nginx", False, "br"), ("caddy", False, "br"), ("haproxy", False, "br")}


def prepare(folder):
    """Certificate and files."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    (folder / "both.pem").write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    static = folder / "static"
    static.mkdir()
    (static / "small.txt").write_bytes(b"0123456789abcdef" * 64)
    (static / "site.css").write_text(CSS)
    (static / "site.css.gz").write_bytes(gzip.compress(CSS.encode()))
    shutil.copystat(static / "site.css", static / "site.css.gz")
    for path in [folder, static]:
        path.chmod(0o755)


def ask(url, coding):
    """The answer's length and coding, once the server is there."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": coding}), timeout=5, context=context) as r:
                return len(r.read()), r.headers.get("Content-Encoding", "identity")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def load(url, coding, seconds):
    """One run of h2load: (requests done, seconds, those that failed)."""
    done = subprocess.run(["h2load", "-t1", "-c16", "-m16", "-D", str(seconds), "-H", "accept-encoding: " + coding, url],
                          capture_output=True, text=True, check=True)
    assert "Application protocol: h2" in done.stdout, done.stdout
    ok, failed, errored = (int(re.search(r"(\d+) " + word, done.stdout)[1]) for word in ("succeeded", "failed", "errored"))
    return ok, float(re.search(r"finished in ([\d.]+)s", done.stdout)[1]), failed + errored


def stop(children):
    for child in reversed(children):
        child.send_signal(signal.SIGTERM)
    for child in children:
        try:
            child.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def measure(peer, case, seconds):
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as scratch:
        site = peers.Site(peers.ROOT / "bench", "hello:app", WORKERS, Path(scratch), peers.free_port())
        prepare(site.dir)
        children = PEERS[peer](site)
        try:
            url = f"https://localhost:{site.port}{case.path}"
            length, coding = ask(url, case.coding)
            assert coding == case.coding, f"{peer} answers {url} in {coding}"
            load(url, case.coding, 1)
            before = cpu_of([c.pid for c in children])
            requests, took, failed = load(url, case.coding, seconds)
            after = cpu_of([c.pid for c in children])
        finally:
            stop(children)
    return {"requests_per_second": requests / took, "cpu_us": (after[0] - before[0]) * 1e6 / max(1, requests),
            "edge_cpu_us": (after[1] - before[1]) * 1e6 / max(1, requests), "bytes": length, "failures": failed}


def report(results):
    print("\n| HTTP/2 over TLS | server | requests/s | CPU µs/request | of it edge | bytes | failures |\n|---|---|--:|--:|--:|--:|--:|")
    for case, table in results.items():
        for peer, rows in table.items():
            r = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
            edge = "%.1f" % r["edge_cpu_us"] if r["edge_cpu_us"] else ""
            print("| %s | %s | %.0f | %.1f | %s | %d | %d |" % (case, peer, r["requests_per_second"], r["cpu_us"], edge, r["bytes"], r["failures"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PEERS, action="append", help="this server alone (repeatable)")
    parser.add_argument("--case", choices=CASES, action="append", help="this case alone (repeatable)")
    parser.add_argument("--json", type=Path, help="also write all rows to this file")
    options = parser.parse_args()
    results = {}
    for number in range(options.rounds):
        for name in options.case or CASES:
            case = CASES[name]
            for peer in options.only or PEERS:
                if (peer, case.file, case.coding) in NOT_THERE:
                    continue
                print(f"bench: round {number + 1} of {options.rounds}: {name}: {peer}", file=sys.stderr)
                results.setdefault(name, {}).setdefault(peer, []).append(measure(peer, case, options.seconds))
    report(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
