"""The words of a checkpoint, with whatever text comes in."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.checkpoint.document import message, render, slug, title
from deduplication.checkpoint.git_section import GitState
from deduplication.checkpoint.markdown_escape import code
from deduplication.git.repository import Change, Commit, Submodule
from deduplication.project.paths import Project

PROJECT = Project(Path("/home/ada/project"))
MOMENT = datetime(2025, 11, 17, 12, 0, 0, tzinfo=timezone.utc)
FIGURES = {
    "exports": [
        {
            "path": "/home/ada/project/MEMORY-CONTEXT/exports/day1.txt",
            "session_id": "rollout",
            "total_messages": 1200,
            "new_messages": 30,
            "duplicates_filtered": 1170,
            "gaps": ["one", "two"],
            "archived_to": "/home/ada/project/MEMORY-CONTEXT/exports-archive/day1.txt",
        },
        {"path": "/home/ada/private/day2.txt", "session_id": "s", "total_messages": 4, "archived_to": None},
        {"path": "broken.txt", "session_id": "", "error": "not an export"},
    ],
    "total_messages": 1204,
    "new_messages": 34,
    "duplicates_filtered": 1170,
    "global_unique": 56789,
}
STATE = GitState(branch="main", commits=(Commit("abc1234", "2025-11-16", "start"),), changes=())


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Sprint Complete", "Sprint-Complete"),
        ("", "checkpoint"),
        ("  \n\t", "checkpoint"),
        ("日本語", "checkpoint"),
        ("🚀", "checkpoint"),
        ("Über Ziel 🚀 & mehr", "Uber-Ziel-mehr"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\nul", "C-Windows-nul"),
        ("-rf --force", "rf-force"),
        ("don't stop", "dont-stop"),
        ("a\0b\x1b[31m", "a-b-31m"),
        ("x" * 300, "x" * 60),
        ("word " * 60, "-".join(["word"] * 12)),
        ("\udc80", "checkpoint"),
    ],
    ids=repr,
)
def test_the_slug_of(description, expected):
    """What remains of a description in a file name."""
    assert slug(description) == expected


@given(st.text())
def test_a_slug_is_a_harmless_part_of_a_file_name(description):
    """Whatever the description: letters, digits and single hyphens inside, never empty, never long."""
    assert re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", slug(description), re.ASCII)
    assert len(slug(description)) <= 60


@given(st.text())
def test_a_title_is_one_printable_line(description):
    """No line break, nothing a terminal obeys, never empty, at most 300 characters."""
    assert title(description)
    assert len(title(description)) <= 300
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", title(description))


@given(st.text(), st.integers(0, 10**9))
def test_a_message_has_a_short_subject_and_its_own_trailers(description, number):
    """No description can lengthen the subject or add a trailer."""
    text = message(description, {"new_messages": number, "total_messages": 7})
    subject, empty, *rest = text.split("\n")
    assert subject.startswith("checkpoint: ")
    assert len(subject) <= 72
    assert empty == ""
    assert rest[-3:] == [f"Export-Dedup-New: {number}", "Export-Dedup-Total: 7", ""]
    assert text.count("Export-Dedup-") == 2 + subject.count("Export-Dedup-")
    text.encode("utf-8")


def test_the_whole_message():
    """The figures stand under the core's own labels, the trailers without separators."""
    assert message("Sprint Complete", FIGURES) == (
        "checkpoint: Sprint Complete\n\n"
        "New unique messages: 34\nDuplicates filtered: 1,170\nTotal messages: 1,204\nGlobal unique count: 56,789\n\n"
        "Export-Dedup-Session: rollout\nExport-Dedup-Session: s\nExport-Dedup-New: 34\nExport-Dedup-Total: 1204\n"
    )


def test_a_message_without_a_run_is_its_subject():
    """A checkpoint made by hand claims no numbers."""
    assert message("x" * 100, None) == f"checkpoint: {'x' * 59}…\n"


def test_the_whole_document():
    """What a person reads: title, time, git, the banner's numbers, a line for each export, where the archive is."""
    state = GitState(
        branch="main",
        operation="merge",
        commits=(Commit("abc1234", "2025-11-16", "add `x`"),),
        changes=(Change("M ", "a"), Change("MM", "b"), Change(" D", "c"), Change("??", "d"), Change("UU", "e")),
        within="packages/app/",
    )
    assert render("Sprint *Complete*", MOMENT, PROJECT, state, FIGURES) == (
        "# Checkpoint: Sprint \\*Complete\\*\n\n"
        "<!-- generator: export-dedup -->\n\n"
        "Created 2025-11-17 12:00:00 UTC by export-dedup.\n\n"
        "## Git\n\n"
        "- Branch: `main`\n"
        "- In progress: merge\n"
        "- Folder: `packages/app/` of the repository; changes elsewhere in it are not counted\n"
        "- Work tree: 2 staged, 2 unstaged, 1 untracked, 1 in conflict\n\n"
        "### Last commits\n\n"
        "- `abc1234` 2025-11-16 `` add `x` ``\n\n"
        "### Changes not committed\n\n"
        "```text\nM  a\nMM b\n D c\n?? d\nUU e\n```\n\n"
        "## Deduplication\n\n"
        "- New unique messages: 34\n- Duplicates filtered: 1,170\n- Total messages: 1,204\n- Global unique count: 56,789\n\n"
        "### Exports\n\n"
        "- `MEMORY-CONTEXT/exports/day1.txt`, session `rollout`: 1,200 messages, 30 new, 1,170 duplicates, 2 gaps; "
        "archived as `MEMORY-CONTEXT/exports-archive/day1.txt`\n"
        "- `day2.txt`, session `s`: 4 messages, 0 new, 0 duplicates; left where it is\n"
        "- `broken.txt`: not processed\n\n"
        "## Archive\n\n"
        "Exports are kept, as they were written, in `MEMORY-CONTEXT/exports-archive/` (private, not part of this commit).\n"
        "`deduplicate_export.py restore` gives any of them back.\n"
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (GitState(missing="this is no git repository"), "This is no git repository."),
        (GitState(branch="main", changes=()), "- Work tree: clean"),
        (GitState(branch="main", changes=()), "No commits yet."),
        (GitState(commits=STATE.commits, changes=()), "- Detached at `abc1234`"),
        (GitState(changes=()), "- Detached\n"),
        (GitState(branch="main", unread="git status took longer than 10 s"), "- Work tree: not known"),
        (
            GitState(branch="main", unread="git status took longer"),
            "- Not everything could be read: git status took longer",
        ),
    ],
    ids=["no repository", "clean", "unborn", "detached", "detached, nothing known", "not read", "reason"],
)
def test_what_is_said_of_git(state, expected):
    """Each state of a repository in words."""
    assert expected in render("x", MOMENT, PROJECT, state, None)


def test_thirty_changes_are_listed_and_the_rest_counted():
    """A document about a thousand changed files stays readable."""
    state = GitState(branch="main", changes=tuple(Change("??", f"f{number}") for number in range(1042)))
    text = render("x", MOMENT, PROJECT, state, None)
    assert text.count("\n?? f") == 30
    assert "and 1,012 more." in text
    assert "1,042 untracked" in text


def test_without_a_run_there_are_no_figures():
    """A checkpoint made by hand claims no numbers."""
    assert "Deduplication" not in render("x", MOMENT, PROJECT, STATE, None)


@pytest.mark.parametrize("value", [None, "12", [], {}, True], ids=repr)
def test_a_figure_that_is_no_number_is_no_crash(value):
    """The figures come from another room: what is no number counts as none (and True as one)."""
    figures = {"new_messages": value, "exports": None}
    assert f"- New unique messages: {int(value is True)}\n" in render("x", MOMENT, PROJECT, STATE, figures)


def test_the_home_of_the_user_is_not_published():
    """Of a path outside the project only the name stands in a document that is committed."""
    figures = {
        "exports": [{"path": path, "session_id": "s"} for path in ("/home/ada/secret/x.txt", "../../secret/x.txt")]
    }
    text = render("x", MOMENT, PROJECT, STATE, figures)
    assert "secret" not in text
    assert text.count("`x.txt`") == 2


@given(st.text(alphabet=st.sampled_from("`a \\\n<\x1b⏺")))
def test_a_code_span_cannot_be_closed_by_its_text(text):
    """The fence is longer than any run of back quotes inside, and the span is one line."""
    span = code(text)
    fence = re.match("`+", span).group()
    inside = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert "\n" not in span
    assert "\x1b" not in span
    assert not re.search(rf"(?<!`){fence}(?!`)", inside)
    assert not inside.startswith("`")
    assert not inside.endswith("`")


def test_hostile_text_stays_text():
    """Subjects, names and descriptions can close no fence, start no heading, draw no HTML and reach no terminal."""
    hostile = "````\n# owned <script>alert(1)</script> [x](javascript:y) \x1b]52;c;x\x07\u202e"
    state = GitState(
        branch=hostile, commits=(Commit(hostile, "2025", hostile),), changes=(Change("??", hostile),), within=hostile
    )
    figures = {"exports": [{"path": hostile, "session_id": hostile, "archived_to": hostile}]}
    text = render(hostile, MOMENT, PROJECT, state, figures)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# owned" not in text
    assert text.splitlines()[0].startswith(
        r"# Checkpoint: \`\`\`\` \# owned \<script\>alert(1)\</script\> \[x\](javascript"
    )
    assert text.count("\n`````text\n") == 1
    assert text.count("\n`````\n") == 1


def test_submodules_are_listed():
    """At the recorded commit, somewhere else, new, or not there."""
    state = GitState(
        branch="main",
        submodules=(
            Submodule("libs/`one`", "abc", "abc"),
            Submodule("two", "abc", "def"),
            Submodule("three", "", "def"),
            Submodule("four", "abc", ""),
        ),
    )
    text = render("x", MOMENT, PROJECT, state, None)
    assert text.partition("### Submodules\n\n")[2].partition("\n\n###")[0].split("\n") == [
        "- `` libs/`one` `` at `abc`",
        "- `two` at `def`; recorded is `abc`",
        "- `three` at `def`; recorded is nothing",
        "- `four`: not initialised",
    ]


def test_only_the_totals_are_no_run():
    """A checkpoint without an export claims no numbers of one, and shows what the store has."""
    totals = {
        "conversations": 1200,
        "exports_processed": 3,
        "captures": 4,
        "messages_processed": 50,
        "duplicates_filtered": 10,
        "unique_messages": 40,
        "raw_bytes": 123456,
        "stored_bytes": 1000,
    }
    text = render("x", MOMENT, PROJECT, STATE, {"cumulative": totals})
    assert "## Deduplication" not in text
    assert "- Conversations: 1,200\n- Processed so far: 3 exports and 4 parts of transcripts\n" in text
    assert "- Messages in them: 50, 10 of them duplicates\n- Different messages in the store: 40\n" in text
    assert "- Bytes: 123,456 in, 1,000 on disk" in text
    assert message("x", {"cumulative": totals}, "a/b.md") == "checkpoint: x\n\nExport-Dedup-Checkpoint: a/b.md\n"


def test_trailers_are_one_line_each():
    """A session's name cannot add a trailer of its own; a failed export has none; each session stands once."""
    exports = [
        {"session_id": "a\nExport-Dedup-New: 99"},
        {"session_id": "b"},
        {"session_id": "b"},
        {"session_id": "c", "error": "broken"},
        {"session_id": ""},
    ]
    lines = message("x", {"exports": exports, "new_messages": 1, "total_messages": 2}).splitlines()
    assert lines[-4:] == [
        "Export-Dedup-Session: a\\nExport-Dedup-New: 99",
        "Export-Dedup-Session: b",
        "Export-Dedup-New: 1",
        "Export-Dedup-Total: 2",
    ]
