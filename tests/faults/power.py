"""A power cut: what a job does to its files is recorded, and every state that a disk may be in afterwards can be made.

As ALICE and CrashMonkey do it. Data that was written is on the disk only once its file was synced, in pieces of a sector,
each for itself; a name is there only once its folder was synced, whatever was synced of the file. Of all the rest any part
may have reached the disk, in any order.
"""

from __future__ import annotations

import builtins
import fcntl
import hashlib
import math
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults.children import run

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

SECTOR = 512
ROOT = 0
"""The number of the folder in which everything happens."""


@dataclass(frozen=True)
class Step:
    """One thing that happened: ``kind`` is write, size, folder, name, gone, move, sync, given or told.

    Files and folders have numbers, so that a name can be lost without what bore it. ``at`` is a place in a file, a size, or of
    a name whether it is on the disk at once.
    """

    kind: str
    file: int = -1
    at: int = 0
    data: Any = b""
    folder: int = -1
    name: str = ""
    other_folder: int = -1
    other_name: str = ""


@dataclass
class Recording:
    """The files as they were on the disk at the beginning, every step of the job, and what the job returned."""

    root: str
    files: dict[int, bytes] = field(default_factory=dict)
    folders: dict[int, dict[str, int]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def certain(self) -> list[float]:
        """For each step the place of the sync that has it on the disk for sure; infinite where there is none."""
        found = [math.inf] * len(self.steps)
        synced: dict[int, int] = {}
        for place in range(len(self.steps) - 1, -1, -1):
            step = self.steps[place]
            found[place] = place
            if step.kind == "sync":
                synced[step.file] = place
            elif step.kind not in ("told", "given") and not (step.kind == "name" and step.at):
                on = {"write": step.file, "size": step.file, "move": step.other_folder}.get(step.kind, step.folder)
                found[place] = synced.get(on, math.inf)
        return found

    def told(self, cut: int) -> list[Any]:
        """What had been reported before the power went away."""
        return [step.data for step in self.steps[:cut] if step.kind == "told"]

    def given(self, cut: int) -> dict[str, bytes]:
        """What others had put there by then: the last bytes of each file by its name."""
        return {step.name: step.data for step in self.steps[:cut] if step.kind == "given"}


def recorded(root: Path, job: Callable[[Recorder], None], *, syncing: bool = True) -> Recording:
    """Run ``job`` in a child and record what it does below ``root``. ``syncing=False``: no call of fsync has any effect."""

    def recording() -> Recording:
        recorder = Recorder(str(root), syncing=syncing)
        recorder.install()
        job(recorder)
        return recorder.recording

    outcome = run(recording)
    assert (outcome.signal, outcome.error, outcome.trace) == (0, "", ""), outcome.error or outcome.trace
    made: Recording = outcome.value
    whole = Disk(made, len(made.steps), lambda _: True).tree()
    seen = {str(p.relative_to(root)): None if p.is_dir() else p.read_bytes() for p in root.rglob("*")}
    assert whole == {name: data for name, data in seen.items() if not name.endswith("-shm")}, "something went unseen"
    return made


class Recorder:
    """Put in place of the calls of ``os`` that change files, in a child process."""

    def __init__(self, root: str, *, syncing: bool) -> None:
        self.recording = Recording(root)
        self._root, self._syncing = root, syncing
        self._numbers: dict[str, int] = {root: ROOT}
        self._descriptors: dict[int, int] = {}
        self._next = 1
        self._real = {name: getattr(os, name) for name in ("open", "close", "write", "fsync", "mkdir", "unlink")}
        self.recording.folders[ROOT] = {}
        for place, folders, names in os.walk(root):
            inside = self.recording.folders[self._numbers[place]]
            for name in (*folders, *names):
                path = os.path.join(place, name)
                inside[name] = self._numbers[path] = self._next
                if name in folders:
                    self.recording.folders[self._next] = {}
                else:
                    self.recording.files[self._next] = Path(path).read_bytes()
                self._next += 1

    # -- for the job ---------------------------------------------------------------------------------------------

    def report(self, what: Any) -> None:
        """The job says that something is done: from here on it must survive."""
        self._add(Step("told", data=what))

    def given(self, path: Path, data: bytes) -> None:
        """A file of somebody else, on the disk in one step: an export in its place, a transcript that has grown."""
        place = str(path)
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = self._next
            self._next += 1
        path.write_bytes(data)
        self._add(Step("given", number, data=data, folder=self._numbers[str(path.parent)], name=path.name))

    # -- the shim ------------------------------------------------------------------------------------------------

    def install(self) -> None:
        """From here on everything below the root is recorded."""
        for name in ("open", "close", "write", "fsync", "ftruncate", "truncate", "mkdir", "rmdir", "unlink", "rename"):
            setattr(os, name, self._seen(name, getattr(os, name)))
        os.replace, os.remove = os.rename, os.unlink
        for name in ("link", "symlink", "pwrite", "sendfile", "copy_file_range", "fdatasync"):
            setattr(os, name, _forbidden)
        reading = builtins.open

        def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            inside = isinstance(file, (str, os.PathLike)) and self._inside(os.fspath(file)) is not None
            assert not inside or mode in ("r", "rb"), f"{file} is written past the shim"
            return reading(file, mode, *arguments, **options)

        builtins.open = opened

    def _seen(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        after = getattr(self, f"_{name}")

        def call(*arguments: Any, **options: Any) -> Any:
            return after(real, *_whole(arguments, options), **options)

        return call

    def _inside(self, path: Any) -> str | None:
        if isinstance(path, int):
            return None
        path = os.path.abspath(os.fspath(path))
        return path if path == self._root or path.startswith(self._root + os.sep) else None

    def _add(self, step: Step) -> None:
        self.recording.steps.append(step)

    def _named(self, path: str, *, certain: bool = False) -> int:
        """A new file or folder has this name."""
        number = self._numbers[path] = self._next
        self._next += 1
        folder, name = os.path.split(path)
        self._add(Step("name", number, int(certain), folder=self._numbers[folder], name=name))
        return number

    def _written(self, number: int, at: int, data: bytes) -> None:
        end = at + len(data)
        start = at
        while start < end:
            stop = min(end, (start // SECTOR + 1) * SECTOR)
            self._add(Step("write", number, start, data[start - at : stop - at]))
            start = stop

    def _open(self, real: Callable[..., Any], path: Any, flags: int, *more: Any, **options: Any) -> int:
        inside = self._inside(path)
        existed = os.path.lexists(path)
        descriptor: int = real(path, flags, *more, **options)
        self._descriptors.pop(descriptor, None)
        if inside is None:
            return descriptor
        if not existed:
            self._named(inside)
        elif flags & os.O_TRUNC:
            self._add(Step("size", self._numbers[inside], 0))
        self._descriptors[descriptor] = self._numbers[inside]
        return descriptor

    def _close(self, real: Callable[..., Any], descriptor: int) -> None:
        self._descriptors.pop(descriptor, None)
        real(descriptor)

    def _write(self, real: Callable[..., Any], descriptor: int, data: Any) -> int:
        number = self._descriptors.get(descriptor)
        if number is None:
            return real(descriptor, data)
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND:
            at = os.fstat(descriptor).st_size
        done = real(descriptor, data)
        self._written(number, at, bytes(data)[:done])
        return done

    def _fsync(self, real: Callable[..., Any], descriptor: int) -> None:
        real(descriptor)
        if descriptor in self._descriptors and self._syncing:
            self._add(Step("sync", self._descriptors[descriptor]))

    def _ftruncate(self, real: Callable[..., Any], descriptor: int, size: int) -> None:
        real(descriptor, size)
        if descriptor in self._descriptors:
            self._add(Step("size", self._descriptors[descriptor], size))

    def _truncate(self, real: Callable[..., Any], path: Any, size: int) -> None:
        assert self._inside(path) is None, "truncated past the shim"
        real(path, size)

    def _mkdir(self, real: Callable[..., Any], path: Any, *more: Any, **options: Any) -> None:
        real(path, *more, **options)
        inside = self._inside(path)
        if inside is not None:
            self._add(Step("folder", self._next))
            self._named(inside)

    def _unlink(self, real: Callable[..., Any], path: Any) -> None:
        real(path)
        inside = self._inside(path)
        if inside is not None:
            self._gone(inside)

    def _rmdir(self, real: Callable[..., Any], path: Any) -> None:
        self._unlink(real, path)

    def _gone(self, path: str) -> None:
        folder, name = os.path.split(path)
        if path in self._numbers:
            self._add(Step("gone", self._numbers.pop(path), folder=self._numbers[folder], name=name))

    def _rename(self, real: Callable[..., Any], old: Any, new: Any) -> None:
        real(old, new)
        here, there = self._inside(old), self._inside(new)
        assert (here is None) == (there is None), "moved over the border"
        if here is None or there is None:
            return
        number = self._numbers.pop(here)
        self._numbers[there] = number
        (folder, name), (other, other_name) = os.path.split(here), os.path.split(there)
        self._add(Step("move", number, 0, b"", self._numbers[folder], name, self._numbers[other], other_name))


def _whole(arguments: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    """The arguments of a call with whole paths in them; the descriptors of folders are taken out of ``options``."""
    found = list(arguments)
    for place, name in ((0, "dir_fd"), (0, "src_dir_fd"), (1, "dst_dir_fd")):
        folder = options.pop(name, None)
        if folder is not None:
            found[place] = os.path.normpath(os.path.join(os.readlink(f"/proc/self/fd/{folder}"), found[place]))
    return found


def _forbidden(*_: Any, **__: Any) -> None:
    raise AssertionError("a call that the shim does not know")


class Disk:
    """What is on the disk when the power goes before step ``cut``: all that was synced, and of the rest what is kept.

    ``keep`` is asked for each step that no sync has made certain; ``hole`` for each write that is not kept, whether the file
    is as long as if it had been.
    """

    def __init__(
        self,
        recording: Recording,
        cut: int,
        keep: Callable[[int], bool],
        hole: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._files = {number: bytearray(data) for number, data in recording.files.items()}
        self._folders = {number: dict(names) for number, names in recording.folders.items()}
        certain = recording.certain()
        for place, step in enumerate(recording.steps[:cut]):
            if certain[place] < cut or step.kind == "folder" or keep(place):
                self._apply(step)
            elif step.kind == "write" and hole(place):
                self._file(step.file, step.at + len(step.data))

    def _file(self, number: int, least: int = 0) -> bytearray:
        file = self._files.setdefault(number, bytearray())
        file.extend(bytes(max(least - len(file), 0)))
        return file

    def _apply(self, step: Step) -> None:
        if step.kind == "write":
            self._file(step.file, step.at)[step.at : step.at + len(step.data)] = step.data
        elif step.kind == "size":
            del self._file(step.file, step.at)[step.at :]
        elif step.kind == "folder":
            self._folders[step.file] = {}
        elif step.kind == "name":
            self._folders[step.folder][step.name] = step.file
        elif step.kind == "given":
            self._folders[step.folder][step.name] = step.file
            self._files[step.file] = bytearray(step.data)
        elif step.kind == "gone":
            self._take(step.folder, step.name, step.file)
        elif step.kind == "move":
            self._take(step.folder, step.name, step.file)
            self._folders[step.other_folder][step.other_name] = step.file

    def _take(self, folder: int, name: str, file: int) -> None:
        if self._folders[folder].get(name) == file:
            del self._folders[folder][name]

    def tree(self, folder: int = ROOT, before: str = "") -> dict[str, bytes | None]:
        """Every path below the root: None for a folder, the bytes of a file."""
        found: dict[str, bytes | None] = {}
        for name, number in self._folders[folder].items():
            path = f"{before}{name}"
            if number in self._folders:
                found[path] = None
                found.update(self.tree(number, f"{path}/"))
            else:
                found[path] = bytes(self._files.get(number, b""))
        return found


def put(root: str, tree: dict[str, bytes | None]) -> None:
    """Make the files of a state, in the place where they were recorded."""
    shutil.rmtree(root, ignore_errors=True)
    os.mkdir(root, 0o700)
    for name, data in tree.items():
        path = os.path.join(root, name)
        if data is None:
            os.mkdir(path, 0o700)
        else:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)


def states(recording: Recording, count: int, chance: random.Random) -> Iterator[tuple[int, dict[str, bytes | None]]]:
    """``count`` different states after a power cut, each with the step before which it came; fewer where there are no more."""
    seen = set()
    certain = recording.certain()
    tries = 0
    while len(seen) < count and tries < 20 * count:
        tries += 1
        cut = chance.randrange(len(recording.steps) + 1)
        open_steps = [p for p in range(cut) if certain[p] >= cut]
        tree = Disk(recording, cut, *_fate(open_steps, chance)).tree()
        digest = hashlib.sha256(
            repr((len(recording.told(cut)), len(recording.given(cut)), sorted(tree.items()))).encode()
        ).digest()
        if digest not in seen:
            seen.add(digest)
            yield cut, tree


def _fate(pending: list[int], chance: random.Random) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """What becomes of the steps that no sync has made certain: all, none, all but one, one alone, or any of them."""
    way = chance.randrange(6)
    one = chance.choice(pending) if pending else -1
    share = chance.choice((0.1, 0.5, 0.9))
    kept = {
        0: set(pending),
        1: set(),
        2: set(pending) - {one},
        3: {one},
    }.get(way)
    if kept is None:
        kept = {place for place in pending if chance.random() < share}
    holes = chance.random() < 0.5
    return kept.__contains__, lambda _: holes
