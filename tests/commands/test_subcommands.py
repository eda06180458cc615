"""What every subcommand and every entry script holds to, however a stranger calls it; generated from the one table of them.

A new subcommand is tried without a word about it here; only where it insists on more than its parser says it has an entry in
``ENOUGH``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import exports
from deduplication import ClaudeConversationDeduplicator, __version__
from deduplication.commands import create_checkpoint, deduplicate, deduplicate_export, export_dedup, stats, with_status
from deduplication.commands.database import migrate_json, verify_database
from deduplication.commands.deduplicate_export import SUBCOMMANDS
from deduplication.commands.shell.table import module_of as subcommand
from deduplication.storage.database.server import address_reader
from in_process import call

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ENTRIES = (
    "deduplicate_export.py",
    "export-dedup.py",
    "export-dedup-with-status.py",
    "create-checkpoint.py",
    "batch_deduplicate.py",
    "dedup_stats.py",
)
MAINS = {
    "deduplicate_export.py": deduplicate_export.main,
    "export-dedup.py": export_dedup.main,
    "export-dedup-with-status.py": with_status.main,
    "create-checkpoint.py": create_checkpoint.main,
    "batch_deduplicate.py": deduplicate.batch,
    "dedup_stats.py": stats.of_session,
}
ENOUGH = {
    "migrate": ["--from", "default", "--to", "json:made"],
    "restore": ["--list"],
    "search": ["x"],
    "purge": ["--session", "nothing-of-this-name", "--dry-run"],
    "export": ["--jsonl", "--runs"],
    "rename": ["a title"],
    "report": ["--html", "page.html"],
    "top": ["--once"],
}
"""What a subcommand needs to do something and to end, besides the arguments that its parser demands."""
STAYS = {"dashboard"}
"""Those that serve until they are stopped."""
READS = {*SUBCOMMANDS} - {"capture", "doctor", "scan", "trust"}
"""Those that cannot do anything without a store (``scan`` with a file can)."""


def needed(name):
    """Arguments with which a subcommand gets as far as its work."""
    words = [each for each in subcommand(name).parser()._actions if not each.option_strings]
    demanded = [each for each in words if each.nargs not in ("*", "?")]
    return ["x" for _ in demanded] + ENOUGH.get(name, [])


def tree(folder):
    """Every file and folder with its bytes."""
    return {path: path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The current folder is an empty project; beside it a file, and a project with a store."""
    monkeypatch.delenv("CLAUDE_PROJECT_DIR", raising=False)
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    full = tmp_path / "full"
    (full / ".git").mkdir(parents=True)
    ClaudeConversationDeduplicator(full / "MEMORY-CONTEXT" / "dedup_state").process_export(
        "tides", exports.Story(5, 6).exports()[0].data
    )
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path


every = pytest.mark.parametrize("name", SUBCOMMANDS)


@every
def test_help_and_version(name, place):
    """``--help`` and ``--version`` end with 0, say what they are asked for, and make nothing; also before the subcommand."""
    before = tree(place)
    for arguments in ((name, "--help"), ("--help", name)):
        code, out, err = call(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith(f"usage: deduplicate_export.py {name} ")
    for arguments in ((name, "--version"), ("--version", name)):
        assert call(*arguments) == (0, f"export-dedup {__version__}\n", "")
    assert tree(place) == before


@every
def test_the_options_that_all_have(name):
    """``--project`` and ``--storage-dir`` take one value each, everywhere."""
    actions = subcommand(name).parser()._option_string_actions
    assert {actions[option].nargs for option in ("--project", "--storage-dir")} == {None}


BAD = {
    "unknown-option": ["--no-such-option"],
    "no-value": ["--project"],
    "project-missing": ["--project", "gone"],
    "project-empty": ["--project", ""],
    "project-is-a-file": ["--project", "../file"],
    "storage-dir-empty": ["--storage-dir", ""],
    "project-missing-beside-a-store": ["--project", "gone", "--storage-dir", "../full/MEMORY-CONTEXT/dedup_state"],
}


@every
@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
def test_arguments_that_cannot_be_used(name, arguments, place):
    """2, one line that says what is wrong and one what to do, and nothing is made: behind the subcommand and before it."""
    before = tree(place)
    lines = [[name, *needed(name), *arguments], [*arguments, name, *needed(name)]]
    for line in lines if arguments != BAD["no-value"] else lines[:1]:
        code, out, err = call(*line)
        assert (code, out) == (2, ""), line
        assert "ERROR: The command line cannot be used as it stands: " in err
        assert err.count("\n") == 2
    assert tree(place) == before


@pytest.mark.parametrize("name", [name for name in SUBCOMMANDS if name in READS])
@pytest.mark.parametrize("where", ["gone", "../file", "../file/below", "../empty"])
def test_a_store_that_is_none(name, where, place):
    """A folder that does not exist, a file, a folder of something else: 1, named, and nothing is made of it."""
    before = tree(place)
    code, _, err = call(name, *needed(name), "--storage-dir", where)
    assert code == 1
    assert where.rpartition("/")[2] in err
    assert tree(place) == before


@every
def test_a_project_without_a_store(name, place):
    """0 or 1, never a trace, and no store comes of looking."""
    code, out, err = call(name, *needed(name))
    assert code in (0, 1)
    assert out or err
    assert not (place / "empty" / "MEMORY-CONTEXT" / "dedup_state" / "conversation_log.jsonl").exists()


@every
@pytest.mark.parametrize("words", [["x"] * 3, ["-x"], ["--json=1"], ["--limit", "-1"], ["--output", "gone/away/x"]])
def test_what_a_stranger_types(name, words, place):
    """Too many words, options of other commands, values of a wrong kind: a code of the contract and a line, never a trace."""
    code, out, err = call(name, *words, "--project", place / "full")
    assert code in (0, 1, 2)
    assert out or err


@pytest.mark.parametrize("name", [name for name in SUBCOMMANDS if name not in STAYS])
def test_options_may_stand_before_the_subcommand(name, place):
    """Wherever ``--project`` and ``--storage-dir`` stand, the answer is the same."""
    full = place / "full"
    for options in (
        ["--project", full],
        [f"--project={full}"],
        ["--storage-dir", full / "MEMORY-CONTEXT" / "dedup_state"],
    ):
        answers = []
        for line in ([name, *needed(name), *options], [*options, name, *needed(name)]):
            for made in (
                "x",
                "made",
            ):  # the backup that was taken, the store that was moved: a second one finds nothing new
                shutil.rmtree(made, ignore_errors=True)
            answers.append(call(*line))
        behind, before = answers
        assert without_times(before) == without_times(behind)


def without_times(answer):
    """An answer without what the clock and the disk make of it."""
    code, out, err = answer
    return code, *("".join(c for c in text if not c.isdigit()) for text in (out, err))


SECRET = "s3cret-and-long"
EXPOSED = f"postgresql://me:{SECRET}@127.0.0.1:1/none"


def told_of(ended, option="--db-url"):
    """Whether a command said once, on standard error, that others see the password in an option, and never which it is."""
    assert SECRET not in ended.stdout + ended.stderr
    assert "list of processes" not in ended.stdout
    told = [line for line in ended.stderr.splitlines() if "list of processes" in line]
    return told == [f"⚠ Note: {address_reader.EXPOSED.format(option=option)}"]


@pytest.mark.parametrize(
    "name", [each for each in SUBCOMMANDS if "--db-url" in subcommand(each).parser()._option_string_actions]
)
@pytest.mark.parametrize("before", [False, True], ids=["behind", "before"])
def test_a_password_in_the_list_of_processes_is_told(name, before, place):
    """By each subcommand that takes the address of a database, wherever it stands and whatever comes of it."""
    pytest.importorskip("psycopg")
    option = [f"--db-url={EXPOSED}"]
    words = [name, *needed(name)]
    assert told_of(call(*(option + words if before else words + option)))
    quiet = call(*words, "--db-url", "postgresql://me@127.0.0.1:1/none")
    assert "list of processes" not in quiet.stderr


@pytest.mark.usefixtures("nobody_is_waited_for")
@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (deduplicate_export.main, ["nothing.txt", "--dry-run"]),
        (export_dedup.main, ["--no-checkpoint"]),
        (verify_database.main, []),
        (migrate_json.main, ["--json-dir", "gone"]),
    ],
    ids=["deduplicate_export", "export-dedup", "verify_database_integrity", "migrate_json_to_postgresql"],
)
def test_commands_without_a_subcommand_tell_it_too(main, arguments, place):
    """Once, also where one of them calls another one."""
    pytest.importorskip("psycopg")
    assert told_of(call(*arguments, "--db-url", EXPOSED, main=main))


@pytest.mark.usefixtures("nobody_is_waited_for")
@pytest.mark.parametrize(
    "where", [EXPOSED, f"postgresql:{EXPOSED}", f"postgresql:host=127.0.0.1 port=1 password={SECRET}"]
)
def test_the_places_of_a_migration_tell_it_too(where, place):
    """With the name of the option that has the address."""
    pytest.importorskip("psycopg")
    assert told_of(call("migrate", "--from", where, "--to", "json:made"), "--from")
    assert told_of(call("migrate", "--from", "default", "--to", where, "--project", place / "full"), "--to")


def test_options_of_the_subcommand_and_their_values_may_stand_before_it(place):
    """Values are no subcommands, though they are called like one."""
    full = place / "full"
    code, out, _ = call("--project", full, "--limit", "1", "search", "the")
    assert (code, "export-dedup search: " in out) == (0, True)
    code, _, err = call("--project", full, "--session", "show", "search", "the")
    assert (code, "show" in err) == (1, True)
    assert call("--json", "--project", full, "status")[1].startswith('{"generator": "export-dedup"')
    code, _, err = call("--json", "log")
    assert (code, "--json" in err) == (2, True)


def test_a_value_called_like_a_subcommand_is_a_value(place, monkeypatch):
    """``--session-id verify`` and ``--output show`` belong to the export behind them, and a file ``verify`` is a file."""
    monkeypatch.chdir(place / "full")
    export = exports.Story(6, 6).exports()[0]
    Path(export.name).write_bytes(export.data)
    Path("verify").write_bytes(export.data)
    assert call("--session-id", "verify", "--output", "show", export.name)[0] == 0
    assert Path("show").is_file()
    assert "verify" in ClaudeConversationDeduplicator("MEMORY-CONTEXT/dedup_state").conversations()
    assert "session verify" in call("--stats-only", "./verify", "--dry-run")[1] + call("./verify")[1]
    assert "(session " in call("--stats", "verify")[1]


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_slip_of_the_pen_is_told(name, place):
    """Two letters changed about: 2, the subcommand that was meant, all that there are; nothing is made."""
    before = tree(place)
    wrong = name[0] + name[2] + name[1] + name[3:]
    if wrong == name:
        wrong = name + name[-1]
    for line in ([wrong, "words"], ["--project", place / "full", wrong]):
        code, out, err = call(*line)
        assert (code, out) == (2, "")
        assert f"there is no subcommand '{wrong}' (did you mean {name}?)" in err
        assert all(each in err for each in SUBCOMMANDS)
    assert tree(place) == before


@pytest.mark.parametrize(
    ("word", "code", "told"),
    [
        ("help", 2, "no subcommand 'help'"),
        ("qqqq", 2, "no subcommand 'qqqq', and no file"),
        ("qqqq.txt", 1, "qqqq.txt"),
        ("./qqqq", 1, "qqqq"),
        ("2026-03-01", 1, "2026-03-01"),
        ("", 2, "empty"),
    ],
)
def test_a_word_that_is_no_subcommand(word, code, told):
    """A word is a subcommand that does not exist; a path and a name with an ending are files that do not exist."""
    found, out, err = call(word)
    assert (found, told in out + err) == (code, True)
    assert ("Subcommands: " in err) == (code == 2 and bool(word))


def test_a_subcommand_given_to_the_other_command(place):
    """``export-dedup.py search`` says which command has it, and makes nothing."""
    before = tree(place)
    for main in (export_dedup.main, with_status.main):
        code, out, err = call("search", "words", main=main)
        assert (code, "deduplicate_export.py search" in out + err or main is with_status.main) == (2, True)
    assert tree(place) == before


@pytest.mark.unmeasured
@pytest.mark.parametrize("script", ENTRIES)
@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["--no-such-option"], ["--project", "gone"]])
def test_an_entry_script_makes_nothing_of_what_it_cannot_use(script, arguments, place):
    """Version, help and usage errors of each script, in a process of its own: the code, a line, no trace, no file."""
    before = tree(place)
    done = subprocess.run(
        [sys.executable, "-B", str(SCRIPTS / script), *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=place / "empty",
    )
    assert done.returncode == (0 if arguments[0] in ("--version", "--help") else 2)
    assert "Traceback" not in done.stdout + done.stderr
    if arguments == ["--version"]:
        assert done.stdout == f"export-dedup {__version__}\n"
    assert done.stdout or done.stderr
    assert tree(place) == before


def test_every_script_is_held():
    """A new script that a user starts is held by this page as well."""
    assert {path.name for path in SCRIPTS.glob("*.py")} == set(ENTRIES) == set(MAINS)


def test_the_batch_of_the_original_design(place, monkeypatch):
    """``batch_deduplicate.py DIR --output-dir D`` stores a folder, and writes a file for each export that brought something."""
    monkeypatch.chdir(place / "full")
    Path("waiting").mkdir()
    for export in exports.Story(8, 9).exports()[:2]:
        (Path("waiting") / export.name).write_bytes(export.data)
    ended = call("waiting", "--output-dir", "new", "--json", main=deduplicate.batch)
    assert (ended.returncode, ended.stderr) == (0, "")
    new = [each["new_messages"] for each in json.loads(ended.stdout)["exports"]]
    assert len(new) == 2
    assert len(list(Path("new").glob("*.md"))) == sum(map(bool, new))
    again = call("waiting", "--output-dir", "new", "--project", ".", main=deduplicate.batch)
    assert "New unique: 0" in again.stdout
    assert call("waiting", main=deduplicate.batch).returncode == 2
    assert call("--output-dir", "new", main=deduplicate.batch).returncode == 2


def at_any_moment(printed):
    """What is printed of a store, without when that was, and without the disk, on which others write."""
    told = json.loads(printed)
    return {**told, "metrics": {**told.get("metrics", {}), "measured": 0, "disk": {}}}


def test_the_statistics_of_the_original_design(place):
    """``dedup_stats.py --session-id ID`` says of a conversation what ``stats --session`` says, of none what ``stats`` says."""
    full = place / "full"
    for words, same in (([], []), (["--session-id", "tid"], ["--session", "tides"])):
        mine = call(*words, "--project", full, "--json", main=stats.of_session)
        assert mine.returncode == 0
        assert at_any_moment(mine.stdout) == at_any_moment(call("stats", *same, "--project", full, "--json").stdout)
    assert call("--session-id", "zzz", "--project", full, main=stats.of_session).returncode == 1


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_help_of_the_command_names_it(name):
    """Whoever asks for help finds every subcommand."""
    assert f" {name}" in call("--help")[1].partition("Subcommands")[2].replace(",", " ")


# --- the archive beside a store ---------------------------------------------------------------------------------------


def test_storage_dir_means_the_archive_beside_the_store(place):
    """``restore`` and ``pack`` find it from the store's folder; a store that lies by itself has none."""
    full = place / "full"
    state = full / "MEMORY-CONTEXT" / "dedup_state"
    export = exports.Story(7, 6).exports()[0]
    (full / export.name).write_bytes(export.data)
    assert call("--yes", "--no-checkpoint", "--project", full, main=export_dedup.main)[0] == 0
    assert export.name in call("restore", "--list", "--storage-dir", state)[1]
    assert call("pack", "--older-than", "0", "--storage-dir", state)[0] == 0
    assert list((full / "MEMORY-CONTEXT" / "exports-archive").glob("*.txt")) == []
    alone = place / "alone"
    ClaudeConversationDeduplicator(alone).process_export(None, export.data)
    for line in (["restore", "--list"], ["pack"]):
        code, _, err = call(*line, "--storage-dir", alone)
        assert (code, "has no archive" in err) == (2, True)


def test_help_is_as_wide_as_the_terminal_for_which_nothing_is_imported_before(monkeypatch, capsys):
    """A command line is read without ``shutil`` and the compressors that it imports; help is as wide as ``COLUMNS`` says."""
    monkeypatch.setitem(sys.modules, "shutil", None)
    parser = subcommand("stats").parser()
    assert parser.parse_args(["--json"]).json
    monkeypatch.undo()
    longest = []
    for columns in ("60", "140"):
        monkeypatch.setenv("COLUMNS", columns)
        with pytest.raises(SystemExit):
            subcommand("stats").parser().parse_args(["--help"])
        usage = capsys.readouterr().out.partition("\n\n")[0]
        longest.append(max(map(len, usage.splitlines())))
    assert longest[0] < 60 < longest[1] < 140


KNOWN = """
import sys
sys.path.insert(0, {scripts!r})
from deduplication.commands import deduplicate_export
assert deduplicate_export.main([{export!r}, "--storage-dir", {state!r}]) == 0
print(*sys.modules)
"""


@pytest.mark.unmeasured
def test_an_export_that_is_known_imports_what_it_needs(tmp_path):
    """Not what reads, aligns, unpacks or archives one, nor what only another spelling of the command needs."""
    export, state = tmp_path / "session.txt", str(tmp_path / "state")
    export.write_bytes(exports.Story(3, 8).exports()[0].data)
    program = KNOWN.format(scripts=str(SCRIPTS), export=str(export), state=state)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True, timeout=60
        )
    modules = {each.partition("deduplication.")[2] for each in done.stdout.split() if each.startswith("deduplication.")}
    rooms = {each.partition(".")[0] for each in modules}
    assert not rooms & {"sessions", "checkpoint", "redaction", "hooks", "search", "purge", "repair", "backup"}
    assert not modules & {
        "alignment.aligner",
        "alignment.overlap",
        "formats.text",
        "formats.claude_ai",
        "ingest.store_export",
        "packs.pack_file",
        "packs.pack_set",
        "project.tightening",
        "storage.finding",
        "storage.log.column_reader",
        "storage.log.column_writer",
        "storage.message_reader",
        "storage.recount",
        "workflow.new_messages_file",
    }
    assert not {"dataclasses", "shutil", "subprocess", "tempfile", "base64"} & set(done.stdout.split())
