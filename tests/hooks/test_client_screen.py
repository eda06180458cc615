"""Lines that fit the client's screen: nothing is lost, nothing is too long."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.formats.screen import display_width
from deduplication.hooks import client_screen

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="="), st.sampled_from("\n →·✓/")
    )
)


@given(TEXTS, st.integers(10, 200))
def test_no_line_is_longer_than_its_room_and_nothing_but_blanks_is_lost(text, room):
    """Whatever is said, and however narrow the screen is."""
    made = client_screen.fitted(text, room)
    assert all(display_width(line) <= room for line in made.split("\n"))
    assert "".join(made.split()) == "".join(text.split())


def test_what_fits_stays_as_it_is():
    """Indentation and blank lines included."""
    text = "✓ Archived: a.txt\n\n   → there\n   - x"
    assert client_screen.fitted(text, 40) == text


def test_lines_are_broken_between_words_below_what_they_begin_with():
    """A mark and its blanks stay by themselves; a path is broken behind one of its folders."""
    assert client_screen.fitted("   → run it again, later", 15) == "   → run it\n     again,\n     later"
    assert (
        client_screen.fitted("in /home/somebody/projects/tide-clock", 20) == "in\n/home/somebody/\nprojects/tide-clock"
    )


def test_rules_are_shortened_to_whole_signs():
    """A rule is no text: it ends where the line ends."""
    assert client_screen.fitted("🔐" * 40 + "\n" + "=" * 80, 31) == "🔐" * 15 + "\n" + "=" * 31


@pytest.mark.parametrize(("width", "begins"), [(100, "one"), (40, "\none")])
def test_what_has_no_room_behind_who_says_it_begins_on_a_line_of_its_own(width, begins):
    """The client puts the event's name before the first line."""
    said = client_screen.said("one and two and three", "SessionStart:startup", width)
    assert said.startswith(begins)


def test_a_notice_keeps_its_first_parts():
    """The corner has one line: what counts least goes first; a single part that is too long is cut."""
    text = "/compact is safe now · 2 new · one.txt · 2 messages, all stored"
    assert client_screen.in_the_corner(text, 40) == "/compact is safe now · 2 new"
    assert client_screen.in_the_corner(text, 0) == text
    assert client_screen.in_the_corner("❌ not processed: 水水水水水水水水", 30) == "❌ not processed: 水水水…"


@pytest.mark.parametrize(("named", "columns"), [("60", 60), ("0", 0), ("-3", 0)])
def test_the_client_says_how_wide_it_is(monkeypatch, named, columns):
    """2.1.197 and newer do."""
    monkeypatch.setenv("COLUMNS", named)
    assert client_screen.columns() == columns


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not say what a process writes to")
@pytest.mark.parametrize("named", [None, "wide"])
def test_an_older_client_s_terminal_is_asked(named):
    """A hook's own output is a pipe, and it has no terminal: that of the process above it counts."""
    outer, inner = pty.openpty()
    import fcntl
    import termios

    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 61, 0, 0))
    hook = "from deduplication.hooks import client_screen as c; print(c.columns(), flush=True)"
    client = (
        "import subprocess, sys; r = subprocess.run([sys.executable, '-c', sys.argv[1]], stdout=subprocess.PIPE,"
        " stdin=subprocess.DEVNULL, start_new_session=True); sys.stderr.buffer.write(r.stdout)"
    )
    variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    variables.update({"COLUMNS": named} if named else {}, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(
        [sys.executable, "-c", client, hook], env=variables, stdout=inner, stderr=subprocess.PIPE, check=True
    )
    os.close(outer)
    os.close(inner)
    assert done.stderr == b"61\n"
