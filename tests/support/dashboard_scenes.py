"""A project with a fortnight in it, and a dashboard of it whose clock stands still."""

from __future__ import annotations

import shutil
import time
from types import SimpleNamespace

import transcript_lines as lines
from deduplication import ClaudeConversationDeduplicator
from deduplication.files import clock
from deduplication.ingest.transcript_capture import capture_file
from full_store import commit, numbered

DAY = 86400
ORIGIN = "http://127.0.0.1:8377"
HOST = "127.0.0.1:8377"


def state_of(root):
    """Where the store of a project lies."""
    return root / "MEMORY-CONTEXT" / "dedup_state"


def fortnight(root, backend="default", address=None, days=14):
    """Exports that grow, turns that are captured, a gap and a backup's note: a run or two a day until today."""
    (root / ".coditect").mkdir(parents=True, exist_ok=True)
    (root / "MEMORY-CONTEXT").mkdir(exist_ok=True)
    state = state_of(root)
    dedup = ClaudeConversationDeduplicator(state, backend, address)
    now = time.time()
    transcript = root.parent / f"{lines.SESSION}.jsonl"
    for day in range(days):
        with clock.stands_at(clock.spelt(now - (days - 1 - day) * DAY)):
            said = numbered("rollout-master", range(4 * day + 4), "rollout")
            dedup.ingest(said, name=f"day-{day}.json", conversation_id="rollout-master")
            with transcript.open("ab") as file:
                file.write(lines.prompt(f"plan the tide clock, day {day}", f"p{day}"))
                file.write(lines.answer(f"The harbour table of day {day} is read.", f"a{day}"))
            capture_file(dedup, transcript)
            if day == 5:  # numbers 2 to 5 are missing
                dedup.ingest(numbered("with-a-gap", [0, 1, 6, 7]), name="gap.json", conversation_id="with-a-gap")
    return dedup


def hostile(dedup, attacks):
    """Every attack as a prompt, an answer, the name of a file and the id of a conversation."""
    for number, attack in enumerate(attacks):
        commit(dedup.store, attack, [f"{attack} {number}", f"and so on, {attack}"], name=attack)


class Dashboard:
    """The application over a store, with Flask's client; time stands until :meth:`later`."""

    def __init__(self, state, backend=None, address=None, place=None):
        from deduplication.dashboard import access, application, drawing, figures, origins, serving, sources, subject
        from deduplication.dashboard.board import Board

        self.now = 1000.0
        self.subject = subject.subject_of(str(state), backend, address)
        self.figures = figures.Figures(self.subject)
        self.place = place or origins.Place("127.0.0.1", 8377)
        root = self.place.prefix
        made = sources.sources(self.figures, at_once=True)
        self.board = Board(made, lambda *given: drawing.panel(*given, root), lambda: self.now)
        self.access = access.Access(now=lambda: self.now)
        metrics = lambda: serving.metrics_of(self.figures)  # noqa: E731 - as the process has it
        self.app = application.application(self.subject, self.board, self.access, self.place, metrics)
        self.client = self.app.test_client()
        self.board.look()

    def later(self, seconds=60.0):
        """So many seconds later everything was looked at again."""
        self.now += seconds
        self.figures._version = (float("-inf"), None)
        self.board.look()

    def get(self, path, **headers):
        """What a browser of this machine gets."""
        return self.client.get(path, base_url=ORIGIN, headers=headers)

    def log_in(self):
        """The cookie is had from now on."""
        assert self.get(f"/?token={self.access.token}").status_code == 303
        return self

    def panel(self, name):
        """One panel as it is now: what it shows, and its HTML."""
        found = next(panel for panel in self.board.look().panels if panel.name == name)
        return SimpleNamespace(data=found.data, html=found.html)


def copied(root, to):
    """The same project once more."""
    shutil.copytree(root, to)
    return to
