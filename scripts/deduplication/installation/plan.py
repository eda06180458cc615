"""What an installation would change: looks at a project, writes nothing.

The rule for every file: what the project's owner wrote stays. A file is ours where its bytes are those that we put
there (the manifest has their hash) or would put there now.
"""

from __future__ import annotations

import copy
import os
import stat
from typing import TYPE_CHECKING, Any, Final, Optional

from ..project.paths import MEMORY
from ..start.late_dataclass import dataclass, field
from . import ignore_block, settings
from .errors import InstallRefused
from .manifest import NAME, VENV, Manifest, parse, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .targets import Target

IGNORE: Final = ".gitignore"
NEW: Final = "new"
UPDATE: Final = "update"
PERMISSIONS: Final = "permissions"
SAME: Final = "same"
KEEP: Final = "keep"
REMOVE: Final = "remove"
FORGET: Final = "forget"
ENVIRONMENT: Final = "environment"
"""The virtual environment that an earlier version made goes, the whole folder."""
LABELS: Final = {NEW: "new", UPDATE: "update", PERMISSIONS: "make executable", REMOVE: "remove", ENVIRONMENT: "remove"}
"""What a change is called to people, in the order in which changes are counted."""


@dataclass(frozen=True)
class Step:
    """One file: ``kind`` is what happens to it, ``note`` what its owner should know, ``data`` what is written."""

    kind: str
    path: str
    note: str = ""
    data: bytes = b""
    mode: int = 0o644

    @property
    def changes(self) -> bool:
        """True where the disk is different afterwards."""
        return self.kind in LABELS

    @property
    def label(self) -> str:
        """What the change is called to people."""
        return LABELS[self.kind]

    @property
    def is_kept(self) -> bool:
        """True where the file stays as its owner wrote it."""
        return self.kind == KEEP


@dataclass
class Plan:
    """The steps, and the manifest as it will be when all of them are done."""

    steps: list[Step] = field(default_factory=list)
    manifest: Manifest = field(default_factory=lambda: Manifest(""))

    @staticmethod
    def counted(steps: Iterable[Step]) -> list[tuple[str, int]]:
        """How often each change is made in ``steps``, by what it is called: ``[("new", 3), ("update", 1)]``."""
        kinds = [step.kind for step in steps]
        return [(label, kinds.count(kind)) for kind, label in LABELS.items() if kind in kinds]

    def during(self, before: Optional[Manifest]) -> Manifest:
        """The manifest to write first: until the last step is done the old bytes and the new ones are both ours."""
        both = copy.deepcopy(self.manifest)
        both.unfinished = True
        for path, hashes in (before.files if before else {}).items():
            known = both.files.setdefault(path, [])
            known += [one for one in hashes if one not in known]
        return both


def read_manifest(root: Path) -> Optional[Manifest]:
    """The manifest of an earlier installation, if there is one."""
    data = read_below(root, NAME)
    return None if data is None else parse(data, NAME)


def read_below(root: Path, path: str) -> Optional[bytes]:
    """The bytes of the file at ``path`` below ``root``; None where there is none."""
    full = os.path.join(root, path)
    try:
        if os.path.isdir(full):
            raise InstallRefused(f"{path} is a folder, and a file belongs there", hint="Move the folder away.")
        with open(full, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InstallRefused(f"{path}: {error.strerror}", hint="Correct the permissions, or move it away.") from error


def is_venv(path: str) -> bool:
    """True for a virtual environment that is no symbolic link: only such a folder is ever removed whole."""
    return not os.path.islink(path) and os.path.isfile(os.path.join(path, "pyvenv.cfg"))


def plan_install(
    root: Path, wanted: dict[str, Target], before: Optional[Manifest], version: str, hooks: dict[str, list[Any]]
) -> Plan:
    """What brings ``root`` to ``wanted``. ``before`` is the manifest of the installation that is there, if any.

    ``hooks`` are ours for the client's settings, by event; none where another form of installation has them.
    """
    known = before.files if before else {}
    torn = before is not None and before.unfinished
    plan = Plan(manifest=Manifest(version, directories=list(before.directories) if before else []))
    plan.manifest.readme = before.readme if before else None
    for path, target in wanted.items():
        _plan_file(plan, root, path, target, known, torn=torn)
    for path in sorted(set(known) - set(plan.manifest.files) - set(wanted)):
        plan.steps.append(_plan_removal(root, path, known[path], torn=torn))
    if before is not None and before.venv and is_venv(os.path.join(root, VENV)):
        plan.steps.append(Step(ENVIRONMENT, VENV, "made by an earlier version; no command uses it"))
    _plan_ignore(plan, root, before)
    _plan_settings(plan, root, before, hooks)
    return plan


def plan_uninstall(root: Path, before: Manifest) -> Plan:
    """What takes everything that is ours out of ``root`` again."""
    plan = Plan(manifest=before)
    plan.steps = [
        _plan_removal(root, path, hashes, torn=before.unfinished) for path, hashes in sorted(before.files.items())
    ]
    if before.venv and is_venv(os.path.join(root, VENV)):
        plan.steps.append(Step(ENVIRONMENT, VENV))
    _plan_settings_out(plan, root, before)
    data = read_below(root, IGNORE)
    place = _place(data)
    if before.ignore is None or data is None or place is None:
        return plan
    if isinstance(place, str) or sha256(data[slice(*place)]) != before.ignore["sha256"]:
        plan.steps.append(Step(KEEP, IGNORE, "the block of export-dedup in it was changed: take it out by hand"))
        return plan
    if (root / MEMORY).exists():
        # Without the block the next `git add` of the user would publish raw exports.
        plan.steps.append(
            Step(KEEP, IGNORE, f"{MEMORY} is still there, and the block keeps its private parts out of git")
        )
        return plan
    left = ignore_block.remove(data, place, before.ignore["separator"].encode())
    if not left and before.ignore["created"]:
        plan.steps.append(Step(REMOVE, IGNORE))
    else:
        plan.steps.append(Step(UPDATE, IGNORE, "block taken out", left, _mode(root, IGNORE)))
    return plan


def _plan_file(plan: Plan, root: Path, path: str, target: Target, known: dict[str, list[str]], *, torn: bool) -> None:
    data = read_below(root, path)
    hash_wanted = sha256(target.data)
    plan.manifest.files[path] = [hash_wanted]
    if data is None:
        plan.steps.append(Step(NEW, path, "", target.data, target.mode))
    elif data == target.data:
        lacking = os.name != "nt" and target.mode & 0o111 and not _mode(root, path) & 0o100
        plan.steps.append(Step(PERMISSIONS if lacking else SAME, path, "", data, target.mode))
    elif sha256(data) in known.get(path, ()) or (torn and path in known and _is_torn(data, target.data)):
        plan.steps.append(Step(UPDATE, path, "", target.data, target.mode))
    else:
        # Changed since we wrote it, or never ours: it stays, and the new one goes beside it.
        if path in known:
            plan.manifest.files[path] = known[path]
        else:
            del plan.manifest.files[path]
        plan.steps.append(_beside(plan, root, path, target, known))


def _beside(plan: Plan, root: Path, path: str, target: Target, known: dict[str, list[str]]) -> Step:
    beside = f"{path}.new"
    data = read_below(root, beside)
    if data is not None and data != target.data and sha256(data) not in known.get(beside, ()):
        return Step(KEEP, path, f"yours; there is a {os.path.basename(beside)} of your own, too: nothing was written")
    plan.manifest.files[beside] = [sha256(target.data)]
    if data != target.data:
        plan.steps.append(Step(NEW if data is None else UPDATE, beside, "", target.data, target.mode))
    return Step(KEEP, path, f"yours; ours is in {os.path.basename(beside)}: merge them")


def _is_torn(data: bytes, whole: bytes = b"") -> bool:
    """Whether a file may be what a power cut left of one that was being installed: its beginning, then zeros at most."""
    return whole.startswith(data.rstrip(b"\0"))


def _plan_removal(root: Path, path: str, hashes: list[str], *, torn: bool) -> Step:
    data = read_below(root, path)
    if data is None:
        return Step(FORGET, path)
    if os.path.islink(os.path.join(root, path)):
        return Step(KEEP, path, "a symbolic link of your own")
    if sha256(data) not in hashes and not (torn and _is_torn(data)):
        return Step(KEEP, path, "changed by you: remove it yourself if you no longer need it")
    return Step(REMOVE, path)


def _plan_ignore(plan: Plan, root: Path, before: Optional[Manifest]) -> None:
    data = read_below(root, IGNORE)
    old = before.ignore if before else None
    place = _place(data)
    if isinstance(place, str):
        plan.manifest.ignore = old
        plan.steps.append(Step(KEEP, IGNORE, f"{place}: put them right, then run this again"))
        return
    if place is None:
        content, separator = ignore_block.add(data or b"")
        written = ignore_block.block(ignore_block.newline_of(data or b""))
        plan.manifest.ignore = {"sha256": sha256(written), "separator": separator.decode(), "created": data is None}
        plan.steps.append(Step(NEW if data is None else UPDATE, IGNORE, "", content, _mode(root, IGNORE)))
        return
    assert data is not None
    there = data[slice(*place)]
    ours = ignore_block.block(ignore_block.newline_of(there))
    if there == ours:
        plan.manifest.ignore = old or {"sha256": sha256(ours), "separator": "", "created": False}
        plan.steps.append(Step(SAME, IGNORE))
    elif old and sha256(there) == old["sha256"]:
        plan.manifest.ignore = {**old, "sha256": sha256(ours)}
        content = data[: place[0]] + ours + data[place[1] :]
        plan.steps.append(Step(UPDATE, IGNORE, "", content, _mode(root, IGNORE)))
    else:
        plan.manifest.ignore = old
        plan.steps.append(Step(KEEP, IGNORE, "the block of export-dedup in it was changed by you and stays as it is"))


def _plan_settings(plan: Plan, root: Path, before: Optional[Manifest], hooks: dict[str, list[Any]]) -> None:
    """Our hooks in the client's settings. What the file was like before is kept beside it, byte for byte."""
    data = read_below(root, settings.NAME)
    plan.manifest.settings = bool(before and before.settings)
    if data is None and not hooks:
        return
    content = settings.merged(data, hooks)
    if data is None:
        plan.manifest.settings = True
        plan.steps.append(Step(NEW, settings.NAME, "hooks", content))
        return
    if not plan.manifest.settings and read_below(root, settings.BACKUP) is None and content != data:
        plan.manifest.files[settings.BACKUP] = [sha256(data)]
        plan.steps.append(Step(NEW, settings.BACKUP, "", data, _mode(root, settings.NAME)))
    elif before and settings.BACKUP in before.files:
        plan.manifest.files[settings.BACKUP] = before.files[settings.BACKUP]
        plan.steps = [step for step in plan.steps if step.path != settings.BACKUP]
    kind, note = (SAME, "") if content == data else (UPDATE, "hooks")
    plan.steps.append(Step(kind, settings.NAME, note, content, _mode(root, settings.NAME)))


def _plan_settings_out(plan: Plan, root: Path, before: Manifest) -> None:
    """Our hooks taken out again; where nothing else was changed since, the file is what it was, byte for byte."""
    data = read_below(root, settings.NAME)
    if data is None:
        return
    try:
        content = settings.removed(data)
    except InstallRefused as error:
        plan.steps.append(Step(KEEP, settings.NAME, f"{error}: take the hooks of export-dedup out by hand"))
        return
    if content == data:
        return
    if before.settings and settings.is_empty(content):
        plan.steps.append(Step(REMOVE, settings.NAME))
        return
    backup = read_below(root, settings.BACKUP)
    if backup is not None and settings.same(backup, content):
        content = backup
    plan.steps.append(Step(UPDATE, settings.NAME, "hooks taken out", content, _mode(root, settings.NAME)))


def _place(data: Optional[bytes]) -> Optional[tuple[int, int] | str]:
    """Where the block lies, None where there is none, or what is wrong with its markers."""
    try:
        return None if data is None else ignore_block.find(data)
    except ValueError as error:
        return str(error)


def _mode(root: Path, path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(os.path.join(root, path)).st_mode)
    except FileNotFoundError:
        return 0o644
