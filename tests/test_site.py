"""The documentation as pages: it builds without a warning, asks nobody for anything, and is searched in a real browser."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import re
import subprocess
import sys
import threading

import pytest

import browser
from conftest import REPOSITORY

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("index.html", "tutorial.html", "cli-reference.html", "python-api.html", "schemas.html", "threat-model.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages, built strictly: a link or an anchor that leads nowhere ends it."""
    if importlib.util.find_spec("material") is None or importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs-material is not installed (the group 'docs' has it)")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site):
    """Where they are served."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_document_is_a_page(site):
    """And nothing in any of them is fetched from elsewhere."""
    documents = {path.stem for path in (REPOSITORY / "docs").glob("*.md")}
    assert documents <= {path.stem for path in site.glob("*.html")}
    fetched = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)=["'](https?:|//)""")
    assert [page.name for page in site.glob("*.html") if fetched.search(page.read_text(encoding="utf-8"))] == []
    assert not (site / "site_pages.py").exists()


def test_pages_ask_nobody_else_and_the_search_finds(address):
    """No request to another host, no error in the console, and a word of the tutorial is found."""
    with browser.Browser() as chromium:
        for page in PAGES:
            shown = chromium.go(f"{address}/{page}")
            shown.until("document.readyState === 'complete'")
            elsewhere = [each for each in shown.requests() if not each.startswith((f"{address}/", "data:", "blob:"))]
            assert elsewhere == [], page
            assert shown.complaints() == [], page
        shown.evaluate(
            "(() => { const box = document.querySelector('[data-md-component=search-query]'); box.focus();"
            "box.value = 'compacted'; box.dispatchEvent(new Event('input', {bubbles: true}));"
            "box.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true})) })()"
        )
        shown.until("document.querySelectorAll('.md-search-result__item').length > 0")
