"""The garbage collector of a worker: what boot has made is frozen, and collections move out of the requests.

When to collect between requests is decided in C (src/worker/collect.c). An application that has set the collector up itself,
by gc.disable() or gc.set_threshold(), keeps it as it is.
"""

import gc

# A request that makes so many objects and keeps them is collected in its middle after all.
SAFETY_NET = 100_000

found = gc.get_threshold()  # before the application is imported


def settle():
    """What boot has made stays: later collections need not walk it."""
    gc.collect()
    gc.freeze()


def is_ours():
    return gc.isenabled() and gc.get_threshold() == found and found[0] > 0


def move_out_of_requests(module, threads):
    """With one thread the interpreter's own collections become rare; with several, ours only spare it some (see collect.h)."""
    if not is_ours():
        return
    net = max(SAFETY_NET, found[0]) if threads == 1 else 0
    if net:
        gc.set_threshold(net, *found[1:])
    module.collect(gc.get_count, gc.collect, found[0], net)
