"""The dashboard as a process: where it listens, who gets in, a proxy before it, and its end."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import dashboard_scenes as scenes
import postgres_server
import schemas
from conftest import REPOSITORY
from dashboard_process import running
from deduplication.dashboard import access
from in_process import call
from reverse_proxy import proxy

pytestmark = pytest.mark.e2e

TOKEN = "a-key-of-our-own-that-stays"
GUESSES = int(access.FAILURES.burst) + 8
"""More than are answered at once, and in the minute that they may take."""


def test_it_serves_this_machine_alone_until_it_is_told_to_end(project):
    """The address that is printed opens it, without it nothing does; it ends with 0, and is silent meanwhile."""
    with running("--project", project) as there:
        if schemas.validator("dashboard") is not None:
            schemas.check("dashboard", there.said)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", there.url)
        assert there.request("/")[0] == 401
        assert there.request("/?token=x")[0] == 401
        cookie = there.cookie()
        status, headers, text = there.request("/", Cookie=cookie)
        assert status == 200
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "Server" not in headers
        assert "tides" in text
        assert there.request("/", Cookie=cookie, Host="evil.example")[0] == 403
        assert "<mark>harbour</mark>" in there.request("/search?q=harbour", Cookie=cookie)[2]
        assert there.request("/metrics", Authorization=f"Bearer {there.token}")[0] == 200
        there.process.send_signal(signal.SIGTERM)
        assert there.process.wait(60) == 0
        assert (there.process.stdout.read(), there.process.stderr.read()) == ("", "")


def test_ctrl_c_ends_it(project):
    """As somebody does who is done."""
    with running("--project", project) as there:
        there.process.send_signal(signal.SIGINT)
        assert there.process.wait(60) == 0


def test_listening_for_others_is_warned_of(project):
    """It is said on standard error, before anything else; an address by number is one of ours then."""
    with running("--project", project, "--host", "0.0.0.0") as there:
        assert there.request("/", Cookie=there.cookie(), Host=f"192.0.2.7:{there.port}")[0] == 200
        assert there.request("/", Cookie=there.cookie(), Host=f"evil.example:{there.port}")[0] == 403
        there.process.terminate()
        assert "other machines reach it, without encryption" in there.process.stderr.read()


def test_a_key_of_one_s_own_is_in_no_output(project, tmp_path):
    """From a file or the environment: it stays the same, and what is printed does not have it."""
    path = tmp_path / "key"
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    for options, environment in ((("--token-file", path), {}), ((), {"EXPORT_DEDUP_DASHBOARD_TOKEN": TOKEN})):
        with running("--project", project, *options, **environment) as there:
            assert TOKEN not in there.url
            assert there.request("/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
            assert there.request(f"/?token={TOKEN}")[0] == 303


def test_behind_a_proxy_a_team_has_it(project):
    """The proxy knows who somebody is and adds the key; its name is ours, and its path is the root of every link.

    Each person has a rate of their own: the proxy says who asks.
    """
    public = "https://dedup.example.org/tides"
    options = ("--project", project, "--public-url", public)
    with running(*options, EXPORT_DEDUP_DASHBOARD_TOKEN=TOKEN) as there, proxy(there.port, TOKEN) as team:
        ada = {"Authorization": f"Basic {base64.b64encode(b'ada:lovelace').decode()}", "Host": "dedup.example.org"}
        assert there.request("/tides/", port=team.port, Host="dedup.example.org")[0] == 401
        status, headers, text = there.request("/tides/", port=team.port, **ada)
        assert status == 200
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        links = re.findall(r'(?:href|src|action)="([^"]+)"', text)
        assert {link for link in links if not link.startswith(("/tides/", "#"))} == set()
        for link in {link for link in links if link.startswith("/tides/") and "logout" not in link}:
            assert there.request(link.replace("&amp;", "&"), port=team.port, **ada)[0] == 200, link
        assert there.request("/tides/", port=team.port, **{**ada, "Host": "evil.example"})[0] == 403
        assert there.request("/tides/panels", port=team.port, **ada, Origin="https://dedup.example.org")[0] == 200
        assert there.request("/tides/panels", port=team.port, **ada, Origin="https://evil.example")[0] == 403
        team.token = "none"
        team.client = "192.0.2.1"
        codes = [there.request("/tides/?token=guess", port=team.port, **ada)[0] for _ in range(GUESSES)]
        assert (codes[0], codes[-1]) == (401, 429)
        team.client = "192.0.2.2"
        assert there.request("/tides/?token=guess", port=team.port, **ada)[0] == 401


def test_nobody_says_who_they_are_without_a_proxy(project):
    """Where none was named, what a request says of its origin is not believed: its guesses are those of its address."""
    with running("--project", project) as there:
        codes = [there.request("/?token=guess", X_Forwarded_For=f"192.0.2.{number}")[0] for number in range(GUESSES)]
        assert (codes[0], codes[-1]) == (401, 429)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--public-url", "dedup.example.org"), "--public-url"),
        (("--token-file", "/nowhere/key"), "--token-file"),
        (("--port", "70000"), "--port"),
        (("--host", "256.0.0.1"), "nothing can listen"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(project, options, words):
    """With 2, before anything listens."""
    done = call("dashboard", "--project", project, *options)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_port_that_is_taken(project):
    """The one who came first has it; the other one is told which port to take."""
    with running("--project", project) as there:
        done = call("dashboard", "--project", project, "--port", there.port)
        assert done.returncode == 2
        assert "--port; 0 takes any that is free" in done.stderr


def test_a_project_without_a_store(tmp_path):
    """Nothing is served, and nothing is made."""
    (tmp_path / ".git").mkdir()
    for command in (("dashboard", "--port", "0"), ("report", "--html", tmp_path / "x.html")):
        done = call(*command, "--project", tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git"]


@pytest.mark.parametrize("missing", ["flask", "waitress", "jinja2"])
def test_without_the_extra_it_says_what_to_install(project, missing):
    """One line, with the command; and no trace."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"sys.path.insert(0, {str(REPOSITORY / 'scripts')!r})\n"
        "from deduplication.commands import deduplicate_export, entry\n"
        "from deduplication.errors import DedupError\n"
        "try:\n"
        f"    deduplicate_export.main(['dashboard', '--port', '0', '--project', {str(project)!r}])\n"
        "except DedupError as error:\n    sys.exit(entry.report(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert ", for the dashboard" in done.stderr
    assert missing in done.stderr
    assert "python3 -m pip install flask waitress" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_by_itself_is_served(project, tmp_path):
    """A folder that is no project's has a dashboard, too."""
    scenes.copied(scenes.state_of(project), tmp_path / "alone")
    with running("--storage-dir", tmp_path / "alone") as there:
        status, _, text = there.request("/", Cookie=there.cookie())
        assert status == 200
        assert "alone" in text


@pytest.fixture
def nginx(tmp_path):
    """A real nginx with a location in it: what starts it, and its port."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        pytest.skip("no nginx on this machine (apt-get install nginx-light)")
    folder = tmp_path / "nginx"
    folder.mkdir()
    started = []

    def start(location):
        port = postgres_server.free_port()
        temporary = "".join(
            f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{}}\n"
            f"http {{ access_log off; {temporary}\nserver {{ listen 127.0.0.1:{port};\n{location}\n}} }}\n",
            encoding="utf-8",
        )
        process = subprocess.Popen(
            [found, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        )
        started.append(process)
        postgres_server.wait_for(lambda: process.poll() is not None or (folder / "pid").exists(), "nginx")
        assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def test_the_proxy_of_the_document(project, tmp_path, nginx):
    """What the document tells to put into nginx works there: the team comes in, nobody else, and pages are whole."""
    text = (REPOSITORY / "docs" / "monitoring.md").read_text(encoding="utf-8")
    location = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "team").write_text("ada:{PLAIN}lovelace\n", encoding="utf-8")
    public = "https://dedup.example.org/tides"
    with running("--project", project, "--public-url", public, EXPORT_DEDUP_DASHBOARD_TOKEN=TOKEN) as there:
        ours = {"Bearer ...": f"Bearer {TOKEN}", ":8377": f":{there.port}", "/etc/nginx/team": str(tmp_path / "team")}
        for said, meant in ours.items():
            assert location.count(said) == 1
            location = location.replace(said, meant)
        port = nginx(location)
        ada = {"Authorization": f"Basic {base64.b64encode(b'ada:lovelace').decode()}", "Host": "dedup.example.org"}
        assert there.request("/tides/", port=port, Host="dedup.example.org")[0] == 401
        status, headers, text = there.request("/tides/", port=port, **ada)
        assert status == 200
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        for path in ("panels", "search?q=harbour", "conversation/rollout-master", "metrics", "static/uplot.js"):
            assert there.request(f"/tides/{path}", port=port, **ada)[0] == 200
        assert there.request("/tides/", port=port, **{**ada, "Host": "evil.example"})[0] == 403
        there.process.terminate()
        there.process.wait(60)
        assert there.request("/tides/", port=port, **ada)[0] == 502
