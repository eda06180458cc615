"""A folder that something synchronises between machines, file by file, when it pleases: as Dropbox and its like do it.

A file that only one side changed goes to the other. Where both did, both stay: what came second gets a name of its own.
"""

from __future__ import annotations

import shutil

NAMES = (
    "{stem} (b's conflicted copy 2026-12-01){ending}",
    "{stem}.sync-conflict-20261201-101010-ABCDEFG{ending}",
    "{stem} (conflicted copy 2026-12-01 101010){ending}",
    "{stem}-LAPTOP{ending}",
    "{stem} (1){ending}",
    "{stem} 2{ending}",
    "{stem} (SFConflict b@example.com 2026-12-01-10-10-10){ending}",
)
"""What Dropbox, Syncthing, Nextcloud, OneDrive, Google Drive, iCloud and Seafile call the second of two files."""


class Synchronised:
    """Folders below ``folder`` by the names of machines, all with what ``cloud`` has, sooner or later."""

    def __init__(self, folder, machines, chance, conflict=NAMES[0]):
        self.folder, self.machines, self._chance, self._conflict = folder, machines, chance, conflict
        self.cloud = {}
        self._seen = {name: {} for name in machines}
        """What each machine had of a file when it was the same as the cloud's."""
        self._conflicts = 0

    def files(self, name):
        """Every file of a machine's folder that is no lock."""
        root = self.folder / name / "dedup_state"
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.endswith((".lock", ".tmp"))
        }

    def pass_on(self, name, share=1.0):
        """Bring a machine and the cloud together, of a share of the files only."""
        mine, seen = self.files(name), self._seen[name]
        for path in sorted({*mine, *self.cloud, *seen}, key=lambda _: self._chance.random()):
            if self._chance.random() > share:
                continue
            here, there, before = mine.get(path), self.cloud.get(path), seen.get(path)
            if here != before != there and here != there and here is not None and there is not None:
                stem, dot, ending = path.rpartition(".")
                self._conflicts += 1
                other = self._conflict.format(stem=stem or path, ending=dot + ending)
                while other in self.cloud:
                    other = other.replace(dot + ending, f" {self._conflicts}{dot}{ending}")
                self.cloud[other] = seen[other] = mine[other] = here
                self._put(name, other, here)
                here = before
            if here == before or (
                here is None and there != before
            ):  # nothing happened here; or what was deleted here went on there
                self._put(name, path, there)
            else:
                there = here
            seen[path] = there
            if there is None:
                self.cloud.pop(path, None)
            else:
                self.cloud[path] = there

    def settle(self):
        """Bring everything everywhere."""
        for _ in range(3):
            for name in self.machines:
                self.pass_on(name)
        held = [self.files(name) for name in self.machines]
        assert all(each == held[0] for each in held)

    def _put(self, name, path, data):
        file = self.folder / name / "dedup_state" / path
        if data is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_bytes(data)
        file.chmod(0o600)

    def clone(self, source, name):
        """Another machine begins with the folder of one."""
        shutil.copytree(self.folder / source, self.folder / name)
        self._seen[name] = dict(self._seen[source])
