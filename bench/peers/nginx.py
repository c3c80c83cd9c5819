"""nginx: alone for files, and in front of gunicorn and uwsgi."""
from harness.site import spawn
from peers.base import ROOT_USER, Peer
from peers.gunicorn import Behind

CONF = """
{user}
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
events {{ worker_connections 16384; }}
http {{
    types {{ text/html html; text/css css; text/plain txt; }}
    access_log {dir}/nginx-access.log combined buffer=64k flush=1s;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    open_file_cache max=1000;
    gzip on;
    gzip_proxied any;
    gzip_types text/css text/plain;
    gzip_static on;
    client_max_body_size 200m;
    client_body_temp_path {dir}/nginx-body;
    proxy_temp_path {dir}/nginx-proxy;
    fastcgi_temp_path {dir}/nginx-fastcgi;
    uwsgi_temp_path {dir}/nginx-uwsgi;
    scgi_temp_path {dir}/nginx-scgi;
    upstream app {{ server unix:{socket}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096 reuseport {tls};
        {cert}
        {static}
        {app}
    }}
}}
"""
CERT = """ssl_certificate {cert}/cert.pem; ssl_certificate_key {cert}/key.pem; ssl_session_cache shared:tls:10m; ssl_protocols TLSv1.2 TLSv1.3;"""
PROXY = """location / {
            proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        }"""
UWSGI = "location / { include /etc/nginx/uwsgi_params; uwsgi_pass app; }"


def nginx_for(site, app):
    conf = site.dir / "nginx.conf"
    conf.write_text(CONF.format(
        user="user root;" if ROOT_USER else "", dir=site.dir, port=site.port, socket=site.socket, tls="ssl http2" if site.cert else "",
        cert=CERT.format(cert=site.cert) if site.cert else "", static=f"location /static/ {{ alias {site.static}/; }}" if site.static else "", app=app))
    return spawn(site, "nginx", ["/usr/sbin/nginx", "-p", site.dir, "-e", site.dir / "nginx-error.log", "-c", conf])


SETTINGS = ("worker_processes auto, listen reuseport, sendfile, tcp_nopush, open_file_cache, buffered access log, keep-alive of 75 s "
            "without a limit of requests; TLS with a shared session cache and tickets")


class Nginx(Peer):
    """Files alone."""
    name = "nginx"
    programs = ("nginx",)
    settings = SETTINGS

    def start(self, site):
        return [nginx_for(site, "")]


class NginxGunicorn(Behind):
    name = "nginx + gunicorn"
    programs = ("nginx", "gunicorn")
    settings = "nginx as above, kept connections to gunicorn on a Unix socket; gunicorn as above, without its own access log"

    def front(self, site):
        return [nginx_for(site, PROXY)]


class NginxUwsgi(Peer):
    name = "nginx + uwsgi"
    programs = ("nginx", "uwsgi")
    settings = "nginx as above; uwsgi by its own protocol on a Unix socket, --master, --thunder-lock, --single-interpreter, no request log"

    def start(self, site):
        threads = ["--threads", site.threads, "--enable-threads"] if site.threads > 1 else []
        uwsgi = spawn(site, "uwsgi", [
            "uwsgi", "--plugin", "python3", "--socket", site.socket, "--chdir", site.chdir, "--module", site.app, "--master", "--processes", site.workers,
            *threads, "--listen", 1024, "--thunder-lock", "--single-interpreter", "--need-app", "--die-on-term", "--disable-logging", "--vacuum"])
        return [uwsgi, nginx_for(site, UWSGI)]
