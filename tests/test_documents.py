"""The documents are true: what they show is run, what they name exists.

Every document is run in a sandbox of its own: a home with a project ``~/code/tides`` (two exports of the samples are
processed, the third lies in its root), three files in ``~/Downloads``, and a copy of the checkout. Fenced blocks are taken
in order, each from the document's starting folder: ``bash`` is run as one script that must succeed, ``console`` is a
session whose output is compared (``...`` stands for any number of lines; times and ages may differ), ``python`` is run.
Every other fence is only shown. No network: pip has no index here.
"""

from __future__ import annotations

import base64
import functools
import html
import inspect
import json
import re
import subprocess
import sys
import zlib
from importlib.util import module_from_spec, spec_from_file_location

import pytest

import transcript_lines
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator, __version__, errors
from deduplication.commands.deduplicate_export import SUBCOMMANDS
from deduplication.commands.shell import table
from deduplication.files import encryption
from deduplication.installation import errors as installation_errors
from deduplication.migration import errors as migration_errors
from deduplication.model import KINDS
from deduplication.project import config, tightening
from deduplication.storage import indexed_log
from deduplication.storage.database import errors as database_errors
from deduplication.storage.log.append_log import Log
from deduplication.storage.log.opening import opening_line
from deduplication.storage.word_filters import block as filter_block
from document_readers import reader_of
from documents import FENCE, compare, fences, section, text_of
from transcript_lines import SESSION, day, exported

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
LINKED = [*DOCUMENTS, REPOSITORY / "CHANGELOG.md", REPOSITORY / "CONTRIBUTING.md"]
IN_CHECKOUT = frozenset({"README.md", "architecture.md", "benchmarks.md", "reliability.md"})
"""The documents whose commands are for a checkout; those of all others are for a project."""
GUIDE = REPOSITORY / "docs" / "user-guide.md"
REFERENCE = REPOSITORY / "docs" / "cli-reference.md"
STORAGE = REPOSITORY / "docs" / "storage.md"
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"
PACKAGE = REPOSITORY / "scripts" / "deduplication"
OPTION = re.compile(r"(?<![\w|-])--[a-z][a-z-]*(?!\{)")
FULL = "--full"
"""Defined by tests/faults/conftest.py, not by a command."""


def name(path):
    """How a document is named in a test's id."""
    return path.relative_to(REPOSITORY).as_posix()


# --- what documents show is run -----------------------------------------------------------------------------------


def runnable():
    """The documents with something to run; the benchmark takes its time, and test_database_document.py has servers for its own."""
    for path in DOCUMENTS:
        if fences(path, "bash", "console", "python") and path.name != "database.md":
            marks = [pytest.mark.slow] if path.name == "benchmarks.md" else []
            yield pytest.param(path, id=name(path), marks=marks)


@pytest.mark.e2e
@pytest.mark.unmeasured
@pytest.mark.parametrize("path", list(runnable()))
def test_what_a_document_shows_is_what_happens(path, request):
    """Every command runs as written, and every session prints what it shows."""
    sandbox = request.getfixturevalue("sandbox" if path.name == "README.md" else "installed")
    start = sandbox.checkout if path.name in IN_CHECKOUT else sandbox.project
    for kind, body in fences(path, "bash", "console", "python"):
        if kind == "bash":
            sandbox.must(body, start)
        elif kind == "python":
            (start / "archived.py").write_text(
                fences(REPOSITORY / "docs" / "archive.md", "python")[-1][1], encoding="utf-8"
            )
            sandbox.must(f"python3 - <<'EOF'\n{body}EOF", start)
        else:
            if path == TROUBLESHOOTING:
                _flip(sandbox.state / "conversation_log.jsonl", 3000)
            compare(body, sandbox, start)


def _flip(path, offset):
    """Turn one bit of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 4
    path.write_bytes(data)


def test_a_session_that_is_not_what_happens_is_noticed(installed):
    """The comparison of sessions can fail: at a changed number, a line too many, a line too few."""
    command = "$ python3 .coditect/scripts/deduplicate_export.py --stats-only *.txt\n"
    right = "  📈 Conversation: tide-clock\n     Messages: 21 (highest sequence number 22)\n...\n"
    compare(command + right, installed, installed.project)
    for wrong in (right.replace("21", "22"), right.replace("...\n", ""), right + "one line more\n", ""):
        with pytest.raises(AssertionError):
            compare(command + wrong, installed, installed.project)


def test_the_json_of_the_guide_has_the_keys_of_the_real_one(installed):
    """The object that the guide shows for --json is the one that --json prints, for the same export."""
    ((_, shown),) = fences(GUIDE, "json")
    command = "python3 .coditect/scripts/export-dedup.py --json --no-checkpoint"
    printed = json.loads(installed.must(command, installed.project))
    expected = json.loads(shown)
    for run in (printed, expected):
        del run["duration_s"], run["storage"]["stored_bytes"], run["storage"]["savings_pct"]
        del run["storage"]["saved"]["compression"]
    assert expected == printed


# --- options ------------------------------------------------------------------------------------------------------


COMMANDS = {
    **{
        f"export-dedup {name}": f"scripts/deduplication {name}"
        for name in ("run", "install", "uninstall", "demo", "completion")
    },
    "export-dedup.py": "scripts/export-dedup.py",
    "deduplicate_export.py": "scripts/deduplicate_export.py",
    **{f"deduplicate_export.py {name}": f"scripts/deduplicate_export.py {name}" for name in SUBCOMMANDS},
    "create-checkpoint.py": "scripts/create-checkpoint.py",
    "batch_deduplicate.py": "scripts/batch_deduplicate.py",
    "dedup_stats.py": "scripts/dedup_stats.py",
    "install.sh": "install.sh",
    "migrate_json_to_postgresql.py": "scripts/database/migrate_json_to_postgresql.py",
    "verify_database_integrity.py": "scripts/database/verify_database_integrity.py",
}


@functools.cache
def help_of(command):
    """What ``--help`` prints; it must succeed without a word on standard error."""
    interpreter = ["bash"] if command.endswith(".sh") else [sys.executable]
    done = subprocess.run(
        [*interpreter, *command.split(" "), "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def options_in_help(output):
    """Each option with the name of its value, as argparse lists them."""
    return set(re.findall(r"^  (--[a-z-]+(?: [A-Z]+(?:\[:[A-Z]+\])?)*(?: \[[A-Z]+ \.\.\.\])?)", output, re.MULTILINE))


def test_the_reference_is_made_from_the_parsers():
    """cli-reference.md has the tables that its script makes."""
    assert text_of(REFERENCE) == script_of("make_reference").page()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_has_the_options_of_the_help(command):
    """The table below a command's heading has every option that its --help prints, with the same value, and no other."""
    listed = re.findall(r"^\| `(--[^`]+)` \|", section(text_of(REFERENCE), f"## {command}"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == options_in_help(help_of(COMMANDS[command]))


def test_the_guide_says_what_a_project_may_set():
    """Its table has every setting with its default and the direction in which a project may tighten it."""
    rows = re.findall(
        r"^\| `(\w+)` \| `(.+?)` \| .+ \| ([^|]+) \|$", section(text_of(GUIDE), "### Settings"), re.MULTILINE
    )
    assert [(name, json.loads(default), words) for name, default, words in rows] == [
        (name, default, tightening.RULES[name].words) for name, default in config.DEFAULTS.items()
    ]


def test_the_reference_lists_every_command():
    """It has a heading for each command, none for another, and a table below each but the wrapper's."""
    headings = re.findall(r"^## (.+)$", text_of(REFERENCE), re.MULTILINE)
    scripts = {path.name for path in (REPOSITORY / "scripts").glob("*.py")}
    assert set(headings) == {*COMMANDS, "export-dedup", "export-dedup-with-status.py"}
    assert scripts <= set(headings)
    assert set(script_of("make_reference").commands()) == set(COMMANDS)
    listed = re.findall(r"^\| `(\w+)` \| .+ \| \[", section(text_of(REFERENCE), "## export-dedup"), re.MULTILINE)
    assert listed == list(table.SUBCOMMANDS)


def test_the_wrapper_takes_the_options_of_the_core():
    """export-dedup-with-status.py --help has every option of export-dedup.py."""
    wrapper = help_of("scripts/export-dedup-with-status.py")
    assert options_in_help(wrapper) == options_in_help(help_of("scripts/export-dedup.py"))


def test_every_option_in_a_document_exists():
    """No document names an option that no command of ours has."""
    known = {
        FULL,
        "--stores",  # of tests/faults/upgrades.py
        "--help",
        "--fork-session",
        "--output-format",
        "--replay-user-messages",
        "--verbose",
    }  # the last four are the client's
    known |= {
        "--cached",
        "--format",
        "--grep",
        "--token",
        "--aggressive",
        "--compression",
        "--long",
        "--patch-from",
        "--short",
        "--source-server",
        "--recovery-target-time",  # what pg_restore does not have
        "--thorough",  # of .ci/run
        *("--rm", "--read-only", "--tmpfs", "--user", "--build", "--detach"),  # of docker
        *("--decrypt", "--repo"),  # of age, gpg and gh
        "--strict",  # of mkdocs
    }  # of git and others
    scripts = [path for path in (REPOSITORY / "benchmarks").glob("*.py") if "ArgumentParser" in text_of(path)]
    for script in (*scripts, REPOSITORY / "tests" / "faults" / "storm.py"):
        known |= set(re.findall(r'"(--[a-z][a-z-]*)"', text_of(script)))
    for command in COMMANDS.values():
        known |= set(OPTION.findall(help_of(command)))
    unknown = {
        f"{name(path)}: {option}"
        for path in [*LINKED, REPOSITORY / ".coditect" / "README.md"]
        for option in OPTION.findall(text_of(path))
        if option not in known
    }
    assert unknown == set()
    assert FULL in text_of(REPOSITORY / "tests" / "faults" / "conftest.py")


# --- links --------------------------------------------------------------------------------------------------------


def anchors(path):
    """The anchors that a rendered document has: its headings in the spelling of the common renderers."""
    found = []
    for heading in re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text_of(path)), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(anchor if anchor not in found else f"{anchor}-{found.count(anchor)}")
    return found


@pytest.mark.parametrize("path", LINKED, ids=name)
def test_links_lead_somewhere(path):
    """Every relative link names a file of the repository, and every anchor a heading."""
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(path))):
        if target.startswith("https://"):
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        if not file.exists() or REPOSITORY not in file.parents or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if "\n- [" in text_of(path)[:3000]], ids=name)
def test_tables_of_contents_are_whole(path):
    """A document that begins with a list of its sections lists all of them, in order."""
    listed = re.findall(r"^- \[([^\]]+)\]\(#", text_of(path), re.MULTILINE)
    assert listed == re.findall(r"^## (.+)$", FENCE.sub("", text_of(path)), re.MULTILINE)


# --- names --------------------------------------------------------------------------------------------------------


def named_errors():
    """Every error class of errors.py and of the rooms that have some of their own."""
    modules = (errors, database_errors, encryption, installation_errors, migration_errors)
    found = {item for module in modules for _, item in inspect.getmembers(module, inspect.isclass)}
    return sorted((item for item in found if issubclass(item, errors.DedupError)), key=lambda item: item.__name__)


@pytest.mark.parametrize("error", named_errors(), ids=lambda error: error.__name__)
def test_every_error_is_explained(error):
    """Troubleshooting has a heading for the error, quotes its message, and says more than that."""
    told = section(text_of(TROUBLESHOOTING), f"### `{error.__name__}`")
    quote, _, advice = told.strip().partition("\n")
    assert quote == f"> {error.__doc__}"
    assert len(advice.strip()) > 40


def test_no_error_is_explained_that_does_not_exist():
    """Every name among the headings of troubleshooting is a class of errors.py."""
    headings = re.findall(r"^### `(\w+)`$", text_of(TROUBLESHOOTING), re.MULTILINE)
    assert sorted(headings) == sorted(error.__name__ for error in named_errors())


def test_every_file_of_the_store_is_described(installed, monkeypatch):
    """After runs, an unfinished one among them, each file of the state folder has its row in storage.md, and no row is idle."""
    run = "python3 .coditect/scripts/export-dedup-with-status.py"
    with open(installed.state / "conversation_log.jsonl", "ab") as log:
        log.write(b'{"conversation_id":"tide-clock","index":23,"times')
    installed.must(run, installed.project)
    transcript = installed.project / "s.jsonl"
    picture = base64.b64encode(bytes(range(256)) * 9).decode()
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
    shown = transcript_lines.line("picture", "user", {"role": "user", "content": [block]})
    old = (day(1) + shown + exported(installed.project / "x.txt")).replace(
        b'"version":"2.1.197"', b'"version":"2.0.76"'
    )
    transcript.write_bytes(old)  # whichever client is on this machine, the one that wrote this lacks an event
    (installed.project / "x.txt").write_text("neither a prompt nor an answer")
    event = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(installed.project)}
    hook = [sys.executable, str(installed.project / ".coditect" / "hooks" / "run.py"), "Stop"]
    subprocess.run(hook, input=json.dumps(event).encode(), cwd=installed.project, check=True)
    with transcript.open("ab") as more:
        more.write(exported(installed.project / "x.txt", "export again"))
    event.update(file_path=str(transcript), event="change")
    hook[-1] = "FileChanged"
    subprocess.run(hook, input=json.dumps(event).encode(), cwd=installed.project, check=True)
    installed.must("python3 .coditect/scripts/deduplicate_export.py session --all", installed.project)
    installed.must("python3 .coditect/scripts/deduplicate_export.py session --index", installed.project)
    installed.must("python3 .coditect/scripts/deduplicate_export.py backup ../backup", installed.project)
    rows = re.findall(r"^\| `([^`]+)` \|", section(text_of(STORAGE), "## Files"), re.MULTILINE)
    words = {
        "NAME": r"[\w.]+",
        "PID": r"\d+",
        "TIME": r"\d{8}T\d{6}Z",
        "SIZE": r"\d+",
        "SESSION": r"[\w-]+",
        "VERSION": r"[\d.]+",
        "START": r"\d{12}",
        "END": r"\d{12}",
        "DIGITS": r"[0-9a-f]{8}",
        "XX": r"[0-9a-f]{2}",
        "DIGEST": r"[0-9a-f]{64}",
    }
    patterns = {
        row: re.compile(re.sub("|".join(words), lambda m: words[m[0]], row.replace(".", r"\."))) for row in rows
    }
    found = [path.relative_to(installed.state).as_posix() for path in installed.state.rglob("*") if path.is_file()]
    monkeypatch.setattr(indexed_log, "OPEN", 100)
    monkeypatch.setattr(filter_block, "SPAN", 100)
    told = "❯ Which book is next?\n\n● The one about lighthouses.\n"
    letters = ClaudeConversationDeduplicator(installed.state)
    letters.process_export("letters", told)
    letters.store.make_filters()
    found.append("words.bin" if (installed.state / "words.bin").is_file() else "")
    plain = ClaudeConversationDeduplicator(installed.state, backend="json")
    plain.process_export("letters", told + "\n❯ yes\n")
    found += [path.relative_to(installed.state).as_posix() for path in installed.state.glob("sealed/*.pack")]
    found += [path.name for path in installed.state.glob("content_hashes*")]
    used = {row for row, pattern in patterns.items() for file in found if pattern.fullmatch(file)}
    assert [file for file in found if not any(pattern.fullmatch(file) for pattern in patterns.values())] == []
    assert set(rows) - used == {
        *("NAME.PID.tmp", "checkpoint.pending", "quarantine/damaged-DATE-NAME"),
        *("purge.pending", "purge.stage/"),
        "alerts.sender.lock",  # only where targets are set
        *("waiting/NAME.wish", "waiting/NAME.begun", "waiting/NAME.answer"),  # only while runs wait for each other
    }


def test_every_place_in_the_project_is_described(installed):
    """Whatever a run makes in MEMORY-CONTEXT stands in the README's picture of it, and in the guide of the project."""
    installed.must("python3 .coditect/scripts/export-dedup-with-status.py", installed.project)
    tree = section(text_of(REPOSITORY / "README.md"), "## Where things lie")
    table = text_of(REPOSITORY / ".coditect" / "README.md")
    for path in installed.state.parent.iterdir():
        shown = f"{path.name}/" if path.is_dir() else path.name
        assert shown in tree
        assert f"`{shown}`" in table


def test_the_readme_is_read_in_two_minutes():
    """What it does not say stands behind its links."""
    assert len(text_of(REPOSITORY / "README.md").split()) <= 900


def test_the_changelog_has_this_version():
    """The newest released section is the package's version, below an empty or filled [Unreleased]."""
    sections = re.findall(r"^## \[([^\]]+)\]", text_of(REPOSITORY / "CHANGELOG.md"), re.MULTILINE)
    assert sections[:2] == ["Unreleased", __version__]


# --- the log's format ---------------------------------------------------------------------------------------------


def examples():
    """Every log line that a document shows."""
    for path in (ARCHITECTURE, STORAGE):
        for number, line in enumerate("".join(body for _, body in fences(path, "jsonl")).splitlines()):
            yield pytest.param(line, id=f"{path.stem} {number}")


@pytest.mark.parametrize("line", list(examples()))
def test_examples_of_log_lines_are_real(line, template):
    """An example has the checksum that the document's rule gives, and is a line of the samples' store but for the moment."""
    body, seal = line.encode()[:-20], line.encode()[-20:]
    assert seal == b',"crc32":"%08x"}' % zlib.crc32(body + b"}")
    lines = (template.state / "conversation_log.jsonl").read_text(encoding="utf-8").splitlines()
    lines += (template.state / "deduplication_log.jsonl").read_text(encoding="utf-8").splitlines()
    lines.append(opening_line(24816, "0594538a4d92ab1e").decode())
    assert _timeless(json.loads(line)) in [_timeless(json.loads(one)) for one in lines]


def _timeless(record):
    """A record without what depends on the moment: times, hashes of them, and the sizes that the digits of a duration change."""
    moment = (
        "timestamp",
        "created_at",
        "processing_time_ms",
        "previous",
        "crc32",
        "stored_bytes",
        "storage_savings_pct",
    )
    return {
        key: _timeless(value) if isinstance(value, dict) else value
        for key, value in record.items()
        if key not in moment
    }


def test_the_reader_of_the_document_reads_the_store(installed, monkeypatch):
    """The reader printed in storage.md finds every message that the product has, and ignores what did not finish."""
    installed.must("python3 .coditect/scripts/export-dedup.py --no-checkpoint", installed.project)
    log = installed.state / "conversation_log.jsonl"
    whole = log.read_bytes()
    Log(str(log)).seal(len(whole))
    unfinished = next(line for line in whole.splitlines(keepends=True) if b'"message"' in line)
    log.write_bytes(unfinished + b'{"conversation_id":"tide')
    monkeypatch.chdir(installed.project)
    read = reader_of("storage").read(installed.state)
    log.write_bytes(b"")
    ((conversation, messages),) = read.items()
    full = ClaudeConversationDeduplicator(installed.state).get_full_conversation(conversation)
    assert len(full) == len(messages) == 33
    for message in full:
        told = messages[message["index"]]
        assert (told["role"], told["kind"], told["content"]) == (message["role"], message["kind"], message["content"])


@pytest.mark.parametrize(
    ("path", "pattern"),
    [(STORAGE, r"`message\.kind` \| ([^|]+)"), (GUIDE, r"`kind` \(([^)]+)\)")],
    ids=["storage", "guide"],
)
def test_every_kind_is_named(path, pattern):
    """Where a document lists the kinds of messages, it lists all of them, in the order of the model."""
    listed = re.search(pattern, text_of(path))[1]
    assert re.findall(r"`(\w+)`", listed) == list(KINDS)


def script_of(name):
    """A script of the documents, as a module."""
    spec = spec_from_file_location(name, REPOSITORY / "docs" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the rooms ----------------------------------------------------------------------------------------------------


def test_the_rooms_are_those_of_the_package():
    """architecture.md has the list of rooms that its script makes: each room once, by the first line of its docstring."""
    script = script_of("make_rooms")
    assert text_of(ARCHITECTURE) == script.page()
    rooms = re.findall(r"^\| `([\w/]+)/` \|", "\n".join(script.rooms()), re.MULTILINE)
    assert sorted(rooms) == sorted(
        path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE
    )


def test_the_dump_is_that_of_the_demonstration():
    """storage.md has the store of the three samples as its script prints it."""
    assert text_of(STORAGE) == script_of("make_dump").page()


def test_the_architecture_can_be_held_in_the_mind():
    """architecture.md has at most 250 lines."""
    assert len(text_of(ARCHITECTURE).splitlines()) <= 250


def test_every_room_says_its_job():
    """No room and no module is without a first line that says what it is for."""
    job = script_of("make_rooms").job
    assert [path.name for path in PACKAGE.rglob("*.py") if len(job(path)) < 15] == []


def test_nothing_but_the_front_door_lies_outside_a_room():
    """The package itself has its public names, its errors, and the records that travel."""
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py", "model.py"}


# --- the picture --------------------------------------------------------------------------------------------------


def lines_of(picture):
    """The lines of text in a picture."""
    shown = re.findall(r"<text [^>]*>([^<]*)</text>", picture)
    return [html.unescape(line).replace("\xa0", " ") for line in shown]


def test_the_picture_shows_a_real_banner(sandbox):
    """docs/banner.svg has the banner of the samples' third run, and loads nothing from anywhere."""
    script = sandbox.checkout / "scripts" / "export-dedup-with-status.py"
    lines = sandbox.must(f"python3 {script} --no-checkpoint", sandbox.project).splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("🔐")]
    picture = text_of(REPOSITORY / "docs" / "banner.svg")
    assert lines_of(picture) == [line for line in lines[rules[0] : rules[-1] + 1] if line]
    assert re.findall(r"https?://[^\"\s]+", picture) == ["http://www.w3.org/2000/svg"]


def test_pictures_can_be_made_again():
    """The script that made the picture makes the same text at the same length, whatever the version of rich."""
    pytest.importorskip("rich")
    module = script_of("make_pictures")
    picture = text_of(REPOSITORY / "docs" / "banner.svg")
    drawn = module.draw(lines_of(picture))
    assert lines_of(drawn) == lines_of(picture)
    length = re.compile(r'textLength="([\d.]+)"')
    assert length.findall(drawn) == length.findall(picture)
    assert float(length.findall(drawn)[0]) == pytest.approx(80 * 12.2)
