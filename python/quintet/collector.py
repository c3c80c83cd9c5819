"""The garbage collector of a worker: what boot has made is frozen, and collections move out of the requests.

When to collect between requests is decided in C (src/worker/collect.c). An application that has set the collector up itself,
by gc.disable() or gc.set_threshold(), keeps it as it is.
"""

import gc

# A request that makes so many objects and keeps them is collected in its middle after all.
SAFETY_NET = 100_000

found = gc.get_threshold()  # before the application is imported


def freeze():
    """What boot has made stays: later collections need not walk it. Old garbage among it (a few dozen objects) waits for `settle`."""
    gc.collect(1)
    gc.freeze()


def settle():
    """The same with a look at everything, a tenth of a boot. How many objects were garbage."""
    gc.unfreeze()
    found = gc.collect()
    gc.freeze()
    return found


def is_ours():
    return gc.isenabled() and gc.get_threshold() == found and found[0] > 0


def move_out_of_requests(module, threads):
    """With one thread the interpreter's own collections become rare; with several, ours only spare it some (see collect.h)."""
    net = max(SAFETY_NET, found[0]) if threads == 1 else 0
    if net:
        gc.set_threshold(net, *found[1:])
    module.collect(gc.get_count, gc.collect, settle, found[0], net)


def set_up(module, threads, idle, forks):
    """After the boot; `idle`: between requests is asked for. What is to be forked must be settled, and what nobody else will settle."""
    idle = idle and is_ours()
    if idle and not forks:
        freeze()
    else:
        settle()
    if idle:
        move_out_of_requests(module, threads)
