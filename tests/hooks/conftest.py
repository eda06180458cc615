"""A session whose hooks are fired."""

from __future__ import annotations

import pytest

from hook_session import Session
from transcript_lines import day


@pytest.fixture
def session(tmp_path, monkeypatch, repository):
    """A session in a project that opted in, with three exchanges in its transcript."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    root = tmp_path / "my project"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    made = Session(root, tmp_path / "config", repository)
    made.write(day(3))
    return made
