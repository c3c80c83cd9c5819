"""A certificate authority for one test session and server certificates of it, made by openssl."""
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    cert: Path
    key: Path
    ca: Path


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


class Authority:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.ca, self._key = self.folder / "ca.pem", self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-keyout", self._key, "-out", self.ca, "-subj", "/CN=test authority",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # from 3.13 on Python asks for it
        self._n = 0

    def pair(self, *names):
        """A server certificate for these names, the first one its subject."""
        self._n += 1
        base = self.folder / ("server%d" % self._n)
        key, request, cert, extra = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        sans = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
        extra.write_text("subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n"
                         "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n" % sans)
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                 "-subj", "/CN=" + names[0])
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                 "-extfile", extra, "-out", cert)
        key.chmod(0o600)
        return Pair(cert, key, self.ca)

    def context(self, version=None, alpn=()):
        """A client's context that trusts this authority alone."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context
