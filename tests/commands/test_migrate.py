"""migrate: what it says, what it refuses, and that it goes on where it was."""

from __future__ import annotations

import json

import pytest

from deduplication.commands import deduplicate_export
from deduplication.commands.shell.table import module_of
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.migration import places
from deduplication.project.paths import Project
from full_store import FullStore, numbered
from in_process import call
from migration_scenes import DATABASES, lines_of, stores
from original_project import Conversations, turns

__all__ = ["stores"]
DATABASE = next(iter(DATABASES))
SECRET = "s3cret-and-long"


@pytest.fixture
def origin(tmp_path):
    """A store in a folder with some conversations and images."""
    found = FullStore(tmp_path / "origin", tmp_path / "client")
    found.pictures()
    found.dedup.ingest(numbered("a", range(4)), name="a.json", conversation_id="a")
    return found


def migrate(*arguments, **more):
    """Run the command."""
    return call("migrate", *arguments, **more)


def test_it_says_what_it_did_and_how_the_target_is_used(origin, tmp_path):
    """From where to where, how much, what was proven, the head of the log."""
    done = migrate("--from", f"default:{origin.folder}", "--to", f"json:{tmp_path / 'copy'}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2].startswith("✓ Migrated: 4 runs, ")
    assert "11 messages with content hashes recomputed, 3 conversations in reading order, 4 audit lines" in done.stdout
    assert f"pass --storage-dir {tmp_path / 'copy'}" in done.stdout
    head = json.loads(call("verify", "--storage-dir", tmp_path / "copy", "--json").stdout)["head"]["digest"]
    assert f"(head {head})" in done.stdout
    assert (tmp_path / "copy" / "content_hashes.json").exists()


def test_json_has_the_same_as_data(origin, tmp_path):
    """One object, marked as ours."""
    done = migrate("--from", f"json:{origin.folder}", "--to", f"default:{tmp_path / 'copy'}", "--json")
    found = json.loads(done.stdout)
    assert (found["runs"], found["messages"], found["conversations"], found["log_bytes_before"]) == (4, 11, 3, 0)
    assert found["log_bytes"] == sum(map(len, lines_of(origin.dedup.store)))
    assert not (origin.folder / "content_hashes.json").exists()


def test_it_says_that_it_goes_on(origin, tmp_path):
    """And, a third time, that everything was there."""
    target = ClaudeConversationDeduplicator(tmp_path / "copy")
    lines = lines_of(origin.dedup.store)
    with target.store.transaction():
        next(target.store.load(lines, origin.dedup.store.blobs.read))
    arguments = ("--from", f"default:{origin.folder}", "--to", f"default:{tmp_path / 'copy'}")
    assert "An earlier migration was stopped" in migrate(*arguments).stdout
    assert "Everything was there already" in migrate(*arguments).stdout
    target = ClaudeConversationDeduplicator(tmp_path / "copy")
    target.ingest(numbered("b", range(4)), name="b.json", conversation_id="b")
    assert "the target went on since" in migrate(*arguments).stdout


def test_the_project_is_meant_where_no_place_is_named(origin, stores, tmp_path):
    """Its folder, and the database that the environment names; no password is ever shown."""
    project = Project((tmp_path / "project").resolve())
    project.memory.mkdir(parents=True)
    server, database = stores.server(DATABASE)
    url = f"postgresql://postgres:{SECRET}@127.0.0.1:{server.port}/{database}"
    where = ("--project", project.root)
    assert migrate("--from", f"default:{origin.folder}", "--to", "default", *where).returncode == 0
    environment = {"EXPORT_DEDUP_DATABASE_URL": url}
    done = migrate("--from", "default", "--to", "postgresql", *where, environment=environment)
    assert done.returncode == 0
    assert f"127.0.0.1:{server.port}/{database}" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    done = migrate("--from", url, "--to", f"json:{tmp_path / 'back'}", *where)
    assert (done.returncode, SECRET in done.stdout + done.stderr) == (0, False)
    back = ClaudeConversationDeduplicator(tmp_path / "back")
    assert lines_of(back.store) == lines_of(origin.dedup.store)
    done = migrate("--from", "default", "--to", f"postgresql://nobody:{SECRET}@127.0.0.1:1/x", *where)
    assert (done.returncode, SECRET in done.stdout + done.stderr) == (1, False)


def test_a_hybrid_store_is_a_target_and_a_source(origin, stores, tmp_path):
    """In its folder; the database gets all of it by the next sync."""
    hybrid, url = tmp_path / "hybrid", stores.url(DATABASE)
    environment = {"EXPORT_DEDUP_DATABASE_URL": url}
    done = migrate("--from", f"default:{origin.folder}", "--to", f"hybrid:{hybrid}", environment=environment)
    assert (done.returncode, "'deduplicate_export.py sync' sends it" in done.stdout) == (0, True)
    assert call("sync", "--backend", "hybrid", "--storage-dir", hybrid, environment=environment).returncode == 0
    assert lines_of(stores.opened(DATABASE).store) == lines_of(origin.dedup.store)
    assert migrate("--from", f"hybrid:{hybrid}", "--to", f"json:{tmp_path / 'copy'}").returncode == 0
    assert lines_of(ClaudeConversationDeduplicator(tmp_path / "copy").store) == lines_of(origin.dedup.store)


def test_a_database_without_a_store_is_no_source(stores, tmp_path):
    """It is named, without its password, and nothing is made."""
    stores.url(DATABASE)
    done = migrate("--from", f"postgresql:{stores.url(DATABASE)}", "--to", f"json:{tmp_path / 'copy'}")
    assert (done.returncode, (tmp_path / "copy").exists()) == (1, False)
    assert "127.0.0.1" in done.stderr


def test_another_target_is_refused_or_united(origin, tmp_path):
    """By name, with what to do; then both are there."""
    other = ClaudeConversationDeduplicator(tmp_path / "other")
    other.ingest(numbered("mine", range(4)), name="mine.json", conversation_id="mine")
    arguments = ("--from", f"default:{origin.folder}", "--to", f"default:{tmp_path / 'other'}")
    refused = migrate(*arguments)
    assert refused.returncode == 1
    assert "The target holds something that does not come from this source" in refused.stderr
    assert "--unite" in refused.stderr
    done = migrate(*arguments, "--unite")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Processed once more: 4 runs; 0 there already" in done.stdout
    assert len(ClaudeConversationDeduplicator(tmp_path / "other").conversations()) == 4
    found = json.loads(migrate(*arguments, "--unite", "--json").stdout)
    assert (found["runs"], found["runs_known"]) == (0, 4)


def test_a_folder_of_the_original_project_is_a_source(tmp_path):
    """With everything that its logs have; what its indexes say was there besides is said to be lost."""
    log = Conversations(tmp_path / "theirs")
    log.process("rollout-master", turns(0, 10))
    log.watermarks["rollout-master"] = 20
    log.process("rollout-master", [])
    done = migrate("--from", f"original:{tmp_path / 'theirs'}", "--to", f"json:{tmp_path / 'copy'}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Taken: 10 messages of 10 lines in 1 conversation, 10 new" in done.stdout
    assert "the watermark of 'rollout-master' is 20, and the last message in the log is number 9" in done.stdout
    again = migrate("--from", f"original:{tmp_path / 'theirs'}", "--to", f"json:{tmp_path / 'copy'}", "--json")
    assert json.loads(again.stdout)["new_messages"] == 0


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("mysql", "json:x", "no kind of store called 'mysql'"),
        ("default:missing", "json:x", "missing"),
        ("original", "json:x", "the folder of the original project is missing"),
        ("default:origin", "original:x", "nothing can be migrated to it"),
        ("default:origin", "json:origin", "Source and target are the same store"),
        ("default:origin", "json:home", "holds something else"),
        ("original:origin", "json:x", "a log of export-dedup itself"),
        ("default:origin", "postgresql:mysql://x", "MySQL"),
    ],
)
def test_what_cannot_be_meant_is_refused(origin, tmp_path, source, target, said):
    """Nothing is changed."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    done = migrate("--from", source, "--to", target, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert said.casefold() in done.stderr.casefold()
    assert not (tmp_path / "x").exists()
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["letter.txt"]


def test_places_are_told_by_their_kind():
    """A folder of Windows, a URL, a kind alone, what version 0.1 called the default one."""
    assert places.place_of("json:C:\\stores\\mine") == ("json", "C:\\stores\\mine")
    assert places.place_of("postgresql://a@b/c") == ("postgresql", "postgresql://a@b/c")
    assert places.place_of("postgresql:postgres://a@b/c") == ("postgresql", "postgres://a@b/c")
    assert places.place_of("hybrid") == ("hybrid", "")
    assert places.place_of("sqlite:x") == ("default", "x")


def test_it_is_a_subcommand():
    """Found by its word, in a room of its own."""
    assert "migrate" in deduplicate_export.SUBCOMMANDS
    assert module_of("migrate").parser().prog == "deduplicate_export.py migrate"
