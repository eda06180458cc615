"""scripts/database: the original design's migration with its lines, for our stores and its own; and what verifies a database."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import REPOSITORY
from deduplication.errors import StoreMissing
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from full_store import RESTARTING, FullStore, numbered
from migration_scenes import DATABASES, files_of, lines_of, stores
from original_project import Conversations, Pool, turns

__all__ = ["stores"]
DATABASE = next(iter(DATABASES))
SCRIPTS = REPOSITORY / "scripts" / "database"
SECRET = "s3cret-and-long"


@pytest.fixture
def module():
    """The script, imported as somebody's own program does it."""
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("migrate_json", SCRIPTS / "migrate_json_to_postgresql.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    sys.path[:] = before
    return found


def run(name, *arguments, **environment):
    """A script as a process of its own."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def opened(stores, place="goal"):
    """The store in the database, and its address."""
    return stores.opened(DATABASE, place), stores.url(DATABASE, place)


def url_of(stores, place="goal"):
    """The address as a URL with a password in it, which the server does not ask for."""
    words = dict(word.split("=") for word in stores.url(DATABASE, place).split())
    return f"postgresql://{words['user']}:{SECRET}@{words['host']}:{words['port']}/{words['dbname']}"


def test_the_lines_are_those_of_the_original_design(tmp_path, stores):
    """For a store of plain files with sixteen messages whose numbers restart: one by one."""
    folder = tmp_path / "state"
    dedup = ClaudeConversationDeduplicator(folder, "json")
    dedup.ingest(numbered("restarting", RESTARTING), name="r.json", conversation_id="restarting")
    before = files_of(folder)
    done = run("migrate_json_to_postgresql.py", "--json-dir", folder, "--db-url", url_of(stores))
    assert done.returncode == 0
    assert done.stderr.startswith("⚠ Note: The list of processes shows the password in --db-url while this runs")
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stdout + done.stderr
    first, rest = done.stdout.split("\n", 1)
    assert re.fullmatch(r"💾 A copy of the folder is in .*/state\.before-migration-\d{8}T\d{6}Z\. Keep it .*", first)
    assert rest == (
        "✅ Connected to PostgreSQL database\n"
        "\n📊 Migrating 1 watermarks...\n"
        "  ✅ restarting: watermark=15\n"
        "✅ Migrated 1 watermarks\n"
        "\n📊 Content hashes for 1 conversations\n"
        "  ✅ restarting: 16 unique hashes\n"
        "✅ Content hashes verified (stored in messages table)\n"
        "\n📊 Migrating conversation log...\n"
        "✅ Migrated 16 messages from conversation log\n"
        "\n📊 Updating conversation totals...\n"
        "✅ Updated conversation totals\n"
        "\n🔍 Verifying migration integrity...\n"
        "  ✅ Conversations: 1\n"
        "  ✅ Messages: 16\n"
        "  ✅ Watermarks: 1\n"
        "  ✅ All message counts match\n"
        "\n✅ Migration verification complete!\n"
        f"\n{'=' * 60}\n✅ MIGRATION COMPLETE\n{'=' * 60}\n"
    )
    goal, _ = opened(stores)
    assert lines_of(goal.store) == lines_of(dedup.store)
    assert files_of(folder) == before
    (copy,) = tmp_path.glob("state.before-migration-*")
    assert (copy / "conversation_log.jsonl").read_bytes() == (folder / "conversation_log.jsonl").read_bytes()


def test_a_store_with_everything_in_it(tmp_path, stores, module, capsys):
    """Sealed files, images, purged messages; each hundred messages is said; again there is nothing to do, and no second copy."""
    origin = FullStore(tmp_path / "state", tmp_path / "client").filled()
    origin.dedup.ingest(numbered("many", range(250)), name="many.json", conversation_id="many")
    origin.dedup.store.condense()
    goal, address = opened(stores)
    module.JSONToPostgreSQLMigrator(origin.folder, address).migrate()
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.endswith("messages...")][:2] == [
        "  ✅ Migrated 100 messages...",
        "  ✅ Migrated 200 messages...",
    ]
    assert "⚠️  Content hashes file not found" in said
    assert lines_of(goal.store) == lines_of(origin.dedup.store)
    module.migrate_to_postgresql(origin.folder, address)
    said = capsys.readouterr().out
    assert "An earlier migration was stopped" in said
    assert ", made before." in said
    assert "MIGRATION COMPLETE" in said
    assert len(list(tmp_path.glob("state.before-migration-*"))) == 1


def test_a_folder_of_the_original_project(tmp_path, stores, module, capsys):
    """All sixteen messages; the pool of all checkpoints, too; what cannot be read is said, and the folder is what it was."""
    folder = tmp_path / "dedup_state"
    log = Conversations(folder)
    log.process("rollout-master", turns(0, 10))
    log.forget()
    log.process("rollout-master", turns(0, 6, "after the compaction"))
    Pool(folder).process("day 1", turns(0, 3, "pooled"))
    with open(folder / "conversation_log.jsonl", "a", encoding="utf-8") as file:
        file.write('{"conversation_id": "rollout-master", "mess\n')
    before = files_of(folder)
    goal, address = opened(stores)
    module.JSONToPostgreSQLMigrator(folder, address).migrate()
    said = capsys.readouterr().out
    assert "  ✅ rollout-master: watermark=5\n" in said
    assert "✅ Migrated 19 messages from conversation log" in said
    assert "  ✅ Messages: 19\n" in said
    assert "conversation_log.jsonl, line 17: it is no JSON" in said
    assert len(goal.get_full_conversation("rollout-master")) == 16
    assert files_of(folder) == before
    module.JSONToPostgreSQLMigrator(folder, address).migrate()
    assert "  ✅ Messages: 19\n" in capsys.readouterr().out


def test_a_database_that_holds_something_else_fails_the_migration(tmp_path, stores, module, capsys):
    """By its name, and what is there stays."""
    goal, _ = opened(stores)
    goal.ingest(numbered("own", range(3)), name="own.json", conversation_id="own")
    origin = ClaudeConversationDeduplicator(tmp_path / "state", "json")
    origin.ingest(numbered("a", range(3)), name="a.json", conversation_id="a")
    done = run("migrate_json_to_postgresql.py", "--json-dir", tmp_path / "state", "--db-url", url_of(stores))
    assert done.returncode == 1
    assert "❌ Migration failed: The target holds something that does not come from this source" in done.stdout
    assert "→ Nothing was changed." in done.stderr
    assert "MIGRATION COMPLETE" not in done.stdout
    assert goal.conversations() == ["own"]


def test_what_is_not_there_is_said(tmp_path, stores, module, capsys):
    """A folder that is missing, and one without a log: nothing is complete."""
    _, address = opened(stores)
    with pytest.raises(StoreMissing):
        module.JSONToPostgreSQLMigrator(tmp_path / "nowhere", address).migrate()
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreMissing):
        module.JSONToPostgreSQLMigrator(tmp_path / "empty", address).migrate()
    said = capsys.readouterr().out
    for name in ("Watermarks file", "Content hashes file", "Conversation log"):
        assert f"⚠️  {name} not found: {tmp_path / 'empty'}" in said
    assert said.count("❌ Migration failed") == 2


def test_both_arguments_are_needed(tmp_path):
    """But the address may come from the environment; one that cannot be reached is a named failure."""
    assert "--json-dir" in run("migrate_json_to_postgresql.py", "--db-url", "postgresql://x").stderr
    done = run("migrate_json_to_postgresql.py", "--json-dir", tmp_path)
    assert (done.returncode, "--db-url is missing" in done.stderr) == (2, True)
    ClaudeConversationDeduplicator(tmp_path / "s").ingest(numbered("a", range(3)), name="a.json", conversation_id="a")
    url = f"postgresql://nobody:{SECRET}@127.0.0.1:1/x"
    done = run("migrate_json_to_postgresql.py", "--json-dir", tmp_path / "s", EXPORT_DEDUP_DATABASE_URL=url)
    assert done.returncode == 1
    assert "❌ Migration failed: The database cannot be reached" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_a_database_is_verified_as_verify_does_it(stores):
    """0 where all is well, 1 with what is wrong where something is damaged; as data, too."""
    goal, _ = opened(stores)
    goal.ingest(numbered("a", range(5)), name="a.json", conversation_id="a")
    url = url_of(stores)
    done = run("verify_database_integrity.py", "--db-url", url)
    assert (done.returncode, SECRET in done.stdout) == (0, False)
    assert "5 unique messages" in done.stdout
    done = run("verify_database_integrity.py", "--json", EXPORT_DEDUP_DATABASE_URL=url)
    head = json.loads(done.stdout)["head"]["digest"]
    assert run("verify_database_integrity.py", "--db-url", url, "--since", head).returncode == 0
    with goal.store.transaction():
        goal.store.database.connected().execute("UPDATE watermarks SET highest_index = 9")
    done = run("verify_database_integrity.py", "--db-url", url)
    assert (done.returncode, "watermark" in done.stdout) == (1, True)
