"""Every ``--json`` has a schema, and every object is as its schema says: a new member is a change of the contract, and noticed."""

from __future__ import annotations

import json

import pytest

import demo_project
import schemas
from conftest import REPOSITORY
from deduplication.commands import create_checkpoint, deduplicate, export_dedup, stats
from deduplication.commands.setup import install, uninstall
from deduplication.commands.shell import table
from demo_project import SAMPLES
from in_process import call

jsonschema = pytest.importorskip("jsonschema")

FILES = sorted(schemas.FOLDER.glob("*.json"))
WITH_JSON = [name for name in table.SUBCOMMANDS if "--json" in table.module_of(name).parser()._option_string_actions]


def objects(schema):
    """Every part of a schema that describes an object with members."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for each in schema.values():
            yield from objects(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from objects(each)


def test_each_subcommand_with_json_has_a_schema():
    """And there is none for anything else."""
    assert {path.name for path in FILES} == {f"{name}.schema.json" for name in WITH_JSON}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_a_schema_is_one_and_closed(path):
    """It is valid, has a title that names its command, and lets no object have a member that it does not name."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    name = path.name.partition(".")[0]
    assert schema["$id"] == f"export-dedup/{name}/1"
    assert f"`export-dedup {name}" in schema["title"]
    found = list(objects(schema))
    assert found
    assert [each for each in found if each.get("additionalProperties") is not False] == []
    assert [each for each in found if not set(each["required"]) <= set(each["properties"])] == []


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The current folder: a project whose first two samples were processed, with the third waiting; and a transcript."""
    folder = demo_project.make(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


CALLS = {
    "run": (["--no-checkpoint"], export_dedup.main),
    "run, nothing there": (["--no-checkpoint", "gone.txt"], export_dedup.main),
    "import": ([SAMPLES[2].name, "--stats"], deduplicate.main),
    "import, not an export": (["MEMORY-CONTEXT/dedup_state/index.bin"], deduplicate.main),
    "batch": ([".", "--output-dir", "new"], deduplicate.batch),
    "checkpoint": (["x"], create_checkpoint.main),
    "capture": (["capture"], None),
    "search": (["search", "tide", "--context", "1"], None),
    "session": (["session"], None),
    "session, written": (["session", "--all"], None),
    "session, pages": (["session", "--all", "--format", "html"], None),
    "install": (["--project", "."], install.main),
    "install, dry run": (["--project", ".", "--dry-run"], install.main),
    "uninstall, nothing there": (["--project", "."], uninstall.main),
    "explain": (["explain", SAMPLES[2].name], None),
    "stats": (["stats"], None),
    "stats of one": (["stats", "--session", "tide"], None),
    "stats of the design": (["--session-id", "tide"], stats.of_session),
    "status": (["status"], None),
    "gaps": (["gaps"], None),
    "doctor": (["doctor"], None),
    "alerts": (["alerts"], None),
    "alerts, tested": (["alerts", "test"], None),
    "alerts, acknowledged": (["alerts", "ack"], None),
    "alerts, sent": (["alerts", "send"], None),
    "verify": (["verify"], None),
    "repair": (["repair"], None),
    "rebuild": (["rebuild"], None),
    "rebuild from exports": (["rebuild", "--from-exports", "--into", "made"], None),
    "pack": (["pack"], None),
    "restore": (["restore", "--all", "out"], None),
    "restore, list": (["restore", "--list"], None),
    "backup": (["backup", "../backup"], None),
    "unite": (["unite"], None),
    "upgrade": (["upgrade"], None),
    "scan": (["scan"], None),
    "purge": (["purge", "--session", "tide-clock", "--yes"], None),
    "purge, dry run": (["purge", "--session", "tide-clock", "--dry-run"], None),
    "trust": (["trust"], None),
    "migrate": (["migrate", "--from", "default", "--to", "json:made"], None),
}


@pytest.mark.parametrize(("words", "main"), CALLS.values(), ids=CALLS)
def test_what_is_printed_is_as_the_schema_says(project, words, main):
    """One object, and nothing else, and no member that the schema does not know."""
    options = {} if main is None else {"main": main}
    ended = call(*words, "--json", **options)
    answer = json.loads(ended.stdout)
    name = words[0] if main is None else schemas.subcommand_of(main, words) or "import"
    schemas.check(name, answer)
    with pytest.raises(AssertionError):
        schemas.check(name, {**answer, "new_member": 1})


def test_the_list_of_conversations_has_one_too(project):
    """``show --json`` without a session is a list; with one it is the document of docs/session.schema.json."""
    schemas.check("show", json.loads(call("show", "--json").stdout))
    schema = json.loads((REPOSITORY / "docs" / "session.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(call("show", "tide", "--json").stdout))


def test_what_was_installed_is_taken_out_by_the_same_words(project):
    """Each file stands in both objects; the lines in .gitignore stay while there is a store."""
    came = json.loads(call("--project", ".", "--json", main=install.main).stdout)
    went = json.loads(call("--project", ".", "--json", main=uninstall.main).stdout)
    schemas.check("uninstall", went)
    put, taken = ({each["path"] for each in said["files"] if each["changed"]} for said in (came, went))
    assert put - taken == {".gitignore"}  # the store is there, and git is to ignore it
    assert taken < put
    assert came["version"] == went["version"]


def test_each_backup_says_what_it_did(project):
    """All five objects of ``backup`` are in its schema."""
    for words in (["--full"], ["--list"], ["--verify"], ["--restore", "--output", "../again"], ["--forget"]):
        ended = call("backup", "../backup", *words, "--json")
        assert ended.returncode == 0, ended.stderr
        schemas.check("backup", json.loads(ended.stdout))


def test_the_reference_names_the_schemas():
    """Whoever reads what ``--json`` prints finds what a program can hold it against."""
    assert "(schemas)" in (REPOSITORY / "docs" / "cli-reference.md").read_text(encoding="utf-8")
