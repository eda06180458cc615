"""own_output: what we wrote is never taken for an export, and no export is ever taken for something that we wrote.

Every writer of ours is run in a project that has one conversation; what it wrote lies in the project's root.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archive_scenes
import exports
from deduplication import ClaudeConversationDeduplicator, SessionExportManager
from deduplication.archive import discovery
from deduplication.archive.discovery import exports_in, find_exports
from deduplication.commands import create_checkpoint, deduplicate_export, export_dedup, with_status
from deduplication.errors import DedupError, OwnOutput, RestoredExport
from deduplication.files import safe_read
from deduplication.hooks.work import Work
from deduplication.project import own_output
from deduplication.project.paths import Project

STORY = exports.Story(31, 12)
FILE = STORY.exports()[0]

pytestmark = pytest.mark.usefixtures("plain_week")


@dataclass
class Written:
    """A project and everything that our commands wrote into its root, by name."""

    project: Project
    session: str = ""
    files: dict[str, bytes] = field(default_factory=dict)


def printed(main, *arguments):
    """What a command printed; a named failure ends it as it would end a process."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit, DedupError):
        main([*map(str, arguments)])
    return out.getvalue()


def tool(project, *arguments):
    """What ``deduplicate_export.py`` printed."""
    return printed(deduplicate_export.main, *arguments, "--project", project.root)


def conversation(project):
    """The id of the one conversation."""
    (found,) = ClaudeConversationDeduplicator(project.state).conversations()
    return found


def write_everything(project):
    """Run every writer of ours; the files are named after what they are."""
    root = project.root
    export = root / FILE.name
    export.write_bytes(FILE.data)
    tool(project, export, "--output", root / "new.json")
    other = ClaudeConversationDeduplicator(root.parent / "other")
    assert other.process_export(None, FILE.data)
    shutil.rmtree(project.state)
    tool(project, export, "--output", root / "new.md")
    (root / "run.json").write_text(printed(export_dedup.main, "--json", "--yes", "--project", root), encoding="utf-8")
    (root / "report.txt").write_text(printed(export_dedup.main, "--yes", "--project", root), encoding="utf-8")
    printed(create_checkpoint.main, "A checkpoint", "--no-commit", "--project", root)
    session = conversation(project)
    tool(project, "session", session)
    for form in ("md", "html", "json"):
        tool(project, "session", session, "--format", form, "--output", root / f"session.{form}")
    for form in ("text", "markdown", "html", "json"):
        (root / f"show-{form}.txt").write_text(tool(project, "show", session, "--format", form), encoding="utf-8")
    word = next(word for word in STORY.turns[0].text.split() if len(word) > 5 and word.isalpha())
    for name, arguments in {
        "list.json": ("show", "--format", "json"),
        "list.txt": ("show",),
        "search.json": ("search", word, "--json"),
        "search.txt": ("search", word),
        "status.json": ("status", "--json"),
        "stats.json": ("stats", "--json"),
        "verify.json": ("verify", "--json"),
        "doctor.txt": ("doctor",),
        "scan.json": ("scan", "--json"),
    }.items():
        (root / name).write_text(tool(project, *arguments), encoding="utf-8")
    tool(project, "backup", root / "backup")
    shutil.copy(project.state / "conversation_log.jsonl", root / "log.jsonl")
    shutil.copy(next(project.sessions.glob("*.md")), root / "grown.md")
    shutil.copy(next(project.checkpoints.glob("*.md")), root / "checkpoint.md")
    (root / "stored.json").write_text(
        json.dumps(ClaudeConversationDeduplicator(project.state).get_full_conversation(session)), encoding="utf-8"
    )
    return session


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The project, once for all tests that only look at it."""
    project = Project(Path(os.path.realpath(tmp_path_factory.mktemp("written"))) / "project")
    (project.root / ".git").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORT_DEDUP_PACK_OLDER_THAN_DAYS", "7")
        made = Written(project, write_everything(project))
    made.files = {path.name: path.read_bytes() for path in project.root.iterdir() if path.is_file()}
    assert len(made.files) > 20
    return made


def test_whatever_we_wrote_is_known_as_ours(written):
    """Each file says what it is; not one is empty."""
    unknown = [name for name, data in written.files.items() if not own_output.kind_of(data)]
    assert unknown == []
    assert all(len(data) > 20 for data in written.files.values())


def test_a_search_finds_none_of_it_and_moves_nothing(written):
    """Neither the search of a run nor that of a hook has an export, and a run leaves every file where it is."""
    project = written.project
    assert find_exports(project).exports == ()
    assert exports_in(project, [project.root, project.memory, project.exports]) == []
    before = ClaudeConversationDeduplicator(project.state).global_unique_count()
    run = json.loads(printed(export_dedup.main, "--json", "--no-checkpoint", "--project", project.root))
    assert (run["exports"], run["total_messages"], run["global_unique"]) == ([], 0, before)
    assert {path.name: path.read_bytes() for path in project.root.iterdir() if path.is_file()} == written.files


def test_by_name_it_is_told_what_it_is(written):
    """Every file that is named is a failure of its own kind, and counts nothing."""
    project = written.project
    paths = [project.root / name for name in written.files]
    found = find_exports(project, paths)
    assert found.exports == ()
    assert {refusal.path.name for refusal in found.refusals if refusal.fatal} == set(written.files)
    assert {type(refusal.error) for refusal in found.refusals} == {OwnOutput}
    assert all("export-dedup's own output (" in refusal.reason for refusal in found.refusals)


def test_a_backup_is_named_whatever_part_of_it_is_given(written):
    """The folder, the folders in it, and the archived exports that its parts are: none is processed."""
    backup = written.project.root / "backup"
    parts = [path for path in [backup, *backup.rglob("*")] if path.name != ".lock"]
    assert any(path.is_file() and path.read_bytes() == FILE.data for path in parts)
    found = find_exports(written.project, parts)
    assert found.exports == ()
    assert {type(refusal.error) for refusal in found.refusals} == {OwnOutput}
    assert len(found.refusals) == len(parts)


def test_python_refuses_it_as_well(written, tmp_path):
    """Path, bytes, text and parsed JSON, and an import into a project: nothing of our own is stored."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    data = written.files["new.json"]
    for given_ in (written.project.root / "new.json", data, data.decode(), json.loads(data)):
        with pytest.raises(OwnOutput):
            dedup.process_export("x", given_)
    with pytest.raises(OwnOutput):
        SessionExportManager(tmp_path).import_export(written.project.root / "session.md")
    assert dedup.conversations() == []


def unmarked(name, data):
    """What version 0.1 wrote in the place of a file: the same without the mark."""
    if name.endswith(".json") or data[:1] == b"{":
        try:
            value = json.loads(data)
        except ValueError:
            return data
        for each in value if isinstance(value, list) else [value]:
            each.pop("generator", None)
        return json.dumps(value, indent=2).encode()
    text = data.decode()
    return text.replace(f"{own_output.COMMENT}\n\n", "", 1).replace(f"{own_output.META}\n", "", 1).encode()


WITH_MESSAGES = (
    *("new.json", "new.md", "session.md", "session.html", "session.json", "grown.md", "checkpoint.md", "log.jsonl"),
    *("show-text.txt", "show-markdown.txt", "show-html.txt", "show-json.txt", "search.json", "search.txt"),
    *("run.json", "report.txt", "export-dedup-status.txt", "list.json", "stored.json"),
)


@pytest.mark.parametrize("name", [name for name in WITH_MESSAGES if name != "export-dedup-status.txt"])
def test_what_version_0_1_wrote_is_told_by_its_beginning(written, name):
    """Without its mark a document that could be taken for an export is known all the same."""
    bare = unmarked(name, written.files[name])
    assert b'"generator"' not in bare
    assert own_output.COMMENT.encode() not in bare
    assert own_output.kind_of(bare)


def test_a_status_log_is_known_by_its_head(tmp_path):
    """The log of the wrapper, moved to another name."""
    (tmp_path / FILE.name).write_bytes(FILE.data)
    assert Path(*with_status.CORE).is_file()
    printed(with_status.main, "--no-checkpoint", "--project", tmp_path)
    log = (tmp_path / "MEMORY-CONTEXT" / "export-dedup-status.txt").read_bytes()
    assert own_output.kind_of(log) == "a status log"


SPELLINGS = {
    "sorted": lambda value: json.dumps(dict(sorted(value.items()))).encode(),
    "pretty": lambda value: json.dumps(value, indent=4).encode(),
    "compact": lambda value: json.dumps(value, separators=(",", ":")).encode(),
    "byte-order-mark": lambda value: b"\xef\xbb\xbf" + json.dumps(value).encode(),
    "utf-16": lambda value: json.dumps(value).encode("utf-16"),
    "messages-alone": lambda value: json.dumps(value["messages"]).encode(),
    "cut-off": lambda value: json.dumps(value).encode()[:200],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_the_mark_outlives_what_is_done_to_a_file(written, spelling):
    """Sorted, indented, redirected by a shell that writes UTF-16, cut: it is ours still."""
    assert own_output.kind_of(spelling(json.loads(written.files["new.json"])))


def test_line_ends_of_another_system_change_nothing(written):
    """A document with carriage returns is the same document."""
    for name in ("new.md", "session.md", "session.html", "report.txt", "show-text.txt"):
        assert own_output.kind_of(written.files[name].replace(b"\n", b"\r\n")) == own_output.kind_of(
            written.files[name]
        )


# --- no export is ever ours -------------------------------------------------------------------------------------------


def test_no_real_export_is_ours(corpus):
    """Exports, transcripts and recordings of every version, those of people who work on export-dedup among them."""
    files = [path for path in corpus.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert [str(path) for path in files if own_output.kind_of(path.read_bytes())] == []


TEXTS = st.sampled_from(
    [
        own_output.COMMENT,
        own_output.META,
        '{"generator": "export-dedup"}',
        "# a: 2 new messages\n\nFrom `a`; 1 of 3 were stored before.\n",
        "=" * 80 + "\nEXPORT-DEDUP EXECUTION REPORT\n" + "=" * 80 + "\n",
        "💬 export-dedup show: a",
        '{"session_id": "a", "duplicates_filtered": 1, "content_hash": "x"}',
        "plain words",
    ]
)


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_an_export_that_quotes_us_is_an_export(quoted):
    """In a prompt, an answer, a result, or as the content of JSON: what is quoted is no mark."""
    text = "".join(f"> see this\n\n⏺ {each}\n\n⏺ Bash(cat x)\n  ⎿  {each}\n\n" for each in quoted)
    assert own_output.kind_of(text.encode()) == ""
    assert own_output.kind_of(f"> {quoted[0]}\n\n⏺ Yes.\n".encode()) == ""
    messages = [{"index": n, "role": "user", "content": each} for n, each in enumerate(quoted)]
    for value in ({"exported_at": "2026-01-01", "title": quoted[0], "messages": messages}, messages):
        assert own_output.kind_of(json.dumps(value).encode()) == ""
        assert own_output.kind_of(json.dumps(value, ensure_ascii=False).encode()) == ""
    line = {"type": "user", "sessionId": "s", "message": {"role": "user", "content": quoted[0]}}
    assert own_output.kind_of((json.dumps(line) + "\n" + json.dumps({"generator": "export-dedup"})).encode()) == ""


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data):
    """Whatever a file holds, the question never fails."""
    assert isinstance(own_output.kind_of(data), str)
    assert isinstance(own_output.kind_of(b"{" + data), str)


# --- what was restored ------------------------------------------------------------------------------------------------


@pytest.fixture
def archived(tmp_path):
    """A project whose only export was processed and archived."""
    project = Project(tmp_path.resolve() / "project")
    (project.root / ".git").mkdir(parents=True)
    (project.root / FILE.name).write_bytes(FILE.data)
    an_hour_ago = time.time() - 3600
    os.utime(project.root / FILE.name, (an_hour_ago, an_hour_ago))
    printed(export_dedup.main, "--yes", "--no-checkpoint", "--project", project.root)
    assert [*archive_scenes.archived(project)] == [FILE.name]
    return project


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("name", [FILE.name, "another name.txt"], ids=["its-name", "another-name"])
def test_a_restored_export_stays_where_it_is(archived, packed, name):
    """Found by a run or by a hook it is neither counted nor moved; named, it is counted as known, and stays as well."""
    if packed:
        tool(archived, "pack", "--older-than", "0")
    tool(archived, "restore", FILE.name, "--output", archived.root / name)
    path = archived.root / name
    assert path.read_bytes() == FILE.data
    assert exports_in(archived, [archived.root]) == []
    found = find_exports(archived)
    assert (found.exports, [type(each.error) for each in found.refusals]) == ((), [RestoredExport])
    run = json.loads(printed(export_dedup.main, "--json", "--no-checkpoint", "--project", archived.root))
    assert (run["exports"], path.exists()) == ([], True)
    run = json.loads(printed(export_dedup.main, "--json", "--no-checkpoint", "--project", archived.root, path))
    assert (run["new_messages"], run["total_messages"] > 0, path.exists()) == (0, True, True)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_the_same_conversation_exported_again_is_an_export(archived, packed):
    """The same bytes with a time of their own are processed, counted as known, and put away."""
    if packed:
        tool(archived, "pack", "--older-than", "0")
    again = archived.root / FILE.name
    again.write_bytes(FILE.data)
    assert [each.path for each in find_exports(archived).exports] == [again]
    run = json.loads(printed(export_dedup.main, "--json", "--no-checkpoint", "--project", archived.root))
    assert (run["new_messages"], run["total_messages"] > 0, again.exists()) == (0, True, False)


def test_what_a_killed_run_left_behind_is_put_away(archived):
    """The original that was there before its copy in the archive is no restored file, though time and bytes agree."""
    (copy,) = archived.archive.glob("*.txt")
    original = archived.root / FILE.name
    original.write_bytes(FILE.data)
    os.utime(original, ns=(copy.stat().st_mtime_ns, copy.stat().st_mtime_ns))
    data = copy.read_bytes()
    copy.unlink()
    copy.write_bytes(data)
    os.utime(copy, ns=(original.stat().st_mtime_ns, original.stat().st_mtime_ns))
    assert [each.path for each in find_exports(archived).exports] == [original]


def test_another_export_of_the_same_size_and_time_is_an_export(archived):
    """Only the bytes prove that a file was restored."""
    (copy,) = archived.archive.glob("*.txt")
    other = archived.root / "other.txt"
    word = max(STORY.turns[0].text.split(), key=len).encode()
    other.write_bytes(FILE.data.replace(word, word[::-1]))
    assert other.read_bytes() != FILE.data
    os.utime(other, ns=(copy.stat().st_mtime_ns, copy.stat().st_mtime_ns))
    assert other.stat().st_size == copy.stat().st_size
    assert [each.path for each in find_exports(archived).exports] == [other]


def test_a_purge_names_the_restored_copy(archived):
    """A run does not come to it any more, so that the purge has to say that it still shows what was purged."""
    tool(archived, "restore", FILE.name, "--output", archived.root / FILE.name)
    told = tool(archived, "purge", "--session", conversation(archived), "--dry-run")
    assert f"{FILE.name}, restored from the archive" in told


def test_a_hook_stores_nothing_of_what_we_wrote(written, tmp_path):
    """A file that a transcript names as an export, and that is ours, is noted and not stored."""
    project = Project(tmp_path.resolve() / "elsewhere")
    project.state.mkdir(parents=True)
    work = Work(SimpleNamespace(project=project, root=project.root), {})
    work.exports.store([str(written.project.root / "new.json")], "a-conversation")
    assert work.dedup.conversations() == []
    assert any("export-dedup's own output" in path.read_text("utf-8") for path in project.state.glob("*.log"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([None, 1]), st.sampled_from(["", "\ufeff", "\n \n"]))
def test_what_json_is_of_ours_is_told_by_its_first_value(values, indent, lead):
    """Whatever lines follow it, and whether it stands on one line or on many; only on one no byte behind it is needed."""
    ours = {"query": "x", "total": 1, "damaged_lines": 0, "hits": []}
    for first in (ours, [ours], {"said": "x", "nested": ours}):
        text = lead + "\n".join(json.dumps(each, indent=indent) for each in (first, *values, ours)) + "\n"
        data = text.encode()
        assert bool(own_output.kind_of(data)) is (first is ours)
        assert own_output.begins_with_line(data) is (indent is None)
        if indent is None:
            head = data[: data.index(b"\n", data.index(b"q")) + 1]
            assert own_output.kind_of(head) == own_output.kind_of(data)


def test_of_a_transcript_that_was_named_only_the_beginning_is_looked_at(tmp_path, monkeypatch):
    """It is read whole once, by who stores it; what it quotes of ours further down makes it none of ours."""
    project = Project(tmp_path.resolve())
    line = json.dumps({"type": "user", "message": {"role": "user", "content": "x" * 1000}})
    quoted = json.dumps({"query": "x", "total": 1, "damaged_lines": 0, "hits": []})
    path = project.root / "session.jsonl"
    path.write_text("\n".join([line] * 1000 + [quoted]) + "\n", encoding="utf-8")
    taken = []
    monkeypatch.setattr(discovery, "take", lambda file, size: taken.append(size) or safe_read.take(file, size))
    assert [each.path for each in find_exports(project, [path]).exports] == [path]
    assert sum(taken) < path.stat().st_size
    path.write_text(quoted + "\n" + line + "\n", encoding="utf-8")
    assert [type(each.error) for each in find_exports(project, [path]).refusals] == [OwnOutput]
