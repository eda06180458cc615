"""A file of settings is input that anybody may have written: bounded, and judged before it is believed."""

from __future__ import annotations

import json
import os

import pytest

from deduplication.project.settings_file import MOST_BYTES, SettingsFile, leads_out, read
from deduplication.redaction import MOST_PATTERNS

ODD = {
    "a name twice": (b'{"hooks": true, "hooks": false}', "a name stands in it twice"),
    "a name twice inside": (b'{"privacy_patterns": {"a": "x", "a": "y"}}', "a name stands in it twice"),
    "too long": (b'{"x": "' + b"a" * MOST_BYTES + b'"}', f"it has more than {MOST_BYTES:,} bytes"),
    "deep": (b'{"privacy_patterns": {"a": [[[[1]]]]}}', "it is nested too deeply"),
    "very deep": (b"[" * 100_000, "nested"),
    "no object": (b"[]", "it is no JSON object"),
    "no UTF-8": (b'{"hooks": "\xff"}', "utf-8"),
    "UTF-16": ('{"hooks": false}'.encode("utf-16"), "utf-8"),
}


@pytest.mark.parametrize(("data", "fault"), ODD.values(), ids=ODD)
def test_a_file_that_nobody_should_believe(tmp_path, data, fault):
    """It says nothing, and why is known."""
    (tmp_path / "config.json").write_bytes(data)
    found = read(str(tmp_path / "config.json"))
    assert found.values is None
    assert fault in found.fault or "recursion" in found.fault


def test_what_is_read(tmp_path):
    """A byte order mark is none of the text; numbers that fit nothing are nothing."""
    path = tmp_path / "config.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": NaN, "b": Infinity, "c": %s, "d": 7, "e": 1.5}' % (b"9" * 100_000))
    assert read(str(path)).values == {"a": None, "b": None, "c": None, "d": 7, "e": 1.5}
    assert read(str(tmp_path / "none")) == read(str(path / "below")) == SettingsFile()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    """A pipe, a folder, a device, a link to itself."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("pipe", "folder", "device", "loop"):
        found = read(str(tmp_path / name))
        assert (found.values, found.data) == (None, b"")
        assert found.fault


def test_of_a_huge_file_little_is_read(tmp_path):
    """It may have any size."""
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(1 << 40)
    assert "more than" in read(str(tmp_path / "config.json")).fault


def test_where_a_path_leads(tmp_path):
    """Through links, into the folder or out of it; a sibling with a longer name is outside."""
    root = tmp_path / "project"
    (root / "inner").mkdir(parents=True)
    (tmp_path / "project-2").mkdir()
    (root / "in").symlink_to(root / "inner")
    (root / "out").symlink_to(tmp_path / "project-2")
    assert not leads_out(str(root), str(root / "in" / "x"))
    assert not leads_out(str(root), str(root))
    assert leads_out(str(root), str(root / "out"))
    assert leads_out(str(root), str(root / ".." / "x"))
    assert not leads_out("/", str(root / "out"))


def test_settings_stay_below_the_bounds():
    """Every default, and a hundred patterns, fit."""
    many = {"privacy_patterns": {f"pattern-{n}": "x" * 1_000 for n in range(MOST_PATTERNS)}}
    assert len(json.dumps(many)) < MOST_BYTES
