"""Secrets are looked for while no lock of the store is held, and nothing is written before they were."""

from __future__ import annotations

import os

import pytest

import exports
from deduplication.errors import SessionNotWritten
from deduplication.files import locking
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import LOCK, Project
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.sessions import full_document, redaction
from deduplication.sessions.deferred_redaction import WAITING, DeferredRedaction, NotYetClean
from deduplication.sessions.folder import LOCK as SESSIONS_LOCK
from deduplication.sessions.folder import write_sessions
from deduplication.sessions.redaction import Cleaner, standard


@pytest.fixture
def project(tmp_path):
    """A project whose store has one conversation."""
    found = Project(tmp_path / "tides")
    found.root.mkdir()
    ClaudeConversationDeduplicator(found.state).process_export("tides", exports.Story(5, 6).exports()[0].data)
    return found


@pytest.fixture
def store(project):
    """Its store."""
    return ClaudeConversationDeduplicator(project.state).store


def is_free(path):
    """Whether nobody holds a lock; where there is none nobody does."""
    if not os.path.exists(path):
        return True
    descriptor = locking._try(os.fspath(path))
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


@pytest.fixture
def watched(project, monkeypatch):
    """Every text that is redacted, and those that are while a lock is held, with the locks."""
    texts, held = [], {}
    locks = (project.state / LOCK, project.archive / ".lock", project.state / SESSIONS_LOCK)

    def redact(text):
        texts.append(text)
        taken = {path.name for path in locks if not is_free(path)}
        if taken:
            held[text] = taken
        return text.upper(), ()

    monkeypatch.setattr(redaction, "standard", lambda _root: (redact, "rules"))
    for module in ("folder", "renewing"):
        monkeypatch.setattr(f"deduplication.sessions.{module}.standard", lambda _root: (redact, "rules"))
    return texts, held


@pytest.mark.parametrize("each_checkpoint", [False, True])
def test_no_lock_is_held_while_a_session_is_redacted(project, store, watched, each_checkpoint):
    """Neither the store's nor the archive's nor that of the session files; and every text is redacted once."""
    texts, held = watched
    done = write_sessions(project, store, ["tides"], each_checkpoint=each_checkpoint)["tides"]
    assert held == {}
    assert len(texts) == len(set(texts)) > 5
    text = "".join((project.sessions / name).read_text(encoding="utf-8") for name in os.listdir(project.sessions))
    assert WAITING not in text
    assert done.messages == done.new > 0


@pytest.mark.parametrize("form", full_document.ENDINGS)
def test_no_lock_is_held_while_a_document_is_redacted(project, store, watched, form):
    """In each form; what comes out is what the redaction made of it."""
    texts, held = watched
    text = full_document.text_of(store, "tides", form, redaction.standard(project.root)[0])
    assert held == {}
    assert len(texts) == len(set(texts)) > 5
    assert WAITING not in text
    with store.transaction(write=False):
        assert text == "".join(full_document.pieces(store, "tides", form, lambda each: (each.upper(), ())))


def test_a_purge_looks_for_secrets_before_it_takes_its_locks(project, store, watched):
    """What stays of a session was clean before; only headings are left for afterwards."""
    texts, held = watched
    write_sessions(project, store, ["tides"])
    assert held == {}
    texts.clear()
    with store.transaction(write=False):
        gone = store.body_hash("tides", 2)
    done = purge(store, project, Scope(hashes=(gone,)))
    assert done.sessions
    bodies = [each["content"] for each in ClaudeConversationDeduplicator(project.state).get_full_conversation("tides")]
    assert set(bodies) <= set(texts)
    assert not held.keys() & set(bodies)


def test_a_text_waits_until_it_is_clean():
    """A placeholder stands for it, and whoever is about to write is told."""
    held = DeferredRedaction(lambda text: (text.upper(), ["found"]))
    clean = Cleaner(held)
    assert clean.text("tide") == WAITING
    with pytest.raises(NotYetClean):
        clean.require()
    held.clean()
    clean.require()
    assert (clean.text("tide"), clean.redacted) == ("TIDE", 1)
    held.at_once = True
    assert clean.text("ebb") == "EBB"
    clean.require()


def test_what_never_settles_is_an_error():
    """A conversation that another text is in each time."""
    held = DeferredRedaction(lambda text: (text, ()))
    texts = iter(range(1_000))

    def attempt():
        held(str(next(texts)))
        held.require()

    with pytest.raises(SessionNotWritten):
        held.until_clean(attempt)


def test_a_redaction_that_fails_writes_nothing(project, store):
    """Not a file, and not a part of one."""

    def fails(_text):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write_sessions(project, store, ["tides"], redact=fails)
    assert os.listdir(project.sessions) == []
    assert standard(project.root)[1]
