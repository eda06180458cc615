"""Fixtures of tests of documents: ``sandbox``, and ``installed``, one in whose project export-dedup is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

import conversations
from conftest import CLIENT, REPOSITORY
from documents import Sandbox

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The sandbox as every document finds it; made once."""
    sandbox = Sandbox(tmp_path_factory.mktemp("template"))
    for folder in (sandbox.project, sandbox.home / "Downloads", sandbox.root / "bin", sandbox.root / "tmp"):
        folder.mkdir(parents=True)
    for command in ("python", "python3"):
        shim = sandbox.root / "bin" / command
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        shim.chmod(0o755)
    (sandbox.home / ".gitconfig").write_text(
        "[user]\n    name = Reader\n    email = reader@example.invalid\n", encoding="utf-8"
    )
    _make_checkout(sandbox.checkout)
    sandbox.must("git init --quiet", sandbox.project)
    for sample in SAMPLES[:2]:
        shutil.copyfile(sample, sandbox.project / sample.name)
        script = sandbox.checkout / "scripts" / "export-dedup-with-status.py"
        sandbox.must(f"python3 {script} --no-checkpoint --project .", sandbox.project)
    shutil.copyfile(SAMPLES[2], sandbox.project / SAMPLES[2].name)
    later = SAMPLES[2].read_bytes() + "\n\n❯ And the moon?\n\n● Its phase is not in the table.\n".encode()
    (sandbox.home / "Downloads" / "2026-03-05-EXPORT-TIDE-CLOCK.txt").write_bytes(later)
    letters = [
        {"index": 0, "type": "prompt", "message": "Write a letter to the harbour master."},
        {"index": 1, "type": "response", "message": "Dear harbour master, the clock is ready."},
    ]
    conversation = {"exported_at": "2026-03-01", "title": "Letters", "messages": letters}
    (sandbox.home / "Downloads" / "conversation.json").write_text(json.dumps(conversation), encoding="utf-8")
    data_export = conversations.exported([conversations.chat("tides", 2), conversations.chat("letters", 1)])
    packed = conversations.zipped({"conversations.json": data_export, "users.json": b"[]"})
    (sandbox.home / "Downloads" / "data-2026-01-01.zip").write_bytes(packed)
    return sandbox


def _make_checkout(checkout):
    """A checkout with all that documents call; its test suite is one test, or this one would run itself."""
    _compile(REPOSITORY / "scripts")
    skipped = shutil.ignore_patterns("venv")
    for folder in ("scripts", "commands", "skills", "hooks", "benchmarks", ".coditect"):
        shutil.copytree(REPOSITORY / folder, checkout / folder, ignore=skipped)
    for file in ("install.sh", "pyproject.toml"):
        shutil.copy(REPOSITORY / file, checkout / file)
    faults = checkout / "tests" / "faults"
    faults.mkdir(parents=True)
    (checkout / "tests" / "support").mkdir()
    for name in ("faults/conftest.py", "support/thorough.py"):
        shutil.copyfile(REPOSITORY / "tests" / name, checkout / "tests" / name)
    (faults / "test_stub.py").write_text("def test_stub(full):\n    assert full in (True, False)\n", encoding="utf-8")
    # An environment without pip: what the installer would fetch it cannot, and it goes on with the Python at hand.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(checkout / ".coditect" / "venv")], check=True)


def _compile(scripts):
    """Once for all copies: no command there writes such files, and each would compile all that it imports."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(scripts)], check=True)


@pytest.fixture
def sandbox(template, tmp_path):
    """A sandbox of this test's own."""
    return template.copy(tmp_path / "sandbox")


@pytest.fixture(scope="session")
def installed_template(template, tmp_path_factory):
    """The same with export-dedup installed in the project."""
    sandbox = template.copy(tmp_path_factory.mktemp("installed") / "sandbox")
    # For a client of this version, whether or not one is found: who asks for it first may not have the stand-in yet.
    sandbox.must(f"./install.sh --project {sandbox.project} --offline --client {CLIENT}", sandbox.checkout)
    _compile(sandbox.project / ".coditect" / "scripts")
    return sandbox


@pytest.fixture
def installed(installed_template, tmp_path):
    """A sandbox of this test's own in whose project export-dedup is installed."""
    return installed_template.copy(tmp_path / "installed")
