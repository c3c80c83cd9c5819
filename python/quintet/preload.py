"""The preloader's part in Python: what makes an imported application fit to be forked, and the forks.

The protocol is in src/worker/preload.h. Everything here runs in the main thread of the preloader, but for the end of
`wait_for_fork`, which returns in each new worker.
"""

import os
import sys

from quintet import warm_up


def other_threads():
    """Names of the threads that the import has started: they exist in no worker."""
    import threading  # not at the top: an application may patch it while it is imported

    return [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]


def close_connections():
    """What import and warm-up have opened through Django: a socket must not be shared by all workers."""
    if warm_up.django_settings() is None:
        return  # no Django application, whatever it has imported of Django
    if "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()
    if "django.core.cache" in sys.modules:
        from django.core.cache import close_caches

        close_caches()


def make_fit():
    """After the import, before the first fork."""
    names = other_threads()
    if names:
        print(f"preload: the import has started threads, which no worker will have: {', '.join(names)}; start them "
              "with the first request, or leave --preload out", file=sys.stderr)
    close_connections()


def wait_for_fork(module):
    """Forks workers as the supervisor wishes. Returns in each of them its number; ends the preloader when its time is over."""
    while True:
        order = module.preload_await()
        if order is None:
            # Not sys.exit: what the application wants at its end is for the workers to do.
            os._exit(0)
        try:
            in_worker = module.preload_fork()
        except OSError as error:
            in_worker = False
            print(f"preload: cannot fork: {error}", file=sys.stderr)
        if in_worker:
            return become(module, order)
        module.preload_dismiss(order)


def become(module, order):
    """In the new process: the number of the worker that it is from now on."""
    try:
        return module.preload_become(order)
    except BrokenPipeError:
        os._exit(0)  # the supervisor does not want this worker any more
    except BaseException:
        sys.excepthook(*sys.exc_info())
        module.flush()
        os._exit(1)
