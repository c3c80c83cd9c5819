"""Requests that have much in common with the one before, by chance or by design: each environ says what its own request says."""

import json
import random

from harness import Worker

VARIABLES = {
    "method": ("REQUEST_METHOD", ["GET", "POST"]), "target": ("REQUEST_URI", ["/a?b", "/cd", "/a?c", "*"]),
    "query": ("QUERY_STRING", ["", "b", "c", "a-longer-one"]), "remote_addr": ("REMOTE_ADDR", ["192.0.2.7", "192.0.2.8", "2001:db8::1"]),
    "remote_port": ("REMOTE_PORT", ["50001", "50002", "443"]), "remote_user": ("REMOTE_USER", ["", "anna", "otto"]),
    "tls_protocol": ("SSL_PROTOCOL", ["", "TLSv1.3"]), "request_id": ("HTTP_X_REQUEST_ID", ["0001", "0002", "long-identifier"]),
}  # fmt: skip
NAMES = ["Host", "host", "User-Agent", "Accept", "Cookie", "cookie", "X-" + "Y" * 130, "Content-Type", "Content-Length", "X-Request-ID", "X-A", "X-B"]
VALUES = ["", "a", "b", "some value", "same values", "\xe9", "\xc3\xa9", "v" * 300, "w" * 300]
OWN = {"Content-Length", "X-Request-ID"}


def key_of(name):
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else "HTTP_" + key


def expected(names, headers):
    found = {VARIABLES[name][0]: value for name, value in names.items() if name in VARIABLES and (value or name not in ("remote_user", "tls_protocol"))}
    found["PATH_INFO"] = names["target"].partition("?")[0].replace("*", "")
    found["wsgi.url_scheme"] = names["scheme"]
    if names["scheme"] == "https":
        found["HTTPS"] = "on"
    for name, value in headers:
        key = key_of(name)
        if name not in OWN:
            found[key] = value if key not in found else found[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
    return found


def changed(rng, names, headers):
    """The request a little changed, as a connection's next one, or a new one altogether."""
    names, headers = dict(names), list(headers)
    for _ in range(rng.choice([0, 1, 1, 2])):
        name = rng.choice(list(VARIABLES))
        names[name] = rng.choice(VARIABLES[name][1])
    if rng.random() < 0.1:
        names["scheme"] = rng.choice(["http", "https"])
    if headers and rng.random() < 0.6:
        at = rng.randrange(len(headers))
        headers[at] = (headers[at][0], rng.choice(VALUES))
    if rng.random() < 0.15:
        headers = [(name, rng.choice(VALUES)) for name in rng.sample(NAMES, rng.randint(0, len(NAMES)))]
    if rng.random() < 0.1:
        rng.shuffle(headers)
    return names, headers


def seen(worker, names, headers):
    found = json.loads(worker.get(names["target"], headers=headers, **{k: v for k, v in names.items() if k != "target"}).body)
    keep = {key for key, _ in VARIABLES.values()} | {"HTTPS", "wsgi.url_scheme", "PATH_INFO", "CONTENT_TYPE", "CONTENT_LENGTH"}
    return {key: value for key, value in found.items() if key in keep or key.startswith("HTTP_")}


def test_each_environ_is_its_own_requests():
    rng = random.Random(5)
    names = {name: values[0] for name, (_, values) in VARIABLES.items()} | {"scheme": "http"}
    headers = [("Host", "h"), ("Accept", "a")]
    with Worker("environ_only") as worker:
        for _ in range(3000):
            names, headers = changed(rng, names, headers)
            assert seen(worker, names, headers) == expected(names, headers)


def test_more_than_is_remembered():
    """Too many fields, and too many bytes: made anew each time."""
    many = [(f"X-N{i}", str(i)) for i in range(60)]
    large = [("X-Large", "l" * 9000), ("X-Small", "s")]
    with Worker("environ_only") as worker:
        for headers in (many, many, many, large, large, large, [("X-Small", "s")], [("X-Small", "t")], [("X-Small", "u")]):
            found = json.loads(worker.get("/", headers=headers).body)
            assert {k: v for k, v in found.items() if k.startswith("HTTP_X_") and k != "HTTP_X_REQUEST_ID"} == {key_of(n): v for n, v in headers}


def test_when_the_table_of_names_is_full():
    """No other name is learnt then: what the edge says by other means is left out all the same, and a value that is not kept is not lost."""
    names = {name: values[0] for name, (_, values) in VARIABLES.items()} | {"scheme": "http"}
    with Worker("environ_only") as worker:
        for at in range(0, 300, 30):
            headers = [(f"X-N{i}", str(i)) for i in range(at, at + 30)]
            assert seen(worker, names, headers) == expected(names, headers)
        for value in ("a", "a", "a", "b", "some value", "some value", "some value"):
            names["request_id"] = value * 2
            headers = [("X-Request-ID", "mine"), ("Content-Length", "7"), ("X-A", value), ("Content-Type", value)]
            assert seen(worker, names, headers) == expected(names, headers)


def test_what_an_application_does_to_its_environ_stays_there():
    with Worker("corners") as worker:
        for _ in range(5):
            found = json.loads(worker.get("/environ_changed", headers=[("Host", "h")]).body)
            assert found == {"host": "h", "mine": None}
