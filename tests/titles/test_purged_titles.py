"""What was made of purged text goes with it: titles, words, names of files, what documents say."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from conversations import chat, exported, identity
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.files.title_marks import unlinked, without_titles
from deduplication.ingest.transcript_capture import capture_file
from deduplication.sessions.own_files import named_like
from deduplication.titles.naming import naming
from deduplication.titles.slug import short
from purge_scenes import Place, Talk, everything
from session_names import session_path

SECRET = "nightingale"


def bare(place):
    """Every byte and every name in the project's folder, in lower case."""
    return everything(place.project.memory).lower()


def filled(tmp_path, backend="default"):
    """A transcript whose title the client has, with a title and words of its user, session files, a page and a checkpoint."""
    place = Place(tmp_path / "project", backend=backend)
    talk = Talk("alder")
    folder = tmp_path / "client"
    folder.mkdir()
    file = folder / f"{talk.session}.jsonl"
    title = {"type": "ai-title", "aiTitle": f"The {SECRET} plan", "sessionId": talk.session}
    file.write_bytes(talk.lines() + json.dumps(title).encode() + b"\n")
    assert capture_file(place.dedup, file).conversation_id == talk.session
    return place, talk, file


def command(place, *arguments):
    """A command of the tool in the project."""
    assert deduplicate_export.main([*arguments, "--project", str(place.project.root)]) == 0


@pytest.mark.parametrize("whole", [True, False], ids=["all of it", "a message"])
def test_titles_words_and_names_go(tmp_path, whole):
    """The client's title, the user's, words and the names of files: in the store, in its index, beside it."""
    place, talk, file = filled(tmp_path)
    place.sessions()
    command(place, "session", talk.session, "--format", "html")
    command(place, "session", talk.session, "--per-checkpoint")
    command(place, "rename", talk.session[:8], SECRET, "again")
    command(place, "tag", talk.session[:8], SECRET)
    assert SECRET.encode() in bare(place)
    assert any(SECRET in name for name in os.listdir(place.project.sessions))
    store = place.dedup.store
    with store.transaction(write=False):
        first = next(store.bodies(talk.session, [0]))
    done = place.purge(**({"sessions": [talk.session]} if whole else {"hashes": [first["content_hash"]]}))
    assert done.proof.remaining == []
    assert SECRET.encode() not in bare(place)
    assert place.dedup.store.verify() == []
    place.dedup.store.rebuild()
    assert SECRET.encode() not in bare(place)
    assert bool(list(named_like(str(place.project.sessions), talk.session))) is not whole
    if not whole:
        file.write_bytes(file.read_bytes() + file.read_bytes().splitlines(keepends=True)[-1])
        capture_file(place.dedup, file)  # the client's own file still has it
        place.sessions()
        assert SECRET.encode() not in bare(place)


def test_a_title_of_the_first_prompt_goes_with_it(tmp_path):
    """Then it is made of the next one, and no file has the former name."""
    place = Place(tmp_path / "project")
    talk = Talk("alder")
    place.export("2026-03-06-EXPORT-ALDER.txt", talk.text())
    store = place.dedup.store
    with store.transaction(write=False):
        named = naming(store, "alder", lambda text: text)
        first = next(store.bodies("alder", [0]))
    before = session_path(place.project.sessions, "alder").name if os.path.isdir(place.project.sessions) else named.stem
    word = b"alderzq0xv"
    assert word in bare(place)
    place.purge(hashes=[first["content_hash"]])
    assert word not in bare(place)
    store = place.dedup.store
    with store.transaction(write=False):
        after = naming(store, "alder", lambda text: text)
    assert after.title
    assert after.title != named.title
    assert after.stem != before


def test_checkpoints_to_come_and_documents_do_not_have_it(tmp_path):
    """The document in the work tree loses the title, the next commit is called by the new one; git's history is told of."""
    place = Place(tmp_path / "project")
    root = place.project.root
    (root / ".git").rmdir()
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    (root / ".coditect").mkdir()
    (root / ".coditect" / "config.json").write_text(json.dumps({"session_files": "session"}))
    talk = Talk("alder")
    place.export("2026-03-06-EXPORT-ALDER.txt", talk.text(0, 8))
    log = [*git, "log", "-1", "--format=%B", "--name-only"]
    (document,) = place.project.checkpoints.iterdir()
    assert "alderzq0xv" in document.read_text(encoding="utf-8")
    assert (
        b"messages of In step 0 we weigh the alderzq0xv"
        in subprocess.run(log, cwd=root, check=True, capture_output=True).stdout
    )
    store = place.dedup.store
    with store.transaction(write=False):
        first = next(store.bodies("alder", [0]))
    place.purge(hashes=[first["content_hash"]])
    assert b"alderzq0xv" not in bare(place)
    text = document.read_text(encoding="utf-8")
    assert f"[`{short('alder')}`](../sessions/{short('alder')}.md)" in text
    place.export("2026-03-07-EXPORT-ALDER.txt", talk.text(2, 16))
    told = subprocess.run(log[:-1], cwd=root, check=True, capture_output=True).stdout
    assert b"alderzq0xv" not in told
    listed = ["git", "ls-tree", "-r", "--name-only", "HEAD", "MEMORY-CONTEXT/sessions"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.split()
    assert [os.path.basename(name) for name in names] == [session_path(place.project.sessions, "alder").name]


def test_a_renamed_session_is_renamed_in_git(tmp_path):
    """The commit of the next checkpoint has the file under its new name alone, and git has nothing left to say of the old one."""
    root = tmp_path / "project"
    place = Place(root)
    (root / ".git").rmdir()
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    talk = Talk("alder")
    place.export("2026-03-06-EXPORT-ALDER.txt", talk.text(0, 8))
    old = session_path(place.project.sessions, "alder")
    command(place, "rename", "alder", "The tide clock")
    assert not old.exists()
    assert session_path(place.project.sessions, "alder").name.endswith("-the-tide-clock-" + short("alder") + ".md")
    (place.project.exports / "2026-03-07-EXPORT-ALDER.txt").write_bytes(talk.text(0, 12))
    assert export_dedup.main(["--project", str(root), "--yes"]) == 0
    listed = ["git", "ls-tree", "-r", "--name-only", "HEAD", "MEMORY-CONTEXT/sessions"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.split()
    assert [os.path.basename(name) for name in names] == [session_path(place.project.sessions, "alder").name]
    status = subprocess.run(["git", "status", "--short"], cwd=root, check=True, capture_output=True, text=True).stdout
    assert "sessions" not in status


def test_titles_in_documents_are_found_by_their_digits():
    """In each form; whatever else a document says stays."""
    digits = "9ce93e42"
    bold = unlinked("a \\* title", digits)
    before = (
        f"[a \\] title](../sessions/2026-03-04-a-title-{digits}.part-002.md) and {bold}\n"
        f"[other](../sessions/2026-03-04-other-11111111.md) **bold** (`x`) MEMORY-CONTEXT/sessions/2026-a-title-{digits}.md\n"
    )
    after = (
        f"[`{digits}`](../sessions/{digits}.part-002.md) and `{digits}`\n"
        f"[other](../sessions/2026-03-04-other-11111111.md) **bold** (`x`) MEMORY-CONTEXT/sessions/{digits}.md\n"
    )
    assert without_titles(before.encode(), [digits]).decode() == after


@pytest.mark.parametrize("backend", ["default", "sqlite"])
def test_the_name_of_a_conversation_of_claude_ai_goes_with_it(tmp_path, backend):
    """It is its title, and stands in the names of its runs: nothing of it is left in the store, in its index, beside it."""
    place = Place(tmp_path / "project", backend=backend)
    file = place.project.root / "conversations.json"
    file.write_bytes(exported([chat(f"The {SECRET} plan", 2), chat("Tides", 2)]))
    assert export_dedup.main(["--project", str(place.project.root), "--no-checkpoint", str(file)]) == 0
    place.sessions()
    place.purge(sessions=[identity(f"The {SECRET} plan")])
    assert [name for name in os.listdir(place.project.sessions) if "tides" in name]
    assert SECRET.encode() not in bare(place)
    assert place.dedup.store.verify() == []
