"""What the tests of session files share."""

from __future__ import annotations

import pytest

from told import Told


@pytest.fixture
def told(tmp_path):
    """An empty store with a place for session files."""
    return Told(tmp_path)
