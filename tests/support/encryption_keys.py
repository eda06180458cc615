"""Keys of the programs that encrypt, made for a test."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest


def needed(program):
    """The program, or a reason to skip."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return program


class Age:
    """Two keys of age: one that opens, and another one."""

    def __init__(self, folder):
        needed("age-keygen")
        self.files = [folder / "key", folder / "other key"]
        for path in self.files:
            subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
        self.recipient = re.search(r"age1\w+", self.files[0].read_text(encoding="utf-8"))[0]

    def opening(self, which=0):
        """The options that open a file."""
        return ("--identity", str(self.files[which]))


class Gpg:
    """A key of gpg in a home of its own; the other one is no key at all."""

    recipient = "tides@example.org"

    def __init__(self, folder, monkeypatch):
        needed("gpg")
        self.home, self.empty, self.monkeypatch = folder / "g", folder / "e", monkeypatch
        for home in (self.home, self.empty):
            home.mkdir(mode=0o700)
        monkeypatch.setenv("GNUPGHOME", str(self.home))
        command = [
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-generate-key",
            self.recipient,
            "default",
            "default",
        ]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("gpg makes no key here")

    def opening(self, which=0):
        """gpg finds its keys itself."""
        self.monkeypatch.setenv("GNUPGHOME", str((self.home, self.empty)[which]))
        return ()


@pytest.fixture(params=["age", "gpg"])
def keys(request, tmp_path, monkeypatch):
    """A key of each program; what gpg started is ended."""
    folder = tmp_path / "k"
    folder.mkdir()
    made = Age(folder) if request.param == "age" else Gpg(folder, monkeypatch)
    yield made
    if request.param == "gpg":
        for home in (made.home, made.empty):
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
