"""Texts fitted to a console: narrow, without emoji, gone."""

from __future__ import annotations

import io
import os
import sys

import pytest

from deduplication.reports import execution as execution_report
from deduplication.reports import storage as storage_report
from deduplication.reports import workflow as report
from deduplication.terminal.display import Screen, adapt, ask, drop, hold, is_holding, release, show

BANNER = execution_report.banner(143, 63, 206, 7931)


@pytest.mark.parametrize(
    ("columns", "locks"),
    [
        pytest.param(200, 40, id="wide"),
        pytest.param(80, 40, id="usual"),
        pytest.param(79, 39, id="one-cell-short"),
        pytest.param(40, 20, id="narrow"),
        pytest.param(1, 1, id="absurd"),
    ],
)
def test_lock_lines_take_two_cells_a_sign(columns: int, locks: int) -> None:
    """A line of locks is cut to what fits, and its signs are two cells wide."""
    lines = adapt(BANNER, columns=columns).splitlines()
    assert [line for line in lines if line.startswith("🔐")] == ["🔐" * locks] * 3


def test_rules_are_cut_and_words_are_not() -> None:
    """Only rules are shortened: a label is never lost."""
    text = adapt(report.workflow_header(), columns=30)
    assert text == f"{'=' * 30}\nCODITECT Export & Deduplicate Workflow\n{'=' * 30}"
    assert "🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: 143" in adapt(BANNER, columns=10)


def test_console_without_emoji_gets_ascii_labels() -> None:
    """Every sign of ours has an ASCII spelling, the numbers stay, and a lock is one cell wide then."""
    text = adapt(BANNER, unicode=False)
    assert text.isascii()
    assert text.splitlines()[1] == "#" * 40
    assert "+ NEW UNIQUE MESSAGES ADDED & BACKED UP: 143" in text
    assert adapt(BANNER, unicode=False, columns=30).splitlines()[1] == "#" * 30


def test_every_sign_that_reports_use_has_an_ascii_spelling() -> None:
    """No sign in the texts themselves was forgotten in the table."""
    for room in (report, execution_report, storage_report):
        with open(room.__file__, encoding="utf-8") as source:
            assert adapt(source.read(), unicode=False).isascii()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_shown_on_a_console_of_another_encoding(encoding: str) -> None:
    """A console that cannot show emoji gets readable text, without an escape and without a failure."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    show(BANNER, stream)
    shown = raw.getvalue().decode(encoding)
    assert shown.isascii()
    assert "\\" not in shown


def _utf8() -> tuple[io.BytesIO, Screen]:
    raw = io.BytesIO()
    return raw, Screen(io.TextIOWrapper(raw, encoding="utf-8", newline=""))


def test_rule_that_arrives_in_parts_is_shortened_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule is held back until its line is whole; it is never shown in full width by halves."""
    monkeypatch.setenv("COLUMNS", "20")
    raw, screen = _utf8()
    screen.part("=" * 30)
    assert raw.getvalue() == b""
    screen.part("=" * 30)
    screen.part("\nStep")
    assert raw.getvalue().decode() == "=" * 20 + "\nStep"


def test_partial_lines_are_shown_at_once() -> None:
    """Progress without a line end does not wait for one."""
    raw, screen = _utf8()
    screen.part("Working")
    assert raw.getvalue() == b"Working"
    screen.part("...")
    assert raw.getvalue() == b"Working..."


def test_what_is_held_back_is_shown_at_the_end() -> None:
    """An output that ends in a rule without a line end is shown whole."""
    raw, screen = _utf8()
    screen.part("=====")
    screen.flush()
    assert raw.getvalue() == b"====="


def test_gone_reader_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a closed pipe everything goes nowhere, once and for all."""
    abandoned = []
    monkeypatch.setattr("deduplication.terminal.console.abandon_output", lambda: abandoned.append(True))
    reading, writing = os.pipe()
    os.close(reading)
    # Unbuffered, or what could not be written would be tried again when the stream is closed.
    stream = io.TextIOWrapper(os.fdopen(writing, "wb", buffering=0), encoding="utf-8", write_through=True)
    screen = Screen(stream)
    screen.line("first")
    screen.line("second")
    screen.raw("third")
    assert abandoned == [True]
    stream.close()


def test_no_stream_is_no_failure() -> None:
    """A process without standard output (started by a window system) shows nothing."""
    Screen(None).line("text")


def test_raw_text_is_not_fitted() -> None:
    """JSON reaches its reader as it was written, emoji or not."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="backslashreplace")
    Screen(stream).raw('{"a": "→"}')
    assert raw.getvalue() == b'{"a": "\\u2192"}'


def test_what_is_kept_back_is_shown_or_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what goes to standard output is kept; it is shown in its order, once, or for nobody; a question shows it first."""
    hold()
    show("kept")
    show("at once", sys.stderr)
    assert is_holding()
    assert tuple(capsys.readouterr()) == ("", "at once\n")
    release(sys.stderr)
    show("again")
    release()
    assert tuple(capsys.readouterr()) == ("again\n", "kept\n")
    hold()
    show("dropped")
    assert drop() == ["dropped\n"]
    hold()
    show("this is what it is about")
    monkeypatch.setattr("builtins.input", lambda prompt: show(prompt) or " yes ")
    assert ask("really?") == "yes"
    assert tuple(capsys.readouterr()) == ("this is what it is about\nreally?\n", "")
    assert not is_holding()
