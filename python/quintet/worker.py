"""The worker process: imports the application and serves requests from the pool.

The supervisor starts it as a script in the user's own interpreter:

    PYTHON .../quintet/worker.py --worker N --workers W --threads T --lanes L --generation G [--chdir DIR]
        [--max-requests N --max-requests-jitter N] [--gc idle|python] [--scheme https] [--warmup PATH]... [--preload yes] APP
        [padding]

with the descriptors of src/wire/inherit.h. With --preload yes it serves nothing and forks workers instead, each of which goes
on here as if it had imported the application itself. The padding only makes room for the process title. Exit status: 0 stopped on
request, 3 the application failed to boot (the supervisor has been told why).
"""

import os
import random
import sys

PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The script's own folder is on the path as sys.path[0]: there its modules would shadow the user's ("worker", "wsgi"). Not so when
# multiprocessing imports this file into a process that it spawns: that one has the worker's path already.
if __name__ == "__main__":
    sys.path[0] = PACKAGE_ROOT

from quintet import _quintet, application, boot_error, collector, output, preload, warm_up, wsgi  # noqa: E402


def parse(arguments):
    """Options as a dict, and the application's name. The supervisor wrote them: no help, few defaults."""
    options = {"preload": "no", "warmup": [], "scheme": "http", "gc": "idle", "max-requests": "0", "max-requests-jitter": "0"}
    rest = iter(arguments)
    for word in rest:
        if not word.startswith("--"):
            return options, word
        if word == "--warmup":
            options["warmup"].append(next(rest))
        else:
            options[word[2:]] = next(rest)
    raise SystemExit("quintet: the application is missing")


def prepare_path(project):
    """The project first, as under Gunicorn; our package last, so that it hides nothing of the user's."""
    sys.path.remove(PACKAGE_ROOT)
    sys.path.append(PACKAGE_ROOT)
    sys.path.insert(0, project)
    sys.argv = ["quintet"]


def show_stacks(stacks):
    """The stacks of all threads: into the flight recorder when the process crashes, and when the supervisor asks by signal.

    An application that has faulthandler write elsewhere (PYTHONFAULTHANDLER, faulthandler.enable()) is not disturbed.
    """
    try:
        import faulthandler
    except ImportError:
        return
    if stacks is None:
        return
    fd, signal = stacks
    if not faulthandler.is_enabled():
        faulthandler.enable(file=fd)
    faulthandler.register(signal, file=fd, all_threads=True, chain=True)


def boot(options, name):
    """Imports the application and makes everything ready to serve it."""
    workers, threads = int(options["workers"]), int(options["threads"])
    app = application.load(name)
    application.import_urls()
    shared = wsgi.constants(multithread=threads > 1, multiprocess=workers > 1)
    if options["preload"] == "no":
        _quintet.warming()
    warm_up.run(app, shared, options["warmup"], options["scheme"])
    wsgi.configure(_quintet, shared)
    if options["preload"] == "yes":
        preload.make_fit()
    collector.set_up(_quintet, threads, idle=options["gc"] == "idle", forks=options["preload"] == "yes")
    return app


def boot_or_end(options, name, failed):
    """The application; else `failed` is told why, and the process ends."""
    output.install(_quintet)
    prepare_path(os.getcwd())
    try:
        app = boot(options, name)
        _quintet.flush()  # an unfinished line of the import is not the first request's, nor every forked worker's
        return app
    except BaseException as error:
        _quintet.flush()
        failed(boot_error.describe(error))
        # Not sys.exit: threads that the half-imported application has started must not keep a failed boot alive.
        os._exit(3)


def request_limit(options):
    """After how many requests this worker asks to be replaced; 0: never. Each draws its own, so that they do not all ask at once."""
    most, jitter = int(options["max-requests"]), int(options["max-requests-jitter"])
    return most + random.SystemRandom().randint(0, jitter) if most > 0 else 0


def serve(app, threads):
    """Serves on this thread and threads - 1 others until the supervisor says stop. The others end with this one."""
    import threading

    others = [
        threading.Thread(target=_quintet.serve, args=(i, app), name=f"quintet-{i}", daemon=True)
        for i in range(1, threads)
    ]
    for thread in others:
        thread.start()
    try:
        _quintet.serve(0, app)
    finally:
        # Also when a signal handler of the application raised: let the others finish what they run.
        _quintet.stop()
        for thread in others:
            thread.join()


def start(options, number):
    """From here on this process is the worker of that number."""
    _quintet.start(number, int(options["threads"]), int(options["lanes"]), int(options["generation"]))
    show_stacks(_quintet.stacks())


def main():
    options, name = parse(sys.argv[1:])
    if "chdir" in options:
        os.chdir(options["chdir"])
    if options["preload"] == "yes":
        _quintet.preload_start(int(options["generation"]))
        app = boot_or_end(options, name, _quintet.preload_failed)
        _quintet.preload_ready()
        start(options, preload.wait_for_fork(_quintet))
    else:
        start(options, int(options["worker"]))
        app = boot_or_end(options, name, _quintet.boot_failed)
    _quintet.ready(request_limit(options))
    serve(app, int(options["threads"]))


if __name__ == "__main__":
    main()
