"""The control socket's protocol, spoken without the program's own commands."""
import json
import socket


def ask(path, command, timeout=30.0, **more):
    """Every line of the answer; OSError when nobody listens."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(path))
        s.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
        with s.makefile("rb") as file:
            lines = []
            for line in file:
                lines.append(json.loads(line))
                if lines[-1].get("done"):
                    break
            return lines
