"""TCP alone: a program that answers without reading what is asked (harness/tcp.c). Nothing that speaks HTTP over sockets costs less."""
from harness.compiled import compiled
from harness.site import spawn
from peers.base import Peer


class Tcp(Peer):
    name = "TCP alone"
    settings = "no server: as many threads as the others have workers answer each piece that comes with fixed bytes, one `recv` and one `send` a request"

    def start(self, site):
        return [spawn(site, "tcp", [compiled("tcp", "pthread"), site.port, site.workers])]
