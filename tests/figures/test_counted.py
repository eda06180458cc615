"""counted: a number stands with the word that fits it, and no text leaves the choice to whoever reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from deduplication.figures.counted import counted

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

LABELS = (
    "✓ Found {} export file(s)",
    "\nStep 2: Deduplicating {} export file(s)...",
    "📁 Export(s) archived:",
    "   - Files: {} export(s) moved",
)
"""What the original design prints: scripts rely on these labels, and they stay to the letter."""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((0, "file"), "0 files"),
        ((1, "file"), "1 file"),
        ((2, "file"), "2 files"),
        ((1_234_567, "message"), "1,234,567 messages"),
        ((1, "copy is", "copies are"), "1 copy is"),
        ((3, "copy is", "copies are"), "3 copies are"),
    ],
)
def test_one_is_singular_and_everything_else_is_not(words: tuple[int, str], said: str) -> None:
    """Nothing is plural as well; a word that an ``s`` does not make plural, or one with its verb, brings its own."""
    assert counted(*words) == said


def texts(tree: ast.AST) -> list[str]:
    """Every text of a module that is no docstring; what a format string fills in is ``{}``."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    said = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | said:
            found.append(node.value)
    return found


def test_no_text_leaves_the_plural_to_its_reader() -> None:
    """``(s)`` stands in the labels of the original design and nowhere else."""
    found = [text for path in SCRIPTS.rglob("*.py") for text in texts(ast.parse(path.read_bytes())) if "(s)" in text]
    assert sorted(found) == sorted(LABELS)
