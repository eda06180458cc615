"""One store of every backend, and the same done to all of them: whatever it is and in whatever order, they say the same."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from deduplication.alignment.fingerprint import fingerprint
from deduplication.ingest.transcript_capture import capture_file
from deduplication.model import ASSISTANT, PROMPT, TEXT, USER, Message
from deduplication.storage.contract import Cursor, ExportRecord, NewOccurrence
from deduplication.storage.log.append_log import Log
from exports import _BANNER
from faults.children import run as run_in_child
from purge_scenes import Talk
from store_answers import answers, asked_besides, audit_of, log_of, moment
from store_backends import EVERY, LOGGED, MEMORY, Stores
from thorough import THOROUGH

psycopg = pytest.importorskip("psycopg")

TURNS = 12
TALKS = [Talk("one", TURNS, images=False), Talk("two", TURNS, images=False)]
PICTURES = [bytes([number]) * 400 for number in range(3)]
WORDS = " ".join(f"word{number:x}" for number in range(230_000))
"""2 MB, no word twice."""
HOSTILE = (
    "yes",
    "'; DROP TABLE messages; --",
    '"; DELETE FROM runs WHERE "x"="x',
    "%s %(owner)s $1 {0} \\x41 \\",
    "a\0b",
    "lone \ud83d and \udc00",
    "\\x00",
    "{1,2}",
    "NULL",
    " ",
    "x" * 300,
    "ü" * 300,
    "\u202enimda \N{PILE OF POO} \ufeff",
)
"""What may stand in any field."""
SHOWN = f"{_BANNER}❯ {WORDS}\n\n● {HOSTILE[-1]} and more\n".encode()
ANY = st.sampled_from(HOSTILE) | st.text(max_size=12)
SPAN = st.tuples(st.integers(0, TURNS - 2), st.integers(2, TURNS)).map(
    lambda pair: (min(pair), max(*pair, min(pair) + 1))
)


class EveryBackend(RuleBasedStateMachine):
    """What is done to one of them is done to all."""

    request = None

    def __init__(self):
        super().__init__()
        self._stack = contextlib.ExitStack()
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(dir=self.request.getfixturevalue("tmp_path")))
        )
        self._stores = self._stack.enter_context(self.shared(self._folder))
        self.minute = 0
        self.exported = []
        self.has_images = False

    @initialize()
    def open(self):
        """Each as a process of its own would."""
        self._stores.close()
        self.dedups = {name: self._stores.opened(name) for name in EVERY}

    def teardown(self):
        """End all connections."""
        self._stack.close()

    def all_of(self, action, *, told=lambda done: done):
        """Do it to each in the same minute; they say the same of it."""
        self.minute += 1
        said = {}
        for name, dedup in self.dedups.items():
            with moment(self.minute):
                said[name] = told(action(dedup))
        assert all(each == said[MEMORY] for each in said.values()), said
        return said[MEMORY]

    @staticmethod
    def _counts(done):
        return done and (done.conversation_id, done.total, done.new, done.captured, done.duplicates)

    def ingest(self, data, name, conversation=None):
        """A dry run first, which changes nothing; then the export."""
        self.exported.append((data, name, conversation))
        before = [log_of(self.dedups[name].store) for name in LOGGED]
        dry = self.all_of(
            lambda dedup: dedup.ingest(data, name=name, conversation_id=conversation, dry_run=True), told=self._counts
        )
        assert [log_of(self.dedups[name].store) for name in LOGGED] == before
        done = self.all_of(lambda dedup: dedup.ingest(data, name=name, conversation_id=conversation), told=self._counts)
        assert dry[1:] == done[1:]

    # -- what happens ------------------------------------------------------------------------------------------------

    @rule(whose=st.integers(0, 1), span=SPAN, compacted=st.booleans(), width=st.sampled_from([60, 80]))
    def export(self, whose, span, compacted, width):
        """A window of a conversation, at some width, perhaps behind a compaction."""
        self.ingest(TALKS[whose].text(*span, compacted=compacted, width=width), f"{whose}.txt")

    @rule(data=st.data())
    def export_again(self, data):
        """The very bytes once more, or with another end of the file."""
        if self.exported:
            content, name, conversation = data.draw(st.sampled_from(self.exported))
            self.ingest(content + data.draw(st.sampled_from([b"", b"\n"])), name, conversation)

    @rule(whose=st.integers(0, 1), end=st.integers(1, TURNS), cut=st.integers(0, 40))
    def capture(self, whose, end, cut):
        """A transcript has grown, perhaps to the middle of a line."""
        path = self._folder / f"{TALKS[whose].session}.jsonl"
        old = path.read_bytes() if path.exists() else b""
        data = TALKS[whose].lines(0, end)
        data = max(old, data[: len(data) - cut], key=len)
        if data:
            path.write_bytes(data)
            os.utime(path, (1_800_000_000, 1_800_000_000))
            self.all_of(
                lambda dedup: capture_file(dedup, path),
                told=lambda done: done and (done.conversation_id, done.total, done.new),
            )

    @rule(first=SPAN, second=SPAN)
    def unite(self, first, second):
        """A file that shows both conversations, or two halves of one, one after the other."""
        self.ingest(TALKS[0].text(*first) + TALKS[1].text(*second), "both.txt")

    @rule(which=st.lists(st.integers(0, 2), min_size=1, max_size=2), name=st.sampled_from(["p", "q"]))
    def images(self, which, name):
        """Messages with images, some of them seen before."""
        self.has_images = True
        blocks = [
            {
                "type": "image",
                "source": {
                    "type": "base64",
                    "media_type": "image/png",
                    "data": base64.b64encode(PICTURES[each]).decode(),
                },
            }
            for each in which
        ]
        said = {
            "messages": [{"role": "user", "content": [*blocks, {"type": "text", "text": f"Look at {name} {which}."}]}]
        }
        self.all_of(lambda dedup: len(dedup.process_export(name, said)))

    @rule(
        said=st.lists(st.tuples(st.sampled_from(["user", "assistant"]), ANY), min_size=1, max_size=4),
        name=st.sampled_from(["h", "i"]),
    )
    def anything_said(self, said, name):
        """Whatever JSON can say."""
        messages = [{"role": role, "content": content} for role, content in said if content.strip()]
        if messages:
            self.all_of(lambda dedup: len(dedup.process_export(name, {"messages": messages})))

    @rule(data=st.data(), name=ANY, export=ANY, session=ANY, source=ANY, captured=st.booleans())
    def anything_named(self, data, name, export, session, source, captured):
        """A run with anything in each field that is a text."""
        memory = self.dedups[MEMORY].store
        name = memory.canonical(name)
        first = memory.tip(name)
        rows = []
        for number in range(first, first + data.draw(st.integers(1, 3))):
            text, uuid, index = data.draw(st.tuples(ANY, st.none() | ANY, st.none() | st.integers(-(2**70), 2**70)))
            role, kind = data.draw(st.sampled_from([(USER, PROMPT), (ASSISTANT, TEXT)]))
            message = Message(role, kind, text, source_index=index, uuid=uuid or None)
            rows.append((number, NewOccurrence(fingerprint(message), message, "2026-01-01T00:00:00Z", "source")))
        cursor = Cursor(source, session, self.minute, "", "", rows[-1][0]) if captured else None
        self.all_of(
            lambda dedup: stored(dedup, name, rows, named=export, session=session, cursor=cursor, key=self.minute)
        )

    @rule(whose=st.integers(0, 1), span=SPAN)
    def a_process_goes_away(self, whose, span):
        """In the middle of storing: when something was written, and before all of it was."""
        data = TALKS[whose].text(*span)
        for name in LOGGED:
            dedup = self._stores.opened(name)
            before = log_of(dedup.store)
            with moment(self.minute):
                gone = run_in_child(lambda dedup=dedup: killed(dedup, data))
            assert gone.trace == gone.error == ""
            if gone.signal:
                assert log_of(self._stores.opened(name).store) == before
            else:
                assert gone.value == 0  # there was nothing to be stored, but that it was shown

    @rule()
    def rebuild(self):
        """All that follows from the logs is made anew."""
        for name in LOGGED:
            assert self.dedups[name].store.rebuild() == []
        self.open()

    # -- what they say -----------------------------------------------------------------------------------------------

    @invariant()
    def all_say_the_same(self):
        """Each question of the contract; those with a log have the same bytes in it, and the same audit."""
        found = {name: everything(dedup.store, images=self.has_images) for name, dedup in self.dedups.items()}
        for name, each in found.items():
            assert each == found[MEMORY], name
        logs = [(log_of(self.dedups[name].store), audits(self.dedups[name].store)) for name in LOGGED]
        assert all(each == logs[0] for each in logs)

    @invariant()
    def nothing_is_wrong(self):
        """Each finds nothing when it recounts."""
        for name in LOGGED:
            assert self.dedups[name].store.verify() == [], name


def everything(store, *, images):
    """What is asked; images are left out of what a store in memory has seen."""
    found, besides = answers(store, TALKS), asked_besides(store)
    if images:
        unique, announced, _, _ = found["counts"]
        found["counts"] = unique, announced
        for each in found["conversations"].values():
            each["figures"].pop("raw_bytes")
    return found, besides


def audits(store):
    """Nothing, where nothing was stored yet."""
    with store.transaction(write=False):
        if not store.log_backed().log_size():
            return []
    return audit_of(store)


def stored(dedup, name, rows, *, named, session, cursor, key):
    """Commit a run of these rows as an engine would; what it comes to."""
    window = [[rows[0][0], rows[-1][0]]]
    with dedup.store.transaction():
        counted = dedup.store.run_of(name, rows, window, captures=cursor is not None)
        record = ExportRecord(
            name=named,
            sha256=f"{key:064}",
            bytes=10_000_000,
            format="text",
            parser=1,
            total=len(rows),
            new=counted.stored if cursor else counted.new,
            captured=counted.captured,
            window=window,
            session=session,
            cursor=cursor,
        )
        dedup.store.commit(name, rows, record, time.perf_counter())
        return counted


def run_of_anything(dedup, name, text, key):
    """A run with one text in every field that takes one."""
    name = dedup.store.canonical(name)
    first = dedup.store.tip(name)
    messages = [Message(USER, PROMPT, text, uuid=name), Message(ASSISTANT, TEXT, text, source_index=2**70)]
    rows = [
        (first + number, NewOccurrence(fingerprint(message), message, name, "source"))
        for number, message in enumerate(messages)
    ]
    cursor = Cursor(name, name, key, name, name, first + 1) if key % 2 else None
    stored(dedup, name, rows, named=name, session=name, cursor=cursor, key=key)


def killed(dedup, data):
    """Process an export until all of it is about to be stored: a database has it but for the last word, a folder nothing."""

    def die(*_arguments, **_options):
        os.kill(os.getpid(), signal.SIGKILL)

    psycopg.Transaction._commit_gen = die
    Log.append_run = die
    return dedup.ingest(data, name="gone.txt").new


@pytest.mark.unmeasured
def test_what_no_text_can_hold_is_the_same_in_all_of_them(request, tmp_path):
    """Two megabytes of different words, NUL, lone surrogates, SQL and very long names, in every field at once."""
    with Stores(request, tmp_path) as stores:
        found, logs = {}, []
        for name in EVERY:
            dedup = stores.opened(name)
            for number, text in enumerate([WORDS, *HOSTILE]):
                with moment(number):
                    run_of_anything(dedup, HOSTILE[number % len(HOSTILE)], text, number)
            with moment(99):
                done = dedup.ingest(SHOWN, name=f"{'n' * 300}.txt")
            found[name] = done.conversation_id, done.total, done.new, everything(dedup.store, images=False)
            assert dedup.store.verify() == []
            logs += [(log_of(dedup.store), audit_of(dedup.store))] if name in LOGGED else []
        assert all(each == found[MEMORY] for each in found.values())
        assert all(each == logs[0] for each in logs)


@pytest.mark.unmeasured
def test_whatever_is_done_to_all_of_them_they_say_the_same(request, tmp_path):
    """Exports, captures, conversations that are one, images, hostile texts, dry runs, kills, rebuilds, in any order."""
    with Stores(request, tmp_path) as stores:

        class Machine(EveryBackend):
            """Over the databases of this test; each example with owners of its own."""

            @staticmethod
            def shared(folder):
                return stores.others(folder)

        Machine.request = request
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=200 if THOROUGH else 4,
                stateful_step_count=20 if THOROUGH else 8,
                derandomize=not THOROUGH,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
