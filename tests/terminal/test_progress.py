"""progress: a bar for long work on a terminal, and nothing at all anywhere else."""

from __future__ import annotations

import builtins
import io
import sys

import pytest

from deduplication.terminal.progress import LONG, progress


class Screen(io.StringIO):
    """Standard error, as a terminal or not."""

    encoding = "utf-8"

    def __init__(self, *, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        """As it was made."""
        return self.terminal


@pytest.fixture
def screen(monkeypatch):
    """Put another standard error in place."""

    def put(*, terminal):
        made = Screen(terminal=terminal)
        monkeypatch.setattr(sys, "stderr", made)
        monkeypatch.setenv("TERM", "xterm")
        return made

    return put


@pytest.mark.parametrize(
    ("size", "terminal", "drawn"),
    [(LONG, True, True), (LONG - 1, True, False), (LONG, False, False), (0, True, False)],
    ids=["long", "short", "no-terminal", "empty"],
)
def test_a_bar_is_drawn_for_long_work_on_a_terminal_only(size, terminal, drawn, screen, capsys):
    """Elsewhere not one byte is written; the output of the work itself is never touched."""
    pytest.importorskip("rich")
    shown = screen(terminal=terminal)
    with progress(size, "Deduplicating") as advance:
        advance(size // 2)
        advance(size - size // 2)
    assert ("Deduplicating" in shown.getvalue()) is drawn
    assert ("4.0/4.0 MB" in shown.getvalue()) is drawn
    assert drawn or shown.getvalue() == ""
    assert capsys.readouterr().out == ""


def test_no_color_draws_without_colour(screen, monkeypatch):
    """NO_COLOR keeps the bar and leaves the colours out."""
    pytest.importorskip("rich")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = screen(terminal=True)
    with progress(LONG, "Deduplicating") as advance:
        advance(LONG)
    assert "Deduplicating" in shown.getvalue()
    assert "\x1b[3" not in shown.getvalue()


def test_without_rich_nothing_is_drawn(screen, monkeypatch):
    """The bar is an ornament: where the package is missing the work goes on in silence."""
    real = builtins.__import__

    def refuse(name, *arguments, **more):
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    shown = screen(terminal=True)
    with progress(LONG, "Deduplicating") as advance:
        advance(LONG)
    assert shown.getvalue() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_work_raises_goes_through(terminal, screen):
    """A failure inside is not swallowed by the bar."""
    screen(terminal=terminal)
    with pytest.raises(ZeroDivisionError), progress(LONG, "Deduplicating"):
        raise ZeroDivisionError
