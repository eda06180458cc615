"""What the tests of the dashboard share. They are skipped where the extra is not installed."""

from __future__ import annotations

import pytest

import dashboard_scenes as scenes

pytest.importorskip("flask")
pytest.importorskip("waitress")


@pytest.fixture(scope="module")
def _fortnight(tmp_path_factory):
    root = tmp_path_factory.mktemp("fortnight") / "tides"
    scenes.fortnight(root)
    return root


@pytest.fixture
def project(_fortnight, tmp_path):
    """A project with a fortnight in it."""
    return scenes.copied(_fortnight, tmp_path / "tides")


@pytest.fixture
def dashboard(project):
    """A dashboard of it, and somebody who was let in."""
    return scenes.Dashboard(scenes.state_of(project)).log_in()
