#!/usr/bin/env python3
"""A million requests through the shop: pages, files, uploads, downloads. Nothing may fail and no process may grow.

Memory (PSS) of every process is read after each round. The median over the last fifth of the requests may be above the median
between 10 % and 30 % by a twentieth and 2 MiB at most. Made to be run over a sanitizer build: `make soak`.
usage: soak.py [--requests 1000000] [--round 10] [--binary build/quintet]
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "shop"
HERE = Path(__file__).resolve().parent
BOUNDARY = "soak"
BAD = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|ThreadSanitizer|\"level\":\"alert\"|Traceback")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pss(pid):
    """Proportional memory of a process in KiB, 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))


def children(root):
    """title → pid of the server's processes."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if int(folder.name) == root or parent == root:
            found[title.split(" (")[0]] = int(folder.name)
    return found


def log_in(base):
    """A customer's cookies, and the token that goes with them."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(base + "/login/").read()
    token = next(c.value for c in jar if c.name == "csrftoken")
    form = urllib.parse.urlencode({"username": "customer", "password": "customer", "csrfmiddlewaretoken": token})
    opener.open(urllib.request.Request(base + "/login/", form.encode(), {"Referer": base + "/login/"})).read()
    cookies = {c.name: c.value for c in jar}
    assert "sessionid" in cookies, "the customer could not log in"
    return "; ".join(f"{k}={v}" for k, v in cookies.items()), cookies["csrftoken"]


def upload_body(folder, token):
    """A review with a photo too large to travel inside a slot."""
    photo = folder / "photo.png"
    Image.frombytes("RGB", (220, 220), os.urandom(220 * 220 * 3)).save(photo)
    parts = [("csrfmiddlewaretoken", token), ("stars", "5"), ("text", "Swings.")]
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in parts)
    body += (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n'
             "Content-Type: image/png\r\n\r\n").encode() + photo.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    path = folder / "review.body"
    path.write_bytes(body)
    return path


def write_plan(folder, base, body):
    home = urllib.request.urlopen(base + "/").read().decode()
    static = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', home)))
    product = re.search(r'href="(/products/[^"/]+/)"', home).group(1)
    rows = [(800 // len(static) + 1, "GET", path, "-") for path in static]
    rows += [(40, "GET", "/", "-"), (40, "GET", product, "-"), (20, "GET", "/products/?q=guitar", "-"),
             (20, "GET", "/api/products/", "-"), (10, "GET", "/journey/", "-"), (10, "GET", "/export/products.csv", "-"),
             (20, "GET", "/download/catalogue.pdf", "-"),
             (5, "POST", product + "review/", str(body))]
    plan = folder / "plan"
    plan.write_text("".join("%d %s %s %s\n" % row for row in rows))
    return plan


class Server:
    def __init__(self, binary, folder):
        self.folder = folder
        self.port = free_port()
        self.env = dict(os.environ, SHOP_VAR=str(folder / "var"), SHOP_DEMO="1")
        subprocess.run([sys.executable, "manage.py", "prepare"], cwd=SHOP, env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        (folder / "var" / "media").mkdir(exist_ok=True)
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [str(binary), "run", "--chdir", str(SHOP), "--python", sys.executable, "--bind", f"127.0.0.1:{self.port}",
             "--workers", "2", "--threads", "2", "--access-log", "off", "--control", str(folder / "control.sock")],
            env=self.env, stdout=self.log, stderr=self.log)
        self.base = f"http://127.0.0.1:{self.port}"

    def wait(self):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            assert self.process.poll() is None, self.text()
            try:
                urllib.request.urlopen(self.base + "/whoami/").read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the shop did not come up:\n" + self.text())

    def text(self):
        return (self.folder / "log").read_text(errors="replace")

    def memory(self):
        return {title: pss(pid) for title, pid in children(self.process.pid).items()}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def run_round(server, plan, cookie, seconds):
    env = dict(os.environ, SOAK_PLAN=str(plan), SOAK_COOKIE=cookie)
    out = subprocess.run(["wrk", "-t1", "-c32", f"-d{seconds}", "--timeout", "30s", "-s", str(HERE / "mix.lua"), server.base],
                         env=env, check=True, capture_output=True, text=True).stdout
    numbers = [int(n) for n in re.search(r"^soak (.*)$", out, re.M).group(1).split()]
    return numbers[0], sum(numbers[1:])


def verdict(samples, wanted):
    """A line a process, and whether all are level."""
    level = True
    for title in sorted(samples[-1][1]):
        early = [m.get(title, 0) for done, m in samples if 0.1 * wanted <= done <= 0.3 * wanted] or [samples[0][1][title]]
        late = [m.get(title, 0) for done, m in samples if done >= 0.8 * wanted]
        a, b = statistics.median(early), statistics.median(late)
        grew = b > a * 1.05 + 2048
        level = level and not grew
        print(f"soak: {title}: {a / 1024:.1f} MiB early, {b / 1024:.1f} MiB late{'  GREW' if grew else ''}")
    return level


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--round", type=int, default=10, help="seconds between two looks at memory")
    parser.add_argument("--binary", default=os.environ.get("QUINTET_BINARY", str(ROOT / "build" / "quintet")))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quintet-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(args.binary, folder)
        failed, done, samples = 0, 0, []
        try:
            server.wait()
            cookie, token = log_in(server.base)
            plan = write_plan(folder, server.base, upload_body(folder, token))
            while done < args.requests:
                n, errors = run_round(server, plan, cookie, args.round)
                done, failed = done + n, failed + errors
                samples.append((done, server.memory()))
                print(f"soak: {done} requests, {failed} failed, " +
                      ", ".join(f"{t} {m // 1024} MiB" for t, m in sorted(samples[-1][1].items())), flush=True)
        finally:
            status = server.stop()
        level = verdict(samples, done)
        bad = [line for line in server.text().splitlines() if BAD.search(line)]
        print("\n".join(bad[:20]))
        ok = failed == 0 and level and not bad and status == 0
        print(json.dumps({"requests": done, "failed": failed, "level": level, "exit": status, "ok": ok}))
        return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
