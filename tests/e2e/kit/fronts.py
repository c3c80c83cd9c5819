"""nginx and haproxy from Debian, in front of Quintet or behind it: each on a Unix socket, with its own word on every request it passed on."""
import re
import shutil

from kit.servers import Server

NGINX = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
    log_format passed '$upstream_status $request_method $request_uri';
    access_log access.log passed;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    underscores_in_headers on; ignore_invalid_headers off;
    upstream quintet { server %(back)s; keepalive 8; }
    server {
        listen unix:%(folder)s/front.sock;
        proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
        proxy_request_buffering off; proxy_next_upstream off;
        location / { proxy_pass http://quintet; }
    }
}
"""

HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    log global
    log-format "%%ST %%s %%HM %%HU"
    option http-keep-alive
    http-reuse always
frontend front
    bind unix@%(folder)s/front.sock
    default_backend quintet
backend quintet
    server quintet %(back)s
"""


class Front(Server):
    """passed(): (method, target) of every request it has sent on to the back, in order."""

    def __init__(self, name, back):
        super().__init__(name)
        self.socket = str(self.folder / "front.sock")
        self.back = "%s:%d" % back

    def configure(self, text):
        path = self.folder / "conf"
        path.write_text(text % {"folder": self.folder, "back": self.back})
        return str(path)

    def ready(self):
        self.wait(lambda: (self.folder / "front.sock").exists(), "%s to listen" % self.folder)
        return self


class Nginx(Front):
    def __init__(self, back):
        super().__init__("nginx", back)
        conf = self.configure(NGINX)
        self.run([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-p", str(self.folder), "-c", conf])
        self.ready()

    def passed(self):
        rows = (self.folder / "access.log").read_text("latin-1").splitlines()
        return [tuple(row.split(" ", 2)[1:]) for row in rows if not row.startswith("-")]


class Haproxy(Front):
    def __init__(self, back):
        super().__init__("haproxy", back)
        conf = self.configure(HAPROXY)
        self.run([shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "-f", conf])
        self.ready()

    def passed(self):
        rows = (self.folder / "log").read_text("latin-1").splitlines()
        found = [re.fullmatch(r"-?\d+ (\S+) (\S+) (\S+)", row) for row in rows]
        return [(m[2], m[3]) for m in found if m and m[1] not in ("<NOSRV>", "<BADREQ>")]


FRONTS = {"nginx": Nginx, "haproxy": Haproxy}
