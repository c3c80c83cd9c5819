"""Handshakes of TLS 1.3, full or resumed, by a small client in C: OpenSSL's s_time takes no tickets of TLS 1.3, and one in Python would cost more than the server."""
import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("handshakes.c")
CLIENTS = 16


@functools.cache
def program():
    """Compiled once a run."""
    folder = tempfile.TemporaryDirectory(prefix="quintet-bench-c-")
    program.folder = folder  # lives as long as we do
    binary = Path(folder.name, "handshakes")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-o", binary, SOURCE, "-lssl", "-lcrypto", "-lpthread"], check=True)
    return binary


def handshakes(server, seconds, resumed):
    """Each connection asks for the server's path once. A resumed session that was not taken is a failure."""
    done = subprocess.run([program(), str(server.site.port), server.path, str(seconds), str(CLIENTS), "resumed" if resumed else "full"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
