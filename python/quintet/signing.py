"""URLs that Quintet lets in for a time: routes with `signed: FILE`.

    from quintet.signing import read_key, sign_url

    sign_url("/reports/2026.pdf", 3600, read_key("/etc/mysite/url.key"))

Needs nothing but the standard library, so that any program can sign. The form is in docs/user/sites.md.
"""
import base64
import hashlib
import hmac
import time
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

SHORTEST_KEY = 16
OURS = ("expires", "signature")


def read_key(path):
    """The key as Quintet reads it from the route's file."""
    with open(path, "rb") as file:
        return file.read().strip(b" \t\r\n")


def sign_url(url, expires_in, key, *, now=None):
    """The URL (or path, with or without a query) with `expires` and `signature` behind its query.

    url is as a browser would send it: percent-encoded. expires_in is in seconds, key is bytes or text. A fragment stays where it is.
    """
    key = key.encode() if isinstance(key, str) else bytes(key)
    if len(key) < SHORTEST_KEY:
        raise ValueError("the key has fewer than %d bytes" % SHORTEST_KEY)
    if not url.isascii():
        raise ValueError("percent-encode the URL first (urllib.parse.quote)")
    parts = urlsplit(url)
    if not parts.path.startswith("/"):
        raise ValueError("the URL has no path that begins with a slash: %r" % url)
    if any(p.partition("=")[0] in OURS for p in parts.query.split("&")):
        raise ValueError("the URL has a parameter named expires or signature already")
    expires = b"%d" % (int(time.time() if now is None else now) + int(expires_in))
    message = b"\n".join([unquote_to_bytes(parts.path), parts.query.encode(), expires])
    digest = hmac.new(key, message, hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    query = "%sexpires=%s&signature=%s" % (parts.query and parts.query + "&", expires.decode(), signature)
    return urlunsplit(parts._replace(query=query))
