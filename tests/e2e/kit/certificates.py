"""A certificate authority for one test session and server certificates of it, made by openssl."""
import ssl
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple


EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("rsa:2048",)


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

    def pair(self, *names, key_kind=EC, days=2, age=0):
        """A server certificate for these names, the first one its subject, made `age` days ago."""
        self._n += 1
        base = self.folder / ("server%d" % self._n)
        key, request, cert, extra = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        sans = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
        extra.write_text("subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\n"
                         "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n" % sans)
        self._sign(key, request, cert, "/CN=" + names[0], key_kind, extra, days, age)
        return Pair(cert, key, self.ca)

    def person(self, name):
        """A client's certificate."""
        self._n += 1
        base = self.folder / ("client%d" % self._n)
        key, request, cert, extra = (base.with_suffix(s) for s in (".key", ".csr", ".pem", ".ext"))
        extra.write_text("extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n"
                         "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self._sign(key, request, cert, "/O=Quintet/CN=" + name, EC, extra)
        return Pair(cert, key, self.ca)

    def _sign(self, key, request, cert, subject, key_kind, extra, days=2, age=0):
        begin = datetime.now(timezone.utc) - timedelta(days=age, minutes=1)
        _openssl("req", "-newkey", *key_kind, "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        self._ca("-in", request, "-out", cert, "-extfile", extra, "-batch", "-notext", "-rand_serial", "-startdate",
                 begin.strftime("%Y%m%d%H%M%SZ"), "-enddate", (begin + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ"))
        key.chmod(0o600)

    def _ca(self, *words):
        """With an empty memory: whatever it has signed or revoked before is not held against anybody."""
        database, config = self.folder / "index.txt", self.folder / "ca.cnf"
        database.write_text("")
        config.write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nnew_certs_dir=%s\nserial=%s/serial\ndefault_md=sha256\ndefault_crl_days=2\n"
                          "policy=p\n[p]\norganizationName=optional\ncommonName=supplied\n"
                          % (database, self.folder, self.folder))
        _openssl("ca", "-config", config, "-keyfile", self._key, "-cert", self.ca, *words)

    def revocation(self, pair):
        """The authority's list with one revoked certificate, as PEM text."""
        out = self.folder / "crl.pem"
        self._ca("-revoke", pair.cert)
        _openssl("ca", "-config", self.folder / "ca.cnf", "-keyfile", self._key, "-cert", self.ca, "-gencrl", "-out", out)
        return out.read_text()

    def context(self, version=None, alpn=()):
        """A client's context that trusts this authority alone."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context
