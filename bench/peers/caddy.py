"""caddy: alone for files, and in front of gunicorn."""
from harness.site import spawn
from peers.gunicorn import Behind

CONF = """
{{
    admin off
    auto_https off
    log {{
        output file {dir}/caddy.log
    }}
}}
{address} {{
    bind 127.0.0.1
    {tls}
    log {{
        output file {dir}/caddy-access.log
    }}
    {static}
    {app}
}}
"""
STATIC = "handle_path /static/* {{\n root * {static}\n file_server {{\n precompressed gzip\n }}\n }}"
APP = "handle {{\n encode gzip\n reverse_proxy unix/{socket}\n }}"


class Caddy(Behind):
    name = "caddy"
    programs = ("caddy", "gunicorn")
    settings = "its defaults, access log to a file"

    def front(self, site):
        conf = site.dir / "Caddyfile"
        scheme = "https" if site.cert else "http"
        conf.write_text(CONF.format(
            dir=site.dir, address=f"{scheme}://127.0.0.1:{site.port}, {scheme}://localhost:{site.port}",
            tls=f"tls {site.cert}/cert.pem {site.cert}/key.pem" if site.cert else "",
            static=STATIC.format(static=site.static) if site.static else "", app="" if site.files_only else APP.format(socket=site.socket)))
        return [spawn(site, "caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", conf])]


class CaddyGunicorn(Caddy):
    name = "caddy + gunicorn"
    settings = "caddy as above, gunicorn on a Unix socket as above"
