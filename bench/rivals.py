"""What the table of reliability compares, each with the settings that its own documents recommend for deploys without loss.

A rival is started for a folder with the application, and knows how it is told to reload and which of its processes are workers. All have two
workers of four threads, kept connections, an access log and a timeout of 30 seconds. Their configurations are not those of peers/: what counts there is
speed, here that nothing is lost.
"""
import os
import signal
import subprocess
import sys
from pathlib import Path

import peers
from peers import PYTHON, ROOT, spawn

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from kit import processes  # noqa: E402

WORKERS, THREADS = 2, 4
QUEUE_TIMEOUT = 2  # seconds, where there is such a thing

# proxy_next_upstream stays at its default (error timeout): a safe request is tried again where there is another server.
NGINX = """
{user}
daemon off;
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
    access_log {dir}/nginx-access.log;
    keepalive_requests 1000000;
    client_header_timeout 10s;
    client_body_timeout 10s;
    client_max_body_size 100m;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream app {{ server unix:{dir}/app.sock max_fails=0; {keep} }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ {way} }}
    }}
}}
"""
PROXY_PASS = 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;'
UWSGI_PASS = "include /etc/nginx/uwsgi_params; uwsgi_pass app;"

# maxconn makes the queue; retry-on with L7 retries is what its manual offers for servers that restart. A POST is not retried.
HAPROXY = """
global
    maxconn 8000
    nbthread 2
defaults
    mode http
    log stdout format raw local0
    option httplog
    timeout connect 5s
    timeout client 75s
    timeout http-request 10s
    timeout server 30s
    timeout queue {queue}s
    option http-buffer-request
    option redispatch
    retries 3
    retry-on conn-failure empty-response
frontend site
    bind 127.0.0.1:{port} backlog 4096
    http-request disable-l7-retry if METH_POST
    default_backend app
backend app
    http-reuse safe
    server app unix@{dir}/app.sock maxconn {slots}
"""


class Rival:
    """name, and what is started; `main` is who is told to reload and whose children are the workers."""

    def __init__(self, site):
        self.site, self.children, self.main = site, [], None

    def run(self, name, words):
        self.children.append(spawn(self.site, name, words))
        return self.children[-1]

    def workers(self):
        return [p for p in processes.descendants(self.main.pid) if processes.alive(p)]

    def reload(self):
        self.main.send_signal(signal.SIGHUP)

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


class Quintet(Rival):
    name = "Quintet"

    def start(self):
        self.main = self.run("quintet", [
            os.environ.get("QUINTET_BINARY", ROOT / "build" / "quintet"), "run", "--chdir", self.site.chdir, "--python", PYTHON,
            "--bind", "127.0.0.1:%d" % self.site.port, "--workers", WORKERS, "--threads", THREADS, "--queue-timeout", "%ds" % QUEUE_TIMEOUT,
            "--access-log", self.site.dir / "access.log", "--control", self.site.dir / "control.sock", self.site.app])

    def workers(self):
        return [p for p in super().workers() if "worker" in processes.title(p)]


class Gunicorn(Rival):
    name = "gunicorn"

    def start(self, bind=None):
        self.main = self.run("gunicorn", [
            PYTHON, "-m", "gunicorn", "--chdir", self.site.chdir, "--bind", bind or "127.0.0.1:%d" % self.site.port, "--workers", WORKERS,
            "--worker-class", "gthread", "--threads", THREADS, "--keep-alive", 75, "--backlog", 4096, "--timeout", 30,
            "--graceful-timeout", 30, "--access-logfile", self.site.dir / "access.log", self.site.app])


class NginxGunicorn(Gunicorn):
    name = "nginx + gunicorn"
    keep, way = "keepalive 32;", PROXY_PASS

    def start(self, _bind=None):
        super().start("unix:%s/app.sock" % self.site.dir)
        self.front()

    def front(self):
        conf = self.site.dir / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        conf.write_text(NGINX.format(user=user, dir=self.site.dir, port=self.site.port, keep=self.keep, way=self.way))
        self.run("nginx", ["/usr/sbin/nginx", "-p", self.site.dir, "-e", self.site.dir / "nginx-error.log", "-c", conf])


class HaproxyGunicorn(Gunicorn):
    name = "haproxy + gunicorn"

    def start(self, _bind=None):
        super().start("unix:%s/app.sock" % self.site.dir)
        conf = self.site.dir / "haproxy.cfg"
        conf.write_text(HAPROXY.format(dir=self.site.dir, port=self.site.port, queue=QUEUE_TIMEOUT, slots=WORKERS * THREADS))
        self.run("haproxy", ["/usr/sbin/haproxy", "-db", "-f", conf])


class NginxUwsgi(NginxGunicorn):
    """Chain reloading with lazy applications: a worker at a time."""
    name = "nginx + uwsgi"
    keep, way = "", UWSGI_PASS

    def start(self, _bind=None):
        self.main = self.run("uwsgi", [
            "uwsgi", "--plugin", "python3", "--socket", self.site.dir / "app.sock", "--chdir", self.site.chdir, "--module", self.site.app,
            "--master", "--processes", WORKERS, "--threads", THREADS, "--enable-threads", "--lazy-apps", "--need-app", "--die-on-term",
            "--listen", 1024, "--harakiri", 30, "--worker-reload-mercy", 30, "--master-fifo", self.site.dir / "fifo", "--vacuum"])
        self.front()

    def reload(self):
        with open(self.site.dir / "fifo", "w") as fifo:
            fifo.write("c")


RIVALS = [Quintet, Gunicorn, NginxGunicorn, HaproxyGunicorn, NginxUwsgi]


def site(folder, app):
    return peers.Site(Path(folder), app, WORKERS, Path(folder), peers.free_port())
