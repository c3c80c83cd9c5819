"""h2o: alone for files, and in front of gunicorn."""
from harness.site import spawn
from peers.gunicorn import Behind

CONF = """
num-threads: 2
tcp-fastopen: 0
access-log: {dir}/h2o-access.log
error-log: {dir}/h2o-error.log
http1-request-timeout: 75
http2-idle-timeout: 75
max-connections: 16384
hosts:
  default:
    listen: {{ host: 127.0.0.1, port: {port} {tls} }}
    compress: [ gzip, br ]
    file.send-compressed: ON
    paths:
      {paths}
"""


class H2o(Behind):
    name = "h2o"
    programs = ("h2o", "gunicorn")
    settings = "two threads, access log to a file"

    def front(self, site):
        paths = [f"/static: {{ file.dir: {site.static} }}"] if site.static else []
        if not site.files_only:
            paths.append(f'/: {{ proxy.reverse.url: "http://[unix:{site.socket}]/", proxy.preserve-host: ON }}')
        tls = f", ssl: {{ certificate-file: {site.cert}/cert.pem, key-file: {site.cert}/key.pem }}" if site.cert else ""
        conf = site.dir / "h2o.yaml"
        conf.write_text(CONF.format(dir=site.dir, port=site.port, tls=tls, paths="\n      ".join(paths)))
        return [spawn(site, "h2o", ["h2o", "-c", conf])]


class H2oGunicorn(H2o):
    name = "h2o + gunicorn"
    settings = "h2o as above, gunicorn on a Unix socket as above"
