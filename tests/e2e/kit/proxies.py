"""haproxy and nginx from Debian, in front of an instance."""
import socket
from pathlib import Path

from kit.servers import Server

NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy(Server):
    """address: where it listens."""

    def __init__(self, name, text, words):
        super().__init__(name)
        self.address = ("127.0.0.1", free_port())
        config = self.folder / "config"
        config.write_text(text.replace("LISTEN", "%s:%d" % self.address).replace("FOLDER", str(self.folder)))
        self.run([*words, str(config)])
        self.wait(self._answers, name + " to listen")

    def _answers(self):
        try:
            socket.create_connection(self.address, 1).close()
        except OSError:
            return False
        return True


HAPROXY = """
global
    maxconn 100
defaults
    mode %s
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen it
    bind LISTEN %s
    %s
    server s %s:%d %s
"""


def haproxy(to, server_words="", mode="tcp", bind_words="", lines=()):
    text = HAPROXY % (mode, bind_words, "\n    ".join(lines), *to, server_words)
    return Proxy("haproxy", text, ["haproxy", "-db", "-f"])


NGINX = """
%s
daemon off;
pid FOLDER/pid;
error_log stderr;
events { worker_connections 100; }
%s
"""


def nginx_stream(to, words=""):
    """It speaks version 1 of the PROXY protocol."""
    module = "load_module %s;" % NGINX_STREAM if NGINX_STREAM.exists() else ""
    block = "stream { server { listen LISTEN; proxy_pass %s:%d; proxy_protocol on; %s } }" % (*to, words)
    return Proxy("nginx", NGINX % (module, block), ["nginx", "-c"])


def nginx_http(to, words=""):
    temp = " ".join("%s_temp_path FOLDER/%s;" % (n, n) for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    block = "http { access_log off; %s server { listen LISTEN; location / { proxy_pass http://%s:%d; %s } } }" % (temp, *to, words)
    return Proxy("nginx", NGINX % ("", block), ["nginx", "-c"])
