"""Nobody outside the storage room knows which class a store is, or how its file is called."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import deduplication
from deduplication.project import paths

PACKAGE = Path(deduplication.__file__).parent
OUTSIDE = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "storage" not in path.parents)
CLASS, MODULE = "LogStore", "log_store"
FILES = {paths.LOG_NAME, paths.AUDIT, *paths.INDEX_NAMES}


def words(tree):
    """Names, members, imported modules and texts of a module, with their lines; what its docstrings say is for people."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield node.id, line
        elif isinstance(node, ast.Attribute):
            yield node.attr, line
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value, line
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((part, line) for part in (getattr(node, "module", None) or "").split("."))
            yield from ((each.name.rpartition(".")[2], line) for each in node.names)


def broken(tree):
    """The lines that say the class or its module, or ask for a store, or of one, by the name of a member.

    That no store has ``log`` or ``blobs`` for others is held by the types: the protocols have none.
    """
    found = {(line, word) for word, line in words(tree) if word in (CLASS, MODULE, *FILES)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "cast"):
            found |= {(node.lineno, name) for name in _names(node) if name in ("store", "LogBackedStore")}
    return sorted(found)


def _names(node):
    found = (n.id if isinstance(n, ast.Name) else getattr(n, "attr", getattr(n, "value", None)) for n in ast.walk(node))
    return [name.lstrip("_") for name in found if isinstance(name, str)]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_other_room_reaches_behind_the_store(path):
    """What it needs is a question of ``Store`` or of ``LogBackedStore``; file names come from ``project/paths``."""
    if path != Path(paths.__file__):
        assert broken(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "from ..storage.log_store import LogStore",
        "from ..storage import log_store",
        "def f(store): return isinstance(store, LogStore)",
        "store = cast('LogBackedStore', dedup.store)",
        "store = getattr(self._dedup, 'store', None)",
        "log = getattr(store, 'log', None)",
        "path = folder / 'conversation_log.jsonl'",
    ],
)
def test_who_does_is_found(source):
    """Each of the ways in which other rooms have reached behind it."""
    assert broken(ast.parse(source))
