"""One case: all its peers run, are warmed up, and are loaded in turn, so that a slow minute of the machine meets all of them."""
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from harness.serve import serving

US = 1e6
LONG = {"seconds": 2, "rounds": 5}  # fields of a Case whose runs need longer


@dataclass
class Case:
    name: str  # by which it is asked for
    title: str  # for readers
    peers: tuple  # names; quintet is always there
    load: callable  # (server, seconds) → figures of a run
    site: dict = field(default_factory=dict)  # fields of Site
    path: str = "/"  # what must answer before it begins
    must: dict = field(default_factory=dict)  # peer → {figure: how many times better we must be}
    shows: tuple = ("rate", "p50", "p99", "p999", "cpu", "wakeups", "pss")  # figures of the table
    seconds: float = 1  # of a run: short ones and many, so that those that are compared lie close together
    rounds: int = 11
    prepare: callable = None  # a context manager that gives more fields of Site
    alone: bool = False  # the load starts and ends the server itself, which is not started before: (peer, site fields, seconds) → figures


def per_request(figures, before, after, taken):
    """Adds rate, CPU µs, the edge's and wake-ups of each request, where the load has not said them itself."""
    requests = max(figures.get("requests", 1), 1)
    figures.setdefault("rate", figures.get("requests", 0) / figures.get("seconds", taken))
    for name, i, unit in (("cpu", 0, US), ("edge", 1, US), ("wakeups", 2, 1)):
        figures.setdefault(name, (after[i] - before[i]) * unit / requests)
    return figures


def load_of(case, server):
    """Peers without a server know themselves what to do."""
    return getattr(server.peer, "load", case.load)


def run(case, server, seconds):
    """One turn of a server."""
    before, start = server.costs(), time.monotonic()
    try:
        figures = load_of(case, server)(server, seconds)
    except (RuntimeError, OSError) as error:
        raise RuntimeError(f"{server.peer.name}: {error}") from error
    if server.children:
        per_request(figures, before, server.costs(), time.monotonic() - start)
        figures.setdefault("pss", server.pss())
    return figures


def turns(names, rounds):
    """Every round in the other direction than the one before: A B, B A, A B …"""
    for i in range(rounds):
        for name in names if i % 2 == 0 else reversed(names):
            yield i, name


def tell(text):
    print(text, end="", file=sys.stderr, flush=True)


def measure(case, peers, options):
    """peer → list of the figures of its rounds."""
    rounds, seconds = options.rounds or case.rounds, options.seconds or case.seconds
    found = {peer.name: [] for peer in peers}
    with ExitStack() as stack:
        site = {"workers": 2, **case.site, **(stack.enter_context(case.prepare()) if case.prepare else {})}
        if options.quintet:
            site["options"] = tuple(options.quintet.split())
        if case.alone:
            servers = {peer.name: (peer, site) for peer in peers}
        else:
            servers = {peer.name: stack.enter_context(serving(peer, case.path, **site)) for peer in peers}
            for server in servers.values():
                load_of(case, server)(server, min(1, seconds))  # caches, first imports, connections
        tell(f"{case.name}: ")
        for i, name in turns(list(servers), rounds):
            figures = case.load(*servers[name], seconds) if case.alone else run(case, servers[name], seconds)
            found[name].append(figures)
            tell(".")
    tell("\n")
    return found
