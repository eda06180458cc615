"""The house stays one that a newcomer can hold in mind: no room, module or function outgrows its purpose.

Which room may import which is held by ``lint-imports``; here are the sizes.
"""

from __future__ import annotations

import ast

import pytest

from conftest import REPOSITORY

PACKAGE = REPOSITORY / "scripts" / "deduplication"
MODULES = sorted(PACKAGE.rglob("*.py"))
LINES, FUNCTION, IMPORTS, ROOM = 300, 50, 15, 30
"""At most: lines of a module, lines of a function, modules of ours that a module imports, modules of a room."""


def tree_of(path):
    """The syntax of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """The modules of the package that a module names in its imports, late ones and those for types included."""
    package = ("deduplication", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("deduplication")):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            inside = PACKAGE.joinpath(*module[1:])
            found |= {
                (*module, alias.name) if (inside / f"{alias.name}.py").exists() else module for alias in node.names
            }
    return found


def test_the_walk_sees_imports():
    """Counting finds a module by both forms of import, from a room's ground and from a folder in it."""
    assert imported(PACKAGE / "model.py") == {("deduplication", "start", "late_dataclass")}
    assert ("deduplication", "model") in imported(PACKAGE / "formats" / "base.py")
    assert ("deduplication", "files", "atomic") in imported(PACKAGE / "packs" / "pack_writer.py")


def test_no_module_is_too_long():
    """A module that needs more lines does more than one thing."""
    lengths = {path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > LINES} == {}


def test_no_function_is_too_long():
    """A function that needs more lines does more than one thing."""
    long = {
        f"{path.relative_to(PACKAGE).as_posix()}:{node.name}": node.end_lineno - node.lineno + 1
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno >= FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_needs_too_many_others(path):
    """Whoever reads a module has to know what it imports, and knows what a dataclass and a named tuple are."""
    needed = imported(path) - {("deduplication", "start", name) for name in ("late_dataclass", "late_tuple")}
    assert len(needed) <= IMPORTS, sorted(".".join(module) for module in needed)


def test_no_room_is_too_full():
    """A room that holds more modules is two rooms."""
    rooms = {}
    for path in MODULES:
        rooms.setdefault(path.parent.relative_to(PACKAGE).as_posix(), []).append(path.name)
    counted = {room: len(set(names) - {"__init__.py"}) for room, names in rooms.items()}
    assert {room: count for room, count in counted.items() if count > ROOM} == {}
