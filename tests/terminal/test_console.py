"""console: nothing that a terminal obeys gets through, no character is a crash, a reader that left is no trace."""

from __future__ import annotations

import io
import os
import shutil
import sys
import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.terminal import console

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Stream(io.TextIOWrapper):
    """A text stream over bytes that may be a terminal."""

    def __init__(self, encoding="utf-8", *, terminal=False):
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self):
        """As it was made."""
        return self.terminal

    @property
    def bytes(self):
        """What was written."""
        self.flush()
        return self.buffer.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 🔐 ⏺", "plain äöü 🔐 ⏺"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x08\x7f\x00", "a\\rb\\x08\\x7f\\x00"),
        ("one\ntwo\tthree", "one\\ntwo three"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("\ufeffbom \u2028 \u2029", "\\ufeffbom \\u2028 \\u2029"),
        ("caf\udce9", "caf\\udce9"),
    ],
    ids=["text", "csi", "c1-csi", "c0", "lines", "bidi", "separators", "surrogate"],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text, shown):
    """Controls, reordering marks and halves of characters become their escapes; text stays text."""
    assert console.printable(text) == shown


def test_line_breaks_and_tabs_stay_where_a_text_is_shown():
    """With ``newlines`` a text keeps its lines; a carriage return is not one."""
    assert console.printable("a\n\tb\r\n", newlines=True) == "a\n\tb\\r\n"


@given(st.text(st.characters(max_codepoint=0x2100) | st.sampled_from(BIDI + "\x1b\x9b\udc80")))
def test_printable_leaves_no_control_character(text):
    """Whatever goes in: one line, no control character, no bidirectional control, and it can be encoded."""
    shown = console.printable(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") or c in BIDI]
    assert console.printable(shown) == shown


@pytest.mark.parametrize(
    ("encoding", "terminal", "wished", "result"),
    [
        ("ascii", False, False, "é🔐\\udce9".encode()),
        ("latin-1", False, False, "é🔐\\udce9".encode()),
        ("utf-8", False, False, "é🔐\\udce9".encode()),
        ("UTF8", False, False, "é🔐\\udce9".encode()),
        ("ascii", True, False, b"\\xe9\\U0001f510\\udce9"),
        ("latin-1", True, False, b"\xe9\\U0001f510\\udce9"),
        ("ascii", False, True, b"\\xe9\\U0001f510\\udce9"),
    ],
    ids=["pipe-ascii", "pipe-latin", "pipe-utf8", "pipe-utf8-other-name", "terminal-ascii", "terminal-latin", "wished"],
)
@pytest.mark.skipif(os.name == "nt", reason="a Windows console takes UTF-8 in any case")
def test_every_character_can_be_printed(encoding, terminal, wished, result, monkeypatch):
    """A pipe or file gets UTF-8; a terminal, or a stream whose encoding was wished for, keeps its own, with escapes."""
    out, err = Stream(encoding, terminal=terminal), Stream(encoding, terminal=terminal)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    if wished:
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
    console.prepare()
    for stream in (out, err):
        stream.write("é🔐\udce9")
        assert stream.bytes == result


def test_streams_that_cannot_be_reconfigured_are_left_alone(monkeypatch):
    """Somebody who catches our output in a ``StringIO`` gets it."""
    caught = io.StringIO()
    monkeypatch.setattr(sys, "stdout", caught)
    console.prepare()
    print("x")
    assert caught.getvalue() == "x\n"


def test_a_stream_that_was_closed_before_us_takes_everything(monkeypatch):
    """Where Python found no standard output or error, there is one that leads nowhere."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console.prepare()
    nowhere = (sys.stdout, sys.stderr)
    try:
        for stream in nowhere:
            stream.write("é🔐\udce9")
            stream.flush()
    finally:
        for stream in nowhere:
            os.close(stream.fileno())


@pytest.mark.parametrize(
    ("encoding", "speaks"),
    [("utf-8", True), ("utf-16", True), ("ascii", False), ("cp1252", False), ("no-such-codec", False), (None, False)],
)
def test_a_stream_speaks_unicode_where_it_can_encode_emoji(encoding, speaks):
    """The encoding tells, also one that is unknown or missing."""

    class Any:
        pass

    stream = Any()
    stream.encoding = encoding
    assert console.speaks_unicode(stream) is speaks


@pytest.mark.parametrize(
    ("terminal", "term", "no_color", "watched", "coloured"),
    [
        (True, "xterm", None, True, True),
        (True, "dumb", None, False, False),
        (False, "xterm", None, False, False),
        (True, "xterm", "1", True, False),
        (True, "xterm", "", True, True),
    ],
    ids=["terminal", "dumb", "pipe", "no-color", "no-color-empty"],
)
def test_progress_and_colour_are_for_terminals(terminal, term, no_color, watched, coloured, monkeypatch):
    """A person watches a terminal that can move its cursor; NO_COLOR takes the colour only, and only if it says something."""
    monkeypatch.setenv("TERM", term)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    stream = Stream(terminal=terminal)
    assert console.is_terminal(stream) is watched
    assert console.wants_colour(stream) is coloured


@pytest.mark.parametrize("said", [None, "", "0", "-3", "72", "wide", " 90", "٣٠"])
@pytest.mark.parametrize("terminal", [None, 0, 113])
def test_a_line_is_as_wide_as_the_standard_library_says(said, terminal, monkeypatch):
    """Whatever the environment and the terminal say."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if said is not None:
        monkeypatch.setenv("COLUMNS", said)

    def size(_descriptor):
        if terminal is None:
            raise OSError
        return os.terminal_size((terminal, 24))

    monkeypatch.setattr(sys, "__stdout__", SimpleNamespace(fileno=lambda: 1))
    monkeypatch.setattr(os, "get_terminal_size", size)
    assert console.columns(80) == (shutil.get_terminal_size((80, 24)).columns or 80)  # of no width in Python 3.9


def test_abandoned_output_goes_nowhere(tmp_path, monkeypatch):
    """After the reader has gone nothing reaches the file behind the stream; a stream without a descriptor is passed over."""
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        stream.write("before\n")
        stream.flush()
        console.abandon_output()
        stream.write("after\n")
    assert path.read_text(encoding="utf-8") == "before\n"
