"""Handshakes of TLS 1.3, full or resumed, by a small client in C: OpenSSL's s_time takes no tickets of TLS 1.3, and one in Python would cost more than the server."""
import json
import subprocess

from harness.compiled import compiled

CLIENTS = 16


def handshakes(server, seconds, resumed):
    """Each connection asks for the server's path once. A resumed session that was not taken is a failure."""
    client = compiled("handshakes", "ssl", "crypto", "pthread")
    done = subprocess.run([client, str(server.site.port), server.path, str(seconds), str(CLIENTS), "resumed" if resumed else "full"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
