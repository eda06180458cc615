"""The dashboard as a process of its own, and requests over the wire."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys

from conftest import REPOSITORY


class Running:
    """``url`` is the first address, ``port`` where it listens."""

    def __init__(self, process, said):
        self.process, self.said = process, said
        self.url, self.port = said["url"], said["port"]
        self.token = self.url.partition("token=")[2]

    def request(self, path, method="GET", port=None, **headers):
        """Status, headers and text of one request."""
        there = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            there.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = there.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        finally:
            there.close()

    def cookie(self):
        """One that was given for the key."""
        _, headers, _ = self.request(f"/?token={self.token}")
        return headers["Set-Cookie"].partition(";")[0]


@contextlib.contextmanager
def running(*arguments, **environment):
    """``dashboard --json`` with these options, until the block ends."""
    command = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py"), "dashboard", "--json"]
    process = subprocess.Popen(
        [*command, "--port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        encoding="utf-8",
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Running(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)
        process.stdout.close()
        process.stderr.close()
