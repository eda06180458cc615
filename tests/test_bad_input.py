"""What is no export, or a broken one, or one that means harm: a clear error or a lossless result, from the outside.

Both commands run over the whole table at once, as processes, in a sandbox of which every file is known before and after.
Beside the files of the table lie a good export (it must be processed all the same) and traps: links, pipes, folders.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import pytest

from archive_scenes import archived
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export, entry
from deduplication.files.locking import exclusive
from deduplication.project.paths import Project

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="pipes, links and names are POSIX's"),
]

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys; a line break and a tab aside."""
STORED, FAILED, PASSED = "stored", "failed", "passed over"
LONG = "x" * 1_000_000 + " and on" * 2_714_000
"""A line of 20 MB: a word that a search for secrets looks at throughout, then words that none of it is in."""
DEEP = 100_000
BANNER = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/example\n\n\n".encode()


def turns(answer, prompt="Which one?"):
    """A text export with one prompt and one answer."""
    return f"> {prompt}\n\n⏺ {answer}\n\n⏺ Bash(ls)\n  ⎿  a.txt\n".encode()


def chat(*messages):
    """A third-party conversation of these messages."""
    return json.dumps({"exported_at": "2026-01-01T00:00:00Z", "title": "t", "messages": list(messages)}).encode()


def said(index, content="words that were said here", role="user"):
    """One message of it."""
    return {"index": index, "role": role, "content": content}


@dataclass(frozen=True)
class Case:
    """One file. ``found``: what a search makes of it; ``named``: what becomes of it when it is named.

    ``holds``: what the stored messages must hold, character for character; ``error``: what the error must say.
    """

    name: str
    data: bytes
    found: str
    named: str
    error: str = ""
    holds: tuple[Any, ...] = ()
    total: Optional[int] = None


def _cases():
    noise = random.Random(1).randbytes if hasattr(random.Random, "randbytes") else os.urandom
    evil = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 \x9b31m"
    good = turns("This one is right.")
    return {
        # -- nothing, or nothing that is one of ours
        "empty": Case("EXPORT-empty.txt", b"", FAILED, FAILED, "the file is empty (0 bytes)"),
        "white-space": Case("EXPORT-blank.txt", b" \n\t\n" * 50, PASSED, FAILED, "the file holds only white space"),
        "binary": Case("EXPORT-binary.txt", b"\x7fELF" + noise(50_000), PASSED, FAILED, "a binary file"),
        "prose": Case("EXPORT-prose.txt", b"Dear diary,\nnothing.\n", PASSED, FAILED, "no prompts, answers or tool"),
        "one-line-of-nothing": Case("EXPORT-line.txt", b"x" * 3_000_000, PASSED, FAILED, "no prompts, answers or tool"),
        "only-nul": Case("EXPORT-nul.txt", b"\0" * 5000, PASSED, FAILED, "a binary file"),
        "many-nul": Case("EXPORT-nuls.txt", turns("a\0b\0" * 100), PASSED, FAILED, "a binary file"),
        "only-bom": Case("EXPORT-bom.txt", b"\xef\xbb\xbf", PASSED, FAILED, ""),
        # -- text that is hard to read
        "20-mb-in-one-line": Case("EXPORT-20mb.txt", BANNER + turns(LONG), STORED, STORED, holds=(LONG,), total=4),
        "invalid-utf-8": Case(
            "EXPORT-latin.txt", turns("caf#").replace(b"#", b"\xe9\xff"), STORED, STORED, holds=("caf\udce9\udcff",)
        ),
        "encoded-surrogates": Case(
            "EXPORT-cesu.txt", turns("#").replace(b"#", b"\xed\xa0\xbd"), STORED, STORED, holds=("\udced\udca0\udcbd",)
        ),
        "nul": Case("EXPORT-one-nul.txt", turns("a\0b " + "words " * 400), STORED, STORED, holds=("a\0b",), total=4),
        "crlf": Case("EXPORT-crlf.txt", turns("One\n  two").replace(b"\n", b"\r\n"), STORED, STORED, total=4),
        "bom": Case("EXPORT-with-bom.txt", b"\xef\xbb\xbf" + turns("BOM"), STORED, STORED, holds=("BOM",), total=4),
        "utf-16-le": Case(
            "EXPORT-16le.txt",
            b"\xff\xfe" + turns("wide").decode().encode("utf-16-le"),
            STORED,
            STORED,
            holds=("wide",),
            total=4,
        ),
        "utf-16-be": Case(
            "EXPORT-16be.txt",
            b"\xfe\xff" + turns("broad").decode().encode("utf-16-be"),
            STORED,
            STORED,
            holds=("broad",),
            total=4,
        ),
        "utf-16-odd": Case("EXPORT-16odd.txt", b"\xff\xfe" + good.decode().encode("utf-16-le") + b"x", STORED, STORED),
        "escapes-in-text": Case(
            "EXPORT-escapes.txt", turns(evil, prompt=evil), STORED, STORED, holds=(evil.strip(),), total=4
        ),
        # -- JSON
        "truncated-json": Case("EXPORT-torn.json", chat(said(0), said(1))[:-40], FAILED, FAILED, "Unterminated string"),
        "brackets": Case("EXPORT-brackets.json", b"[" * DEEP, PASSED, FAILED, ""),
        "closed-brackets": Case("EXPORT-closed.json", b"[" * DEEP + b"]" * DEEP, PASSED, FAILED, ""),
        "braces": Case("EXPORT-braces.json", b'{"a":' * DEEP, PASSED, FAILED, ""),
        "deep-content": Case(
            "EXPORT-deep.json",
            chat(said(0, "#")).replace(b'"#"', b"[" * DEEP + b"]" * DEEP),
            FAILED,
            FAILED,
            "",
        ),
        "lone-surrogates": Case(
            "EXPORT-half.json", chat(said(0, "a\ud83d b\udc00")), STORED, STORED, holds=("a\ud83d b\udc00",), total=1
        ),
        "escapes-in-json": Case("EXPORT-evil.json", chat(said(0, evil)), STORED, STORED, holds=(evil,), total=1),
        "indexes": Case(
            "EXPORT-indexes.json",
            chat(
                *(
                    said(index, f"number {n} was said")
                    for n, index in enumerate([-1, 10**30, -(10**400), 0, 0, True, "3", 2.5, None])
                )
            ),
            STORED,
            STORED,
            holds=tuple(f"number {n} was said" for n in range(9)),
            total=9,
        ),
        "nan-and-infinity": Case(
            "EXPORT-nan.json",
            chat(said(0), said(1, "not a number")).replace(b'"index": 1', b'"index": NaN'),
            FAILED,
            FAILED,
            "NaN is not JSON",
        ),
        "wrong-types": Case(
            "EXPORT-types.json",
            chat(
                said(0, "the one good message"),
                1,
                None,
                [],
                "x",
                {"role": 5, "content": {}},
                said(1, None),
                said({}, 7),
            ),
            STORED,
            STORED,
            holds=("the one good message",),
        ),
        "number-of-5000-digits": Case(
            "EXPORT-digits.json",
            chat(said(0), said(1, "an index without end")).replace(b'"index": 1', b'"index": ' + b"9" * 5000),
            STORED,
            STORED,
            holds=("an index without end",),
            total=2,
        ),
        "messages-is-a-string": Case(
            "EXPORT-string.json", b'{"exported_at": "x", "messages": "hello"}', PASSED, FAILED, ""
        ),
        "number": Case("EXPORT-number.json", b"5", PASSED, FAILED, ""),
        "null": Case("EXPORT-null.json", b"null", PASSED, FAILED, ""),
        "empty-object": Case("EXPORT-object.json", b"{}", PASSED, FAILED, "JSON, but not a conversation"),
        "empty-list": Case("EXPORT-list.json", b"[]", PASSED, FAILED, "JSON, but not a conversation"),
        # -- names
        "name-with-escapes": Case("EXPORT-\x1b[31m\x9b\x07red.txt", turns("escape in name"), STORED, STORED, total=4),
        "name-with-line-break": Case(
            "EXPORT-a\n\r  Total messages: 999\n.txt", turns("break in name"), STORED, STORED, total=4
        ),
        "name-with-bidi": Case("EXPORT-\u202etxt.exe\u2066.txt", turns("bidi in name"), STORED, STORED, total=4),
        "name-with-dash": Case("--yes-EXPORT.txt", turns("dash in name"), STORED, STORED, total=4),
        "name-of-dots": Case("EXPORT-....txt", turns("dots in name"), STORED, STORED, total=4),
        "name-as-long-as-can-be": Case("EXPORT-" + "n" * 244 + ".txt", turns("long name"), STORED, STORED, total=4),
        "name-that-is-no-text": Case(
            os.fsdecode(b"EXPORT-caf\xe9.txt"), turns("bytes in name"), STORED, STORED, total=4
        ),
    }


CASES = _cases()


GOOD = turns("The good one beside all the others was processed, as it must be.")


# --- the sandbox --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """The sandbox after both commands: what each said, and every file outside the project before and after."""

    project: Path
    drop: Path
    archived: dict
    stored: dict
    """The contents of what was stored of the named files, by conversation."""
    named: subprocess.CompletedProcess
    found: subprocess.CompletedProcess
    status_log: str
    before: dict
    after: dict
    results: dict = field(default_factory=dict)
    """The object of each named file, by the path it was given under."""


def _files(base, project):
    """Every file below ``base`` that is not in ``project``."""
    listed = {}
    for path in sorted(base.rglob("*")):
        if project not in path.parents:
            listed[str(path)] = path.read_bytes() if path.is_file() else None
    return listed


def _run(script, *arguments, cwd, home):
    """A command as a process with an environment of its own; bytes, because nothing may be lost in reading them."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Both commands over everything at once; what came of it is made by one worker, and read by the others."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    kept = shared / "bad-input.pickle"
    with exclusive(str(shared / "bad-input.lock"), 600):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_scene(shared / "sandbox")))
        return pickle.loads(kept.read_bytes())


def _scene(base):
    base.mkdir()
    home, outside, project = base / "home", base / "outside", base / "project"
    drop = project / "MEMORY-CONTEXT" / "exports"
    for folder in (home, outside, drop):
        folder.mkdir(parents=True)
    (outside / "secret.txt").write_bytes(turns("a secret of somebody else"))
    for case in CASES.values():
        (drop / case.name).write_bytes(case.data)
    (drop / "EXPORT-good.txt").write_bytes(GOOD)
    for name, target in LINKS.items():
        (drop / name).symlink_to(str(target).format(outside=outside))
    os.mkfifo(drop / "EXPORT-pipe.txt")
    (drop / "EXPORT-folder.txt").mkdir()
    before = _files(base, project)
    state = project / "named-state"
    given = [str(drop / case.name) for case in CASES.values()]
    given += [str(drop / "EXPORT-good.txt"), *(str(drop / name) for name in TRAPS), *GONE]
    arguments = ["--json", "--project", str(project), "--storage-dir", str(state), "--", *given]
    named = _run("deduplicate_export.py", *arguments, cwd=project, home=home)
    found = _run("export-dedup-with-status.py", "--yes", "--project", str(project), cwd=project, home=home)
    memory = project / "MEMORY-CONTEXT"
    store = ClaudeConversationDeduplicator(state)
    return Scene(
        project,
        drop,
        archived(Project(project)),
        {
            name: [str(message["content"]) for message in store.get_full_conversation(name)]
            for name in store.conversations()
        },
        named,
        found,
        (memory / "dedup_state" / "reports.txt").read_bytes().decode(),
        before,
        _files(base, project),
        {os.path.basename(export["path"]): export for export in json.loads(named.stdout)["exports"]},
    )


LINKS = {
    "EXPORT-passwd.txt": "/etc/passwd",
    "EXPORT-secret.txt": "{outside}/secret.txt",
    "EXPORT-dangling.txt": "nowhere",
    "EXPORT-loop.txt": "EXPORT-loop.txt",
}
TRAPS = {
    "EXPORT-passwd.txt": ("EXPORT-passwd.txt", "leads outside the project .*: a symbolic link to /etc/passwd"),
    "EXPORT-secret.txt": ("EXPORT-secret.txt", "leads outside the project .*: a symbolic link to .*secret.txt"),
    "EXPORT-dangling.txt": ("nowhere", "is no longer there"),
    "EXPORT-loop.txt": ("EXPORT-loop.txt", "not a regular file: a symbolic link"),
    "EXPORT-pipe.txt": ("EXPORT-pipe.txt", "not a regular file: a pipe"),
}
"""What is named, then the name of what it leads to, and the error."""
GONE = {
    "x" * 300: ("x" * 300, "File name too long"),
    "missing-\x1b[2J\u202e\n.txt": ("missing-\x1b[2J\u202e\n.txt", "No such file"),
    "../" * 40 + "none.txt": ("none.txt", "No such file"),
}


# --- each file ----------------------------------------------------------------------------------------------------

each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each
def test_a_named_file_is_stored_without_loss_or_refused_with_a_reason(scene, case):
    """The object of --json says which; what was stored reads back character for character."""
    result = scene.results[case.name]
    if case.named == FAILED:
        assert case.error in result["error"]
        assert re.match("This file is not a conversation export: .|The export cannot be read: .", result["error"])
        assert result["total_messages"] == 0
        return
    assert "error" not in result
    assert result["total_messages"] == (result["total_messages"] if case.total is None else case.total)
    assert result["total_messages"] == result["new_messages"] + result["duplicates_filtered"] > 0
    for text in case.holds:
        assert any(text in content for content in scene.stored[result["session_id"]])


@each
def test_a_file_that_lay_there_is_archived_byte_for_byte_or_left_as_it_was(scene, case):
    """What was stored moved to the archive under its name; everything else lies where it lay, and is named."""
    lying = scene.drop / case.name
    if case.found == STORED:
        assert not lying.exists()
        assert scene.archived[case.name] == case.data
        return
    assert lying.read_bytes() == case.data
    assert case.name not in scene.archived
    told = f"Not an export: {case.name} (" if case.found == PASSED else f"   - {case.name}: "
    assert told in scene.status_log


@each
def test_alone_each_file_has_the_right_exit_code(tmp_path, capsys, monkeypatch, case):
    """0 where it was stored, 1 where it was refused; no log of a defect is written."""
    path = tmp_path / case.name
    path.write_bytes(case.data)
    monkeypatch.setattr(
        sys, "argv", ["deduplicate_export.py", "--dry-run", "--project", str(tmp_path), "--", str(path)]
    )
    assert entry.run(deduplicate_export.main) == (1 if case.named == FAILED else 0)
    out, err = capsys.readouterr()
    assert "defect" not in out + err
    assert not OBEYED.search(out + err)


@pytest.mark.parametrize(
    ("name", "reason"), [*TRAPS.values(), *GONE.values()], ids=[*TRAPS, "long", "escapes", "upwards"]
)
def test_links_pipes_and_names_of_nothing_are_refused_by_name(scene, name, reason):
    """Named, each is an error with its reason; none is opened, followed or waited for."""
    assert re.search(reason, scene.results[name]["error"])


@pytest.mark.parametrize("name", [*LINKS, "EXPORT-pipe.txt", "EXPORT-folder.txt"])
def test_links_pipes_and_folders_that_lie_there_stay_there(scene, name):
    """A search leaves them as they are."""
    path = scene.drop / name
    assert path.is_symlink() if name in LINKS else path.is_fifo() or path.is_dir()
    assert name not in scene.archived


def test_a_name_that_is_no_text_names_its_conversation_all_the_same(scene):
    """Bytes that are no UTF-8 take nothing away from the rest of the name."""
    assert scene.results[os.fsdecode(b"EXPORT-caf\xe9.txt")]["session_id"] == "export-caf-e9"


# --- all of it ----------------------------------------------------------------------------------------------------


def test_no_file_outside_the_project_was_made_changed_or_read_into_it(scene):
    """The sandbox is as it was, home and temporary folder included; what the links point to is nowhere inside."""
    assert scene.after == scene.before
    for path in scene.project.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            assert b"a secret of somebody else" not in data
            assert b"root:x:0" not in data


@pytest.mark.parametrize("stream", ["named.stdout", "named.stderr", "found.stdout", "found.stderr", "status_log"])
def test_nothing_that_was_said_steers_a_terminal_or_shows_a_trace(scene, stream):
    """Not one escape, control or bidirectional mark in any output, and never a trace."""
    first, _, second = stream.partition(".")
    text = getattr(scene, first)
    text = getattr(text, second).decode("utf-8") if second else text
    assert [match.group() for match in OBEYED.finditer(text)] == []
    assert "Traceback" not in text
    assert "defect" not in text


def test_the_exit_codes_say_that_something_failed_and_the_good_one_was_processed(scene):
    """Both commands end with 1; the good export beside the bad ones is stored and archived."""
    assert (scene.named.returncode, scene.found.returncode) == (1, 1)
    assert scene.found.stderr == b""
    assert "error" not in scene.results["EXPORT-good.txt"]
    assert scene.archived["EXPORT-good.txt"] == GOOD


def test_a_name_that_looks_like_a_figure_is_not_taken_for_one(scene):
    """The banner shows what was counted, whatever a file is called."""
    total = int(re.search(r"Total Messages Processed: ([\d,]+)", scene.status_log)[1].replace(",", ""))
    assert total == sum(map(int, re.findall(r"^  Total messages: (\d+)$", scene.status_log, re.MULTILINE)[:-1]))


@pytest.mark.parametrize("state", ["named-state", "MEMORY-CONTEXT/dedup_state"])
def test_the_store_verifies_after_all_of_it(scene, state):
    """Every line, message and number is right."""
    done = _run("deduplicate_export.py", "verify", "--storage-dir", state, cwd=scene.project, home=scene.project)
    assert done.stdout.decode().startswith("✅ Verified")
    assert (done.returncode, done.stderr) == (0, b"")


# --- session ids --------------------------------------------------------------------------------------------------

SESSION_IDS = {
    "upwards": "../../etc/x",
    "folder": "a/b",
    "backslash": "a\\b",
    "two-dots": "..",
    "escape": "\x1b]0;x\x07",
    "line-break": "a\nTotal messages: 999",
    "bidi": "\u202etxt",
    "empty": "",
    "blank": "  ",
    "long": "x" * 201,
    "no-text": os.fsdecode(b"caf\xe9"),
}


@pytest.mark.parametrize("session_id", SESSION_IDS.values(), ids=SESSION_IDS)
@pytest.mark.parametrize("script", ["deduplicate_export.py", "export-dedup-with-status.py"])
def test_a_session_id_that_could_do_harm_is_a_usage_error(tmp_path, script, session_id):
    """2, the reason in one line, nothing stored, the export where it was, and nothing outside the project."""
    home, project = tmp_path / "home", tmp_path / "project"
    (project / "MEMORY-CONTEXT").mkdir(parents=True)
    home.mkdir()
    (project / "EXPORT-a.txt").write_bytes(GOOD)
    before = _files(tmp_path, project)
    done = _run(script, "EXPORT-a.txt", f"--session-id={session_id}", "--project", ".", cwd=project, home=home)
    shown = (done.stdout + done.stderr).decode()
    assert done.returncode == 2
    assert re.search(
        'ERROR: The command line cannot be used as it stands: the session id ".*" cannot be used: it ', shown
    )
    assert "Traceback" not in shown
    assert not OBEYED.search(shown)
    assert _files(tmp_path, project) == before
    assert (project / "EXPORT-a.txt").read_bytes() == GOOD
    assert not list(project.rglob("conversation_log.jsonl"))
