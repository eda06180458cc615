"""``report --html``: the panels as one file."""

from __future__ import annotations

import os
import re
import stat
from base64 import b64encode
from hashlib import sha256

import dashboard_scenes as scenes
from deduplication import ClaudeConversationDeduplicator
from hostile import ATTACKS
from in_process import call


def written(project, path, code=0):
    """The page that the command writes."""
    done = call("report", "--html", path, "--project", project)
    assert done.returncode == code, done.stderr
    return path.read_text(encoding="utf-8")


def test_it_needs_nothing_but_itself(project, tmp_path):
    """No address in it leads anywhere; style and scripts are allowed by their hashes, and are the only ones."""
    text = written(project, tmp_path / "report.html")
    assert (
        re.findall(r'(?:href|src)\s*=\s*"?(?!#)[^">\s]+', text.partition("<body")[2].replace("location.reload", ""))
        == []
    )
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
    assert len(inline) == 4
    for each in inline:
        assert f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" in policy
    assert stat.S_IMODE(os.stat(tmp_path / "report.html").st_mode) == 0o600


def test_it_shows_what_the_dashboard_shows(project, tmp_path, dashboard):
    """Every panel with the same figures, gaps included, which it waits for."""
    text = written(project, tmp_path / "report.html")
    for panel in dashboard.board.look().panels:
        assert f'id="{panel.name}-title">{panel.title}<' in text
    for each in dashboard.panel("overview").data["figures"]:
        assert f"<dd>{each['value']}</dd>" in text
    assert "messages 2 to 5 of the source are missing" in text
    assert "Being counted" not in text


def test_nothing_that_was_said_becomes_an_element(project, tmp_path):
    """Titles and names of files are text."""
    scenes.hostile(ClaudeConversationDeduplicator(scenes.state_of(project)), ATTACKS)
    body = re.sub(
        r"<script>.*?</script>", "", written(project, tmp_path / "r.html").partition("<body>")[2], flags=re.DOTALL
    )
    tags = {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z][\w:-]*)", body)}
    assert not tags & {"iframe", "object", "embed", "base", "animate", "style", "script", "img", "svg", "form", "a"}


def test_where_it_cannot_be_written(project, tmp_path):
    """A folder, and the store itself: nothing is written over."""
    for place in (tmp_path, scenes.state_of(project) / "conversation_log.jsonl"):
        done = call("report", "--html", place, "--project", project)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
    done = call("report", "--html", tmp_path / "x.html", "--project", project, "--json")
    assert done.returncode == 0
