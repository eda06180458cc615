"""The site of the documentation: built without a complaint, and opened in a real Chromium, which asks nobody else for anything."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from urllib.parse import urlsplit

import pytest

import browser
from conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
CONFIGURATION = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
PAGES = ("index", "tutorial", "user-guide", "cli-reference", "python-api", "c4", "database")
GENERATED = {"index.md", "json-schemas.md", "changelog.md", "contributing.md", "security.md"}


def test_every_document_is_in_the_navigation_once():
    """By the four kinds: tutorial, how-to guides, reference, explanation."""
    nav = CONFIGURATION.partition("\nnav:\n")[2]
    listed = re.findall(r": ([\w-]+\.md)$", nav, re.MULTILINE)
    assert sorted(listed) == sorted({path.name for path in DOCS.glob("*.md")} | GENERATED)
    assert re.findall(r"^  - ([\w -]+):$", nav, re.MULTILINE) == [
        "Tutorial",
        "How-to guides",
        "Reference",
        "Explanation",
    ]


def test_the_diagrams_are_made_from_the_code():
    """docs/ has the pictures that the script makes of the rooms as they are."""
    spec = spec_from_file_location("make_c4_diagrams", DOCS / "make_c4_diagrams.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, picture in module.pictures().items():
        assert (DOCS / name).read_text(encoding="utf-8") == picture, name
    drawn = {room for layer in module.rooms() for room, _ in layer}
    package = REPOSITORY / "scripts" / "deduplication"
    assert drawn == {
        path.stem for path in package.iterdir() if not path.name.startswith("_") and path.name != "py.typed"
    }


def test_links_to_other_places_are_whole():
    """There is no network to follow them; each is an address by TLS with a host, or this machine's."""
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\((\w+:[^)\s]*)\)", path.read_text(encoding="utf-8")):
            assert urlsplit(target).scheme == "https", f"{path.name}: {target}"
            assert "." in (urlsplit(target).hostname or ""), f"{path.name}: {target}"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site, built as ``.ci/run`` does."""
    for package in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(package, reason="the group 'docs' of pyproject.toml is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing: pytest has its own output."""


@pytest.fixture(scope="module")
def served(built):
    """Its address on this machine."""
    handler = functools.partial(_Silent, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(60)


@pytest.mark.browser
@pytest.mark.skipif(browser.executable() is None, reason="no Chromium on this machine (EXPORT_DEDUP_BROWSER names one)")
@pytest.mark.parametrize("place", ["server", "folder"])
def test_the_site_asks_nobody_else_and_finds_what_is_looked_for(place, built, served):
    """Seven pages: nothing is asked of another host, nothing is complained of; the search finds a word of the documents.

    From a server, and opened as files.
    """
    address = served if place == "server" else built.as_uri()
    with browser.Browser() as page:
        asked = []
        for name in PAGES:
            page.go(f"{address}/{name}.html")
            page.settled()
            assert page.complaints() == [], [name, *page.requests()]
            asked += page.requests()
        page.go(f"{address}/index.html")
        page.evaluate("document.querySelector('.md-search__input').focus()")
        page.type("tombstone")
        page.until("document.querySelectorAll('.md-search-result__item').length > 0", 120)
        assert page.complaints() == []
        asked += page.requests()
    assert len(asked) > len(PAGES)
    assert [each for each in asked if not each.startswith((address, "data:", "blob:"))] == []


def test_the_reference_of_python_has_the_public_names(built):
    """Each is a heading of its page, from the docstring in the code."""
    text = (built / "python-api.html").read_text(encoding="utf-8")
    for name in (DOCS / "python-api.md").read_text(encoding="utf-8").split("::: ")[1:]:
        assert f'id="{name.strip()}"' in text
