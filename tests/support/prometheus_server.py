"""A real Prometheus, for tests: Debian's, scraping what a server of the test answers, with our alert rules.

Skipped where it is not installed; failed where ``EXPORT_DEDUP_NEED_PROMETHEUS=1`` is set.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from conftest import REPOSITORY

NEEDED = "EXPORT_DEDUP_NEED_PROMETHEUS"
MONITORING = REPOSITORY / "monitoring"
RULES = MONITORING / "prometheus-rules.yml"
PATIENCE = 60.0
"""Seconds after which a server that does not come up, or an answer that does not come, is an error of the test."""
_CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: export-dedup
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def require(program):
    """The path of ``promtool`` or ``prometheus``."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not found (apt-get install --no-install-recommends prometheus)"
        if os.environ.get(NEEDED) == "1":
            pytest.fail(f"{reason}, and {NEEDED} is set")
        pytest.skip(reason)
    return found


def checked(text):
    """What ``promtool check metrics`` says of a text: nothing where all is well."""
    done = subprocess.run(
        [require("promtool"), "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    return done.stdout.decode() + done.stderr.decode() if done.returncode or done.stderr else ""


@contextlib.contextmanager
def served(answer, content_type="text/plain; version=0.0.4"):
    """The port on which ``answer()`` is the answer to every question."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = answer().encode()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Nobody wants to know."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Prometheus:
    """One that runs; it is asked for series by their query."""

    def __init__(self, port):
        self._address = f"http://127.0.0.1:{port}"

    def _asked(self, path):
        with _OPENER.open(f"{self._address}{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def series(self, expr):
        """The labels and the value of each series that a query gives now. Raises what the query is refused with."""
        found = self._asked(f"/api/v1/query?{urllib.parse.urlencode({'query': expr})}")
        assert found["status"] == "success", found
        return [(each["metric"], float(each["value"][1])) for each in found["data"]["result"]]

    def wait_for(self, expr):
        """The same, as soon as there is any; empty where none comes."""
        return _waited(lambda: self.series(expr), PATIENCE / 4) or []

    def value(self, expr):
        """The value of the only series that a query gives."""
        ((_, value),) = self.series(expr)
        return value

    def targets(self):
        """The last error of each target; empty where it was scraped."""
        return [each["lastError"] for each in self._asked("/api/v1/targets")["data"]["activeTargets"]]

    def is_ready(self):
        """Whether it answers."""
        try:
            with _OPENER.open(f"{self._address}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@contextlib.contextmanager
def scraping(folder, port, rules=RULES):
    """A Prometheus whose files lie in ``folder``, which scrapes a port of this machine each second; it ends with the block."""
    program = require("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG.format(rules=json.dumps(str(rules)), port=port), encoding="utf-8")
    own = _free_port()
    words = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([program, *words], stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            found = Prometheus(own)
            assert _waited(found.is_ready, PATIENCE), (folder / "log").read_text()
            yield found
        finally:
            process.kill()


def _waited(ask, seconds):
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
