"""A machine before an exchange that has something to do, made once, copied as often as a test wants; and what comes of it."""

from __future__ import annotations

import shutil

from deduplication.purge.run import _purge_folder
from deduplication.purge.scope import scope_of
from machines import Machines, log_of
from purge_scenes import Talk
from truth_lines import Transcript, transcript_differences
from truth_session import Session

LEFT = ("exchange.stage", "purge.stage", "purge.pending")
"""What only somebody who was stopped leaves."""


class Scene:
    """A server's database and folders of machines as ``prepare`` leaves them, below ``folder``."""

    def __init__(self, server, folder, kind):
        self.server, self.folder = server, folder
        self.copies = folder
        """Where copies are made."""
        self.mine, self.theirs = Transcript("mine", Session("mine")), Transcript("theirs", Session("theirs"))
        self.talk, self.gone = Talk("alder", 20), Talk("birch", 10)
        self.template = server.new_database()
        self._copies = 0
        start = Machines(folder / "start", server.dsn(self.template))
        start.folder.mkdir()
        start.say("a", self.gone, 10 if kind == "purge" else 0)
        start.capture("a", self.mine, 20)
        if kind != "first":
            start.exchange("a")
            start.exchange("b")
        if kind in ("again", "receive", "purge"):
            self._of_the_other(start)
        if kind == "purge":
            _purge_folder(start.store("a"), None, scope_of([self.gone.session], None, []), forget=False, dry_run=False)
        if kind != "receive":
            self._of_this(start)

    def _of_the_other(self, machines):
        for end in (30, 60, len(self.theirs.lines)):
            machines.capture("b", self.theirs, end)
        machines["b"].ingest(self.talk.text(), name="2026-03-01-EXPORT-ALDER.txt")
        machines.exchange("b")

    def _of_this(self, machines):
        for end in (30, 50, 70, len(self.mine.lines)):
            machines.capture("a", self.mine, end)
        machines.say("a", self.talk)

    def copy(self):
        """Machines as they were prepared, with a database of their own."""
        self._copies += 1
        folder = self.copies / str(self._copies)
        shutil.copytree(self.folder / "start", folder)
        machines = Machines(folder, self.server.dsn(self.server.new_database(self.template)))
        # Else numbers that a killed server gave are given again: the copy does not log those that its template logged ahead.
        self.server.execute("CHECKPOINT")
        machines.names = ["a"]
        return machines

    def judge(self, machines, kind):
        """An exchange completes what another one left: both sides have the same, all of it, once, and are sound."""
        machines.exchange("a")
        assert machines.exchange("a") == (0, 0, 0)
        stores = [machines.store("a"), machines.database().store]
        assert log_of(stores[0]) == log_of(stores[1])
        problems = [problem for store in stores for problem in store.verify()]
        assert problems == [], problems
        expected = {"mine": self.mine} if kind != "receive" else {}
        expected.update({"theirs": self.theirs} if kind in ("again", "receive", "purge") else {})
        for transcript in expected.values():
            differences = transcript_differences(transcript, machines.told(transcript.session))
            assert differences == [], differences
        if kind == "purge":
            assert machines.told(self.gone.session) == []
        state = machines.folder / "a" / "dedup_state"
        assert [name for name in LEFT if (state / name).exists()] == []
        self.remove(machines)

    def remove(self, machines):
        """Delete a copy."""
        shutil.rmtree(machines.folder)
        self.server.drop_database(machines.url.split("dbname=")[1].split()[0])
