"""The control socket's protocol, spoken without the program's own commands."""
import json
import socket


def stream(path, command, timeout=30.0, **more):
    """Each line of the answer as it comes; OSError when nobody listens."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(path))
        s.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
        with s.makefile("rb") as file:
            for line in file:
                answer = json.loads(line)
                yield answer
                if answer.get("done"):
                    return


def ask(path, command, timeout=30.0, **more):
    """Every line of the answer; OSError when nobody listens."""
    return list(stream(path, command, timeout, **more))
