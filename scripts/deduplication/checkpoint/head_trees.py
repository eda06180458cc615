"""HEAD as our files need it: its commit, and of its trees those on the way to them; and these trees with our files in them.

One git tells all of it (``cat-file --batch``), and a new tree is made here: neither an index of our own nor a git for each
step is needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Optional

from ..git.plumbing import GitFailed
from ..start.late_tuple import NamedTuple
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..git.repository import Repository
    from .new_objects import NewObjects

_TREE: Final = b"40000"
_Entries = dict[bytes, tuple[bytes, bytes]]
"""What a tree has, by name: mode and id, as they stand in it."""


class HeadTrees(NamedTuple):
    """``commit`` and ``tree`` are full names, empty on a branch without commits; ``folders`` are from the repository's top."""

    commit: str
    tree: str
    folders: Mapping[bytes, _Entries]
    prefix: bytes

    def entries(self, paths: Iterable[str]) -> dict[str, str]:
        """Mode and object of each path (from the project) that HEAD has; the paths are those that it was read for."""
        found: dict[str, str] = {}
        for path in paths:
            folder, name = _split(self.prefix + os.fsencode(path))
            entry = self.folders.get(folder, {}).get(name)
            if entry is not None:
                found[path] = f"{entry[0].decode().zfill(6)},{entry[1].hex()}"
        return found

    def tree_with(self, entries: Iterable[tuple[str, str]], objects: NewObjects) -> str:
        """HEAD's tree with these paths as ``mode,object`` (empty: without it); its trees that are new are added to ``objects``.

        Raises ``GitFailed`` where HEAD has something else in the place of one of their folders.
        """
        folders = {folder: dict(known) for folder, known in self.folders.items()}
        for path, entry in entries:
            mode, _, oid = entry.partition(",")
            folder, name = _split(self.prefix + os.fsencode(path))
            if folders.setdefault(folder, {}).get(name, (b"",))[0] == _TREE:
                raise GitFailed(f"{printable(path)} is a folder in HEAD")
            if entry:
                folders[folder][name] = (mode.lstrip("0").encode(), bytes.fromhex(oid))
            else:
                folders[folder].pop(name, None)
        inner = {above for folder in folders for above in (folder, *_above(folder))} - {b""}
        for folder in sorted(inner, key=lambda each: each.count(b"/"), reverse=True):
            above, name = _split(folder)
            before = folders.setdefault(above, {}).get(name)
            if before is not None and before[0] != _TREE:
                raise GitFailed(f"{printable(os.fsdecode(folder))} is no folder in HEAD")
            if folders[folder] != self.folders.get(folder):
                folders[above][name] = (_TREE, bytes.fromhex(objects.add_tree(_packed(folders[folder]))))
        return objects.add_tree(_packed(folders[b""])) if folders[b""] != self.folders.get(b"") else self.tree


NOTHING: Final = HeadTrees("", "", {}, b"")
"""A branch without commits, asked for nothing."""


def read(repository: Repository, paths: Sequence[str]) -> HeadTrees:
    """HEAD, for ``paths`` from the project. Raises ``GitFailed``."""
    prefix = os.fsencode(repository.prefix)
    folders = sorted({above for path in paths for above in _above(prefix + os.fsencode(path))})
    if any(b"\n" in folder for folder in folders):  # which a line of the batch cannot name
        raise GitFailed("a folder's name has a line break")
    asked = b"HEAD^{commit}\n" + b"".join(b"HEAD:%s\n" % folder for folder in folders)
    output = repository.git.run("cat-file", "--batch", stdin=asked)
    try:
        commit, *found = _answers(output, 1 + len(folders))
        if commit is None:
            return HeadTrees("", "", {}, prefix)
        size = len(commit.name) // 2
        trees: dict[bytes, _Entries] = {}
        for folder, tree in zip(folders, found):
            if tree is not None and tree.kind == b"tree":
                trees[folder] = _entries(tree.content, size)
            elif _is_missing(folder, trees):
                raise GitFailed(f"HEAD's tree {printable(os.fsdecode(folder))} is not in this repository")
    except (ValueError, IndexError) as error:
        raise GitFailed("git cat-file: an answer that cannot be read") from error
    return HeadTrees(commit.name.decode(), commit.content[5 : 5 + 2 * size].decode(), trees, prefix)


def _is_missing(folder: bytes, trees: Mapping[bytes, _Entries]) -> bool:
    """Whether HEAD has a tree there that a partial clone has not fetched: without it ours would be all that is in it."""
    if not folder:
        return True
    above, name = _split(folder)
    return trees.get(above, {}).get(name, (b"",))[0] == _TREE


class _Object(NamedTuple):
    name: bytes
    kind: bytes
    content: bytes


def _answers(output: bytes, many: int) -> Iterable[Optional[_Object]]:
    """What ``cat-file --batch`` has found, in the order of the questions; None for what is not there."""
    place = 0
    for _ in range(many):
        end = output.index(b"\n", place)
        line = output[place:end]
        place = end + 1
        if line.endswith((b" missing", b" ambiguous")):
            yield None
            continue
        name, kind, size = line.split(b" ")
        yield _Object(name, kind, output[place : place + int(size)])
        place += int(size) + 1


def _entries(tree: bytes, size: int) -> _Entries:
    """The entries of a tree whose ids have ``size`` bytes."""
    found: _Entries = {}
    place = 0
    while place < len(tree):
        end = tree.index(b"\0", place)
        mode, _, name = tree[place:end].partition(b" ")
        found[name] = (mode, tree[end + 1 : end + 1 + size])
        place = end + 1 + size
    return found


def _packed(entries: _Entries) -> bytes:
    """A tree as git has it: in the order of names, where a folder's ends with a slash."""
    ordered = sorted(entries.items(), key=lambda each: each[0] + b"/" * (each[1][0] == _TREE))
    return b"".join(b"%s %s\0%s" % (mode, name, oid) for name, (mode, oid) in ordered)


def _split(path: bytes) -> tuple[bytes, bytes]:
    folder, _, name = path.rpartition(b"/")
    return folder, name


def _above(path: bytes) -> Iterable[bytes]:
    """Every folder on the way to a path, the top as the empty name."""
    while path:
        path = _split(path)[0]
        yield path
