"""Machines with an archive each on one database: what goes in on one of them is restored on another."""

from __future__ import annotations

import contextlib
import hashlib
import os

import psycopg

from deduplication.archive import drop_folder, inventory, pack_files
from deduplication.archive import restore as restoring
from deduplication.archive.listed import Listed
from deduplication.files.safe_read import open_regular, read
from deduplication.packs.pack_and_verify import Source, pack_and_verify
from deduplication.project.paths import Project
from deduplication.shared_archive import elsewhere
from deduplication.shared_archive.exchange import exchange
from deduplication.storage.database.place import Place


class Archives:
    """The archive of each machine below ``folder``, with the database at ``url``."""

    def __init__(self, folder, url):
        self.folder, self.place = folder, Place(url)

    def execute(self, sql, *parameters):
        """The rows of an answer, asked by whoever owns the tables."""
        with psycopg.connect(self.place.told, autocommit=True) as connection:
            found = connection.execute(sql, parameters or None)
            return found.fetchall() if found.description else []

    def project(self, name):
        """The project on a machine."""
        root = self.folder / name
        (root / "MEMORY-CONTEXT").mkdir(parents=True, exist_ok=True)
        return Project(root.resolve())

    def add(self, name, files, *, pack=True):
        """Archive files as a run does; packed, or as plain files."""
        project = self.project(name)
        with drop_folder.opened(project) as archive:
            for file, data in files.items():
                path = project.root / file
                path.write_bytes(data)
                descriptor, identity = open_regular(path)
                os.close(descriptor)
                archive.add(path, identity, hashlib.sha256(data).hexdigest())
        if pack:
            pack_files.pack(project, 0, thorough=False)

    def add_transcripts(self, name, files):
        """Pack files of the client's own, under their names."""
        project = self.project(name)
        sources = []
        for number, (file, data) in enumerate(files.items()):
            path = project.root / f"transcript-{number}"
            path.write_bytes(data)
            sources.append(Source(path, file, lambda _sha256: "session"))
        with drop_folder.opened(project):
            failures = []
            done = pack_and_verify(sources, str(project.archive / "packs"), read, failures, thorough=False)
            assert failures == []
            inventory.add(project, [Listed.of(each.record) for each in done])

    def send(self, name, **how):
        """One exchange of a machine's archive."""
        return exchange(self.project(name), self.place, **how)

    @contextlib.contextmanager
    def shelf(self, name, *, place=None, here=True):
        """The archived files as a restore on a machine finds them."""
        project = self.project(name)
        with elsewhere.opened(project, place or self.place) as ask, restoring.opened(project, ask, here=here) as found:
            yield found

    def pack_all(self, name):
        """What the command "pack" does."""
        pack_files.pack(self.project(name), 0)

    def restored(self, name, *, place=None, here=True):
        """All files that a restore on a machine gives, by their names, and what it says cannot be."""
        with self.shelf(name, place=place, here=here) as shelf:
            found = {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()}
            return found, [str(error) for error in shelf.lost] + [each.name for each in shelf.missing()]


def objects(archives):
    """The names of the objects that lie in the database."""
    return [
        name for (name,) in archives.execute("SELECT DISTINCT name FROM archive_objects WHERE name LIKE 'object/%'")
    ]


def object_of(path):
    """The name of the object that has the bytes of a file."""
    return f"object/{hashlib.sha256(path.read_bytes()).hexdigest()}"
