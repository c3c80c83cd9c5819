"""Clients that never pause while something happens to the instance."""
import threading
import time

from kit import client


class Visitors:
    """Every answer that is not a 200 and every broken connection is kept in `failures`."""

    def __init__(self, site, number=3, target="/hello", **more):
        self.failures, self.bodies, self.count = [], set(), 0
        self._address, self._target, self._more, self._stop = site.address(), target, more, threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(number)]

    def _visit(self):
        while not self._stop.is_set():
            try:
                c = client.Client(client.connect(self._address))
                for _ in range(5):
                    r = c.get(self._target, **self._more)
                    self.bodies.add(r.body)
                    self.count += 1
                    if r.status != 200:
                        self.failures.append(repr(r))
                    if r.get("Connection") == "close":
                        break
                c.close()
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))
                time.sleep(0.005)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
