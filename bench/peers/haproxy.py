"""haproxy in front of gunicorn; it serves no files."""
from harness.site import spawn
from peers.gunicorn import Behind

CONF = """
global
    nbthread 2
    maxconn 8000
defaults
    mode http
    log stdout format raw local0
    option httplog
    timeout connect 5s
    timeout client 75s
    timeout server 30s
frontend site
    bind 127.0.0.1:{port} {tls}
    compression algo gzip
    compression type text/html text/css
    default_backend app
backend app
    http-reuse always
    server app unix@{socket}
"""


class HaproxyGunicorn(Behind):
    name = "haproxy + gunicorn"
    programs = ("haproxy", "gunicorn")
    settings = "two threads, http-reuse always, option httplog to a file; gunicorn on a Unix socket as above"

    def front(self, site):
        tls = ""
        if site.cert:
            both = site.dir / "both.pem"
            both.write_bytes((site.cert / "cert.pem").read_bytes() + (site.cert / "key.pem").read_bytes())
            tls = f"ssl crt {both} alpn h2,http/1.1"
        conf = site.dir / "haproxy.cfg"
        conf.write_text(CONF.format(port=site.port, tls=tls, socket=site.socket))
        return [spawn(site, "haproxy", ["/usr/sbin/haproxy", "-db", "-f", conf])]
