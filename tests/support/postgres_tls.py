"""A certificate authority of the test's own, and what it signs, by ``openssl``; a server that speaks TLS with them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import postgres_server

if TYPE_CHECKING:
    from pathlib import Path

HBA = (
    "local all all trust",
    "hostssl all certified 127.0.0.1/32 cert",
    "hostssl all all 127.0.0.1/32 scram-sha-256",
    "hostnossl all all 127.0.0.1/32 reject",
)
"""Everybody needs TLS and a password; the user ``certified`` needs a client certificate instead."""


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _new_key(path):
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))
    path.chmod(0o600)
    return path


class Authority:
    """A CA in a folder; ``certificate`` is the path of its own, which clients are given as ``sslrootcert``."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no openssl here")
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        self.key = _new_key(folder / f"{name}.key")
        self.certificate = folder / f"{name}.crt"
        subject = ("-subj", f"/CN={name}", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE")
        _openssl("req", "-x509", "-new", "-key", str(self.key), *subject, "-out", str(self.certificate))

    def sign(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """A certificate for ``name`` and its key; ``alternatives`` as openssl writes them: ``DNS:localhost``, ``IP:127.0.0.1``."""
        key, request, signed = (self.folder / f"{self.name}.{name}.{end}" for end in ("key", "csr", "crt"))
        _openssl("req", "-new", "-key", str(_new_key(key)), "-subj", f"/CN={name}", "-out", str(request))
        extension = self.folder / f"{self.name}.{name}.ext"
        extension.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "", encoding="ascii")
        by = ("-CA", str(self.certificate), "-CAkey", str(self.key), "-CAcreateserial", "-days", "30")
        _openssl("x509", "-req", "-in", str(request), *by, "-extfile", str(extension), "-out", str(signed))
        return signed, key


def has_tls(installation):
    """Whether a server's binaries were built with it."""
    return b"libssl" in (installation.bin / "postgres").read_bytes()


def tls_installation():
    """The newest installation that speaks TLS; the test is skipped where there is none."""
    for installation in postgres_server.installations():
        if has_tls(installation):
            return installation
    return pytest.skip("no PostgreSQL server here speaks TLS")


def server(authority, *, host="localhost", hba=HBA, installation=None):
    """A server, not yet made, whose certificate of ``authority`` is for ``host``; it asks for those of clients, too."""
    made = postgres_server.Server(installation or tls_installation(), hba=hba)
    certificate, key = authority.sign(host, f"DNS:{host}")
    for source, name in ((certificate, "server.crt"), (key, "server.key"), (authority.certificate, "ca.crt")):
        copy = made.folder / name
        shutil.copy(source, copy)
        copy.chmod(0o600)
        postgres_server.owned(copy)
    made.settings.update(
        ssl="on",
        ssl_cert_file=str(made.folder / "server.crt"),
        ssl_key_file=str(made.folder / "server.key"),
        ssl_ca_file=str(made.folder / "ca.crt"),
    )
    return made
