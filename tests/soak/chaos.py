#!/usr/bin/env python3
"""Everything at once against the supervisor: reloads, rollbacks, take-overs, pauses, deaths and standstills in a random order.

After each burst the supervisor must come to rest: its workers all ready, one generation (and one kept), no reload, no process that it does
not know, as many descriptors as ever in that shape, and `status` and a request are answered. One seed, one order; the timing is the
machine's. The options (--preload, --keep-generation, --max-requests, --reload-strategy …) come from the seed too.
usage: chaos.py [--seed N] [--seeds 10] [--bursts 6] (QUINTET_BINARY names the program)
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from kit import control, instance, processes  # noqa: E402
from kit.waiting import SLOW  # noqa: E402

REST_SECONDS = 60
GOOD = """
import os, time

def application(environ, start):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/slow":
        time.sleep(float(query))
    if path == "/die":
        os._exit(3)
    start("200 OK", [])
    return [b"fine"]
"""
BROKEN = "raise RuntimeError('this release does not boot')\n"
SLOW_BOOT = "import time\ntime.sleep(0.7)\n" + GOOD


class Traffic(threading.Thread):
    """Requests of all sorts; what becomes of them is asked by tests/faults, not here."""

    def __init__(self, site, seed):
        super().__init__(daemon=True)
        self.site, self.random, self.over, self.answered = site, random.Random(seed), False, 0
        self.address = site.address()

    def run(self):
        import http.client
        while not self.over:
            target = self.random.choice(["/"] * 20 + ["/slow?0.3"] * 3 + ["/slow?1.5", "/slow?9", "/die"])
            try:
                c = http.client.HTTPConnection(*self.address, timeout=4)
                c.request("GET", target)
                c.getresponse().read()
                self.answered += 1
            except (OSError, http.client.HTTPException):
                pass
            finally:
                c.close()
            time.sleep(0.01)


class Chaos:
    def __init__(self, site, seed, workers):
        self.site, self.random, self.more, self.workers = site, random.Random(seed), 0, workers
        self.levels, self.asked, self.stopped = {}, [], set()

    # ---- what it does ----

    def shape(self):
        return self.site.try_status()

    def pids(self, kind):
        status = self.shape() or {}
        found = []
        for g in status.get("generations", []):
            for w in g["workers"]:
                found += [w["pid"]] if kind == "worker" else []
                found += [w["successor"]["pid"]] if kind in ("worker", "successor") and "successor" in w else []
            found += [p["pid"] for p in g["preloaders"]] if kind == "preloader" else []
        if kind == "edge":
            found += [e["pid"] for e in (status.get("edge"), status.get("edge_before")) if e]
        return [p for p in found if p > 0]

    def send(self, kind, number):
        pids = self.pids(kind)
        if not pids:
            return "no " + kind
        pid = self.random.choice(pids)
        now = processes.stat(pid)
        if not now or now[0] != self.site.pid:
            return "gone"
        if number == signal.SIGSTOP:
            self.stopped.add((pid, now[2]))
        os.kill(pid, number)
        return "%s %d" % (kind, pid)

    def ask(self, command, **more):
        def run():
            try:
                control.ask(self.site.control, command, timeout=200, **more)
            except (OSError, ValueError):
                pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.asked.append((command, time.monotonic(), thread))

    def resize(self, by):
        if not 1 <= self.workers + self.more + by <= 4:
            return "no"
        self.more += by
        self.site.signal(signal.SIGTTIN if by > 0 else signal.SIGTTOU)
        time.sleep(0.2 * SLOW)  # two that wait at a time are one for the kernel
        return by

    def actions(self):
        kill, stop, cont = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
        return [
            (6, "HUP", lambda: self.site.signal(signal.SIGHUP)),
            (4, "reload", lambda: self.ask("reload")),
            (2, "reload-edge", lambda: self.ask("reload-edge")),
            (5, "rollback", lambda: self.ask("rollback")),
            (4, "USR2", lambda: self.site.signal(signal.SIGUSR2)),
            (1, "USR1", lambda: self.site.signal(signal.SIGUSR1)),
            (2, "TTIN", lambda: self.resize(1)),
            (2, "TTOU", lambda: self.resize(-1)),
            (6, "kill worker", lambda: self.send("worker", kill)),
            (3, "kill successor", lambda: self.send("successor", kill)),
            (4, "kill edge", lambda: self.send("edge", kill)),
            (4, "kill preloader", lambda: self.send("preloader", kill)),
            (2, "stop worker", lambda: self.send("worker", stop)),
            (1, "stop successor", lambda: self.send("successor", stop)),
            (1, "stop preloader", lambda: self.send("preloader", stop)),
            (1, "stop edge", lambda: self.send("edge", stop)),
            (2, "continue worker", lambda: self.send("worker", cont)),
            (2, "continue edge", lambda: self.send("edge", cont)),
            (2, "pause", lambda: self.ask("pause", max=self.random.choice([0.3, 1, 3]))),
            (2, "resume", lambda: self.ask("resume")),
            (2, "break", lambda: self.site.write("app.py", BROKEN)),
            (1, "slow boot", lambda: self.site.write("app.py", SLOW_BOOT)),
            (3, "repair", lambda: self.site.write("app.py", GOOD)),
            (2, "status", self.shape),
        ]

    def burst(self, n):
        actions = self.actions()
        for _ in range(n):
            _, name, act = self.random.choices(actions, [a[0] for a in actions])[0]
            said = act()
            said = said if isinstance(said, (str, int)) else ""
            self.say(name, said)
            time.sleep(self.random.choice([0, 0, 0.01, 0.05, 0.1, 0.3, 0.8]) * (2 if SLOW > 1 else 1))
            if self.site.process.poll() is not None:
                raise AssertionError("it ended with %d" % self.site.process.returncode)

    @staticmethod
    def say(*what):
        print("%.3f" % (time.time() % 1000), *what, flush=True)

    # ---- rest ----

    def trouble(self):
        """Why this is no rest yet; None: it is."""
        s = self.shape()
        if s is None:
            return "status is not answered"
        if s["state"] != "running" or s["reload"] != "idle" or s["paused"]:
            return "state %s, reload %s, paused %g" % (s["state"], s["reload"], s["paused"])
        if s["edge"]["state"] != "up" or "generations" not in s["edge"] or s.get("edge_before"):
            return "edge %r" % ({k: s["edge"].get(k) for k in ("state", "pid")},)
        states = sorted(g["state"] for g in s["generations"])
        if states not in (["serving"], ["kept", "serving"]):
            return "generations %r" % states
        serving = next(g for g in s["generations"] if g["state"] == "serving")
        known = {s["edge"]["pid"]}
        for g in s["generations"]:
            for w in g["workers"]:
                if w["state"] != "up" or "successor" in w:
                    return "worker %r" % w
                known.add(w["pid"])
            for p in g["preloaders"]:
                if p["state"] != "up":
                    return "preloader %r" % p
                known.add(p["pid"])
        if len(serving["workers"]) != self.workers + self.more:
            self.site.signal(signal.SIGHUP)  # the reload of TTIN failed with the release that was there then
            time.sleep(1)
            return "%d workers, not %d" % (len(serving["workers"]), self.workers + self.more)
        still = [p for p, start in self.stopped if (processes.stat(p) or (0, 0, 0))[1:] == ("T", start)]
        if still:
            return "stopped: %r" % still
        children = {p for p in processes.pids() if (processes.stat(p) or (0,))[0] == self.site.pid and processes.alive(p)}
        if children - known:
            return "unknown children %r" % {p: processes.title(p) for p in children - known}
        descriptors = sorted(processes.descriptors(self.site.pid))
        shape = tuple(sorted((g["state"], len(g["workers"]), len(g["preloaders"])) for g in s["generations"]))
        return self.judge_level(shape, descriptors)

    def judge_level(self, shape, descriptors):
        n = len(descriptors)
        workers, preloaders, generations = sum(w for _, w, _ in shape), sum(p for _, _, p in shape), len(shape)
        # Channel, pipe and recorder a worker; channel and pipe a preloader; memfd and eventfds a generation.
        level = n - 3 * workers - 2 * preloaders - self.lanes() * generations
        first = self.levels.setdefault("level", level)
        return "level %d, at first %d: %r" % (level, first, descriptors) if level != first else None

    def lanes(self):
        s = self.shape()
        return 1 + s["edge"].get("lanes", 1) if s else 2

    def rest(self):
        self.site.write("app.py", GOOD)
        self.ask("resume")
        end, why = time.monotonic() + REST_SECONDS * SLOW, "?"
        began = time.monotonic()
        while time.monotonic() < end:
            why = self.trouble()
            if self.site.process.poll() is not None:
                raise AssertionError("it ended with %d" % self.site.process.returncode)
            if why is None:
                self.say("rest after %.1f s" % (time.monotonic() - began))
                answer = self.site.get("/")
                assert answer.status == 200, answer.status
                late = [c for c, _, t in self.asked if t.is_alive()]
                time.sleep(0.3)
                late = [c for c, _, t in self.asked if t.is_alive()]
                assert not late, "these commands were never answered: %r" % late
                self.asked.clear()
                self.stopped.clear()
                return
            time.sleep(0.2)
        raise AssertionError("no rest: %s" % why)


def options(seed):
    r = random.Random(seed)
    words = ["--timeout", r.choice(["2s", "3s"]), "--graceful-timeout", "2s"]
    words += ["--preload"] if r.random() < 0.5 else []
    words += ["--keep-generation", r.choice(["2s", "60s"])] if r.random() < 0.6 else []
    words += ["--max-requests", "40"] if r.random() < 0.5 else []
    words += ["--reload-strategy", "rolling"] if r.random() < 0.35 else []
    return words, r.choice([1, 2, 3])


def run(seed, bursts):
    folder = Path(tempfile.mkdtemp(prefix="chaos"))
    words, workers = options(seed)
    print("== seed", seed, *words, "workers", workers, "in", folder, flush=True)
    site = instance.Instance(folder, options=[*words, "--workers", workers, "--log-level", "debug"], files={"app.py": GOOD})
    ok = False
    try:
        site.start()
        chaos = Chaos(site, seed, workers)
        chaos.rest()
        traffic = [Traffic(site, seed + i) for i in range(3)]
        for t in traffic:
            t.start()
        for _ in range(bursts):
            chaos.burst(chaos.random.randint(5, 25))
            chaos.rest()
        if chaos.random.random() < 0.5:  # the end may come at any moment
            chaos.burst(6)
        for t in traffic:
            t.over = True
        site.process.send_signal(chaos.random.choice([signal.SIGTERM, signal.SIGINT]))
        code = site.process.wait(40 * SLOW)
        assert code == 0, "exit status %d" % code
        for path in (site.stdout, site.stderr, site.log):
            text = path.read_text(errors="replace")
            assert not instance.SANITIZER.search(text), text[-8000:]
        bad = [m for m in site.errors() if m["level"] == "alert" or "broke the rules" in m["message"]]
        assert not bad, bad
        site.ask_no_process()
        print("   fine:", sum(t.answered for t in traffic), "answers", flush=True)
        ok = True
    except AssertionError as error:
        print("** seed %d: %s" % (seed, error), flush=True)
        print("   status:", site.try_status(), flush=True)
        print("   logs in", folder, flush=True)
    finally:
        site._kill_rest()
        shutil.rmtree(site.short, ignore_errors=True)
        if ok:
            shutil.rmtree(folder)
    return ok


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--bursts", type=int, default=5)
    given = parser.parse_args()
    results = [run(given.seed + i, given.bursts) for i in range(given.seeds)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
