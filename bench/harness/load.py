"""The load generators of others, wrk and h2load: one run each, its figures in seconds and counts."""
import json
import re
import subprocess
from pathlib import Path

REPORT = Path(__file__).with_name("report.lua")


def wrk_figures(text):
    """What report.lua has written."""
    return json.loads(next(line for line in text.splitlines() if line.startswith('{"requests"')))


def wrk(url, seconds, connections=64, fields=(), script=None):
    """GETs by wrk, or what a script for it says. A response other than 2xx and 3xx is a failure, and so is a broken connection."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", script or REPORT]
    for field in fields:
        words += ["-H", field]
    done = subprocess.run([*map(str, words), url], capture_output=True, text=True, check=True)
    return wrk_figures(done.stdout)


def wrk_post(url, seconds, folder, body, connections=64):
    """POSTs of a body by wrk; its script is written into a folder."""
    (folder / "body").write_bytes(body)
    script = folder / "post.lua"
    script.write_text(f'wrk.method = "POST"\nlocal f = io.open("{folder}/body", "rb")\nwrk.body = f:read("*a")\nf:close()\n' + REPORT.read_text())
    return wrk(url, seconds, connections, script=script)


def h2load_seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit]


def h2load_figures(text):
    """Of a timed run of h2load: it has no percentiles, the mean and the longest take their place.

    What is errored or late is among the failed, too, as is what has a status of an error."""
    counts = re.search(r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    seconds, rate = re.search(r"finished in ([\d.]+\w+), ([\d.]+) req/s", text).groups()
    times = re.search(r"time for request:\s+(\S+)\s+(\S+)\s+(\S+)", text)
    done, failed, errored, late = (int(counts[i]) for i in (3, 5, 6, 7))
    return {"requests": done, "seconds": h2load_seconds(seconds), "rate": float(rate), "mean": h2load_seconds(times[3]) if times else 0,
            "longest": h2load_seconds(times[2]) if times else 0, "failures": max(failed, errored, late)}


def h2load(url, seconds, clients=16, streams=16, fields=()):
    """HTTP/2 by h2load, so many clients with so many requests in flight each."""
    words = ["h2load", "-t1", "-c", clients, "-m", streams, "-D", max(1, round(seconds)), "--warm-up-time=0"]
    for field in fields:
        words += ["-H", field]
    done = subprocess.run([*map(str, words), url], capture_output=True, text=True, check=True)
    if "Application protocol: h2\n" not in done.stdout:
        raise RuntimeError(f"{url} does not speak HTTP/2:\n{done.stdout}")
    return h2load_figures(done.stdout)
