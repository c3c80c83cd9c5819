"""The servers that are compared: how each is started, with the same workers, application and logs.

A peer is a function of a Site that starts its processes and returns them. All write an access log to a file, as
in production, and all keep connections open.
"""

import os
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")

NGINX = """
{user}
daemon off;
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {dir}/nginx-access.log;
    keepalive_requests 1000000;
    client_body_temp_path {dir}/nginx-body;
    proxy_temp_path {dir}/nginx-proxy;
    fastcgi_temp_path {dir}/nginx-fastcgi;
    uwsgi_temp_path {dir}/nginx-uwsgi;
    scgi_temp_path {dir}/nginx-scgi;
    upstream app {{ server unix:{dir}/app.sock; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


class Site(NamedTuple):
    chdir: Path
    app: str  # MODULE:CALLABLE
    workers: int
    dir: Path  # scratch: logs, sockets
    port: int  # to serve on, of 127.0.0.1


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def spawn(site, name, command):
    log = open(site.dir / f"{name}.log", "wb")
    return subprocess.Popen(
        list(map(str, command)), cwd=site.chdir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True,
    )


def quintet(site):
    binary = os.environ.get("QUINTET_BINARY", ROOT / "build" / "quintet")
    return [spawn(site, "quintet", [
        binary, "run", "--chdir", site.chdir, "--python", PYTHON, "--bind", f"127.0.0.1:{site.port}",
        "--workers", site.workers, "--access-log", site.dir / "access.log", "--control", site.dir / "control.sock",
        site.app,
    ])]


def gunicorn_on(site, bind):
    return spawn(site, "gunicorn", [
        PYTHON, "-m", "gunicorn", "--chdir", site.chdir, "--bind", bind, "--workers", site.workers,
        "--worker-class", "gthread", "--threads", 4, "--keep-alive", 75,
        "--access-logfile", site.dir / "gunicorn-access.log", site.app,
    ])


def gunicorn(site):
    return [gunicorn_on(site, f"127.0.0.1:{site.port}")]


def nginx_gunicorn(site):
    conf = site.dir / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(NGINX.format(user=user, workers=site.workers, dir=site.dir, port=site.port))
    return [
        gunicorn_on(site, f"unix:{site.dir}/app.sock"),
        spawn(site, "nginx", ["/usr/sbin/nginx", "-p", site.dir, "-e", site.dir / "nginx-error.log", "-c", conf]),
    ]


PEERS = {"quintet": quintet, "gunicorn": gunicorn, "nginx + gunicorn": nginx_gunicorn}
