"""What sites are made of: a certificate, and files to serve."""
import gzip
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

CSS = "\n".join(".rule-%d { margin: %dpx; color: #%06x; font-family: sans-serif }" % (i, i % 7, i * 7919 % 0xffffff) for i in range(1200))


def certificate(folder):
    """A key of P-256 and its own certificate: key.pem, cert.pem."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)


def files(static):
    static.mkdir()
    (static / "1k.txt").write_bytes(b"0123456789abcdef" * 64)
    (static / "100k.bin").write_bytes(bytes(range(256)) * 400)
    (static / "site.css").write_text(CSS)
    (static / "site.css.gz").write_bytes(gzip.compress(CSS.encode()))
    shutil.copystat(static / "site.css", static / "site.css.gz")


@contextmanager
def _folder(tls):
    with tempfile.TemporaryDirectory(prefix="quintet-bench-files-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        files(folder / "static")
        fields = {"static": folder / "static"}
        if tls:
            certificate(folder)
            fields["cert"] = folder
        yield fields


def plain():
    """Fields of Site for files."""
    return _folder(False)


def with_tls():
    return _folder(True)
