"""Varnish in front of gunicorn. Nothing is cached: the pages stand for those that differ from visitor to visitor."""
from harness.site import spawn
from peers.gunicorn import Behind

VCL = """
vcl 4.1;
backend app { .path = "%s"; }
sub vcl_recv { return (pass); }
"""


class VarnishGunicorn(Behind):
    name = "varnish + gunicorn"
    programs = ("varnishd", "gunicorn")
    settings = "its defaults, everything passed (no caching), no access log; gunicorn on a Unix socket as above"

    def front(self, site):
        vcl = site.dir / "site.vcl"
        vcl.write_text(VCL % site.socket)
        return [spawn(site, "varnish", ["/usr/sbin/varnishd", "-F", "-j", "none", "-a", f"127.0.0.1:{site.port}", "-f", vcl, "-n", site.dir / "varnish",
                                        "-s", "malloc,64m"])]
