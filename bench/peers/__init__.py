"""The servers that are compared, one file a kind: how each is started and tuned, as its own documentation advises."""
from pathlib import Path

from harness.site import PYTHON, QUINTET, ROOT, Site, free_port, spawn
from peers.apache import ApacheModWsgi
from peers.bjoern import Bjoern
from peers.caddy import Caddy, CaddyGunicorn
from peers.elsewhere import found
from peers.gunicorn import Gunicorn
from peers.h2o import H2o, H2oGunicorn
from peers.haproxy import HaproxyGunicorn
from peers.limit import Limit
from peers.nginx import Nginx, NginxGunicorn, NginxUwsgi
from peers.quintet import Quintet
from peers.tcp import Tcp
from peers.uvicorn import Uvicorn
from peers.varnish import VarnishGunicorn

__all__ = ["PEERS", "PYTHON", "ROOT", "QUINTET", "Site", "add_binary", "free_port", "of_case", "spawn"]

KINDS = (Quintet, Gunicorn, Nginx, NginxGunicorn, NginxUwsgi, ApacheModWsgi, HaproxyGunicorn, VarnishGunicorn, H2o, H2oGunicorn, Caddy, CaddyGunicorn,
         Uvicorn, Bjoern, Limit, Tcp)
PEERS = {kind.name: kind() for kind in KINDS}
ELSEWHERE = {peer.name: peer for peer in found()}
PEERS.update(ELSEWHERE)


def of_case(names):
    """The peers of a case, and those that were found elsewhere if it compares WSGI servers."""
    return [*names, *(ELSEWHERE if "bjoern" in names else ())]


def add_binary(text):
    """NAME=FILE: another binary of Quintet, as a peer of that name."""
    name, _, file = text.partition("=")
    PEERS[name] = Quintet(name, Path(file))
    return name
