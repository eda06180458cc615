"""``deduplicate_export.py search`` and ``show`` as processes."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deduplication import ClaudeConversationDeduplicator
from deduplication.hooks.quick import user_store
from deduplication.ingest.transcript_capture import capture_file
from deduplication.model import BOOKKEEPING, EXACT, Export, Message
from in_process import call
from transcript_lines import day

MOMENT = "2026-03-{:02}T10:{:02}:00.000Z"


def put(root, conversation, *said, day=1, store=None):
    """Store what was said in a conversation: (role, kind, content) each, a minute apart."""
    messages = tuple(
        Message(role, kind, content, uuid=f"{conversation} {n}", timestamp=MOMENT.format(day, n), fidelity=EXACT)
        for n, (role, kind, content) in enumerate(said)
    )
    dedup = ClaudeConversationDeduplicator(store or root / "MEMORY-CONTEXT" / "dedup_state")
    export = Export("test", messages, conversation_id=conversation)
    dedup.ingest_export(
        export, name=conversation, sha256=hashlib.sha256(conversation.encode()).hexdigest(), raw_bytes=1
    )


@pytest.fixture
def utc():
    """Times of day are those of Greenwich, in this process too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def project(tmp_path, utc):
    """A project with two conversations."""
    root = tmp_path / "my project"
    put(
        root,
        "alpha",
        ("user", "prompt", "Where is the harbour crane?"),
        ("assistant", "tool_call", {"name": "Bash", "input": {"command": "grep harbour notes.txt"}}),
        ("system", "tool_result", "harbour: `crane` 4 ```"),
        ("assistant", "text", "The harbour crane stands\nat the north quay.\n\n```\nnever closed"),
        ("user", BOOKKEEPING, "/export harbour.txt"),
        ("user", "prompt", "yes"),
    )
    put(root, "beta-1", ("user", "prompt", "yes"), ("assistant", "text", "A harbour\x1b[2J in \u202eBergen"), day=2)
    return root


@pytest.fixture
def run(project):
    """Run a subcommand in the project."""

    def subcommand(*arguments, where=None, cwd=None):
        options = ("--project", where or project) if where is not False else ()
        return call(*arguments, *options, cwd=cwd or project)

    return subcommand


# --- search -------------------------------------------------------------------------------------------------------


def test_a_person_reads_where_and_what(run):
    """Conversation, number, time, who; the words marked; the command that shows the place; the newest first."""
    done = run("search", "harbour", "crane")
    assert (done.returncode, done.stderr) == (0, "")
    heads = re.findall(r"^\w.* · .*$", done.stdout, re.MULTILINE)
    assert heads == [
        "Where is the harbour crane? · alpha · 3 · 2026-03-01 10:03 · assistant",
        "Where is the harbour crane? · alpha · 2 · 2026-03-01 10:02 · system tool result",
        "Where is the harbour crane? · alpha · 0 · 2026-03-01 10:00 · user",
    ]
    assert "   The «harbour» «crane» stands at the north quay. ``` never closed\n" in done.stdout
    assert "   → show alpha --around 3\n" in done.stdout
    assert done.stdout.startswith("🔎 export-dedup search: 3 messages with harbour crane\n")


def test_the_command_that_is_shown_shows_the_place(run, project):
    """What search names can be typed: the message is in what it prints."""
    (hit,) = json.loads(run("search", "north quay", "--json").stdout)["hits"]
    done = run(*hit["show"].split(" "))
    assert "── 🤖 Assistant · 3 · 2026-03-01 10:03 ──\nThe harbour crane stands" in done.stdout


def test_terminal_escapes_in_content_are_harmless(run):
    """What a terminal would obey is shown as an escape, in search and show."""
    for done in (run("search", "bergen"), run("show", "beta")):
        assert "\\x1b[2J in \\u202e" in done.stdout
        assert "\x1b" not in done.stdout


def test_colour_is_for_terminals_only(repository, project):
    """On a terminal the words are coloured; NO_COLOR is respected; a pipe gets marks."""

    def on_a_terminal(**environment):
        leader, follower = pty.openpty()
        command = [sys.executable, str(repository / "scripts" / "deduplicate_export.py"), "search", "bergen"]
        subprocess.run(
            [*command, "--project", str(project)],
            stdout=follower,
            stdin=follower,
            check=True,
            env={**os.environ, "TERM": "xterm", **environment},
        )
        os.close(follower)
        shown = os.read(leader, 65536).decode()
        os.close(leader)
        return shown

    assert "\x1b[1;33mBergen\x1b[0m" in on_a_terminal()
    assert "«Bergen»" in on_a_terminal(NO_COLOR="1")


def test_nothing_found_is_no_failure(run, tmp_path):
    """Exit code 0, and it is said; without a store it is 1."""
    done = run("search", "lighthouse")
    assert (done.returncode, done.stdout) == (0, "🔎 export-dedup search: no message with lighthouse\n")
    (tmp_path / "empty").mkdir()
    missing = run("search", "harbour", where=tmp_path / "empty")
    assert missing.returncode == 1
    assert "There is no message store" in missing.stderr
    assert os.listdir(tmp_path / "empty") == []


def test_json_is_one_object(run):
    """Every fact of a hit: content, places, excerpts, store."""
    said = json.loads(run("search", "yes", "--json").stdout)
    (hit,) = said["hits"]
    assert (said["query"], said["total"], said["damaged_lines"]) == ("yes", 1, 0)
    assert (hit["conversation_id"], hit["index"], hit["kind"], hit["content"]) == ("beta-1", 0, "prompt", "yes")
    assert [(place["conversation_id"], place["index"]) for place in hit["places"]] == [("alpha", 5), ("beta-1", 0)]
    assert hit["storage_dir"].endswith("dedup_state")


def test_limit_context_and_filters(run):
    """As many as asked for; messages beside a hit; one conversation, role, kind."""
    done = run("search", "harbour", "--limit", "1", "--context", "1")
    assert "5 messages with harbour, the newest 1 of them (--limit 5 shows all)" in done.stdout
    assert "     0 user: yes\n   > A «harbour»\\x1b[2J in \\u202eBergen\n   → show beta-1 --around 1" in done.stdout
    assert "1 message with" in run("search", "harbour", "--role", "user").stdout
    assert "1 message with" in run("search", "harbour", "--kind", "tool_call").stdout
    assert "1 message with" in run("search", "harbour", "--session", "beta").stdout
    json_hit = json.loads(run("search", "bergen", "--context", "1", "--json").stdout)["hits"][0]
    assert [message["index"] for message in json_hit["context"]] == [0, 1]


def test_times_narrow_a_search(run):
    """A day is all of it; what is no time is a usage error."""
    newest = json.loads(run("search", "yes", "--json").stdout)["hits"][0]["timestamp"][:10]
    assert "1 message with" in run("search", "yes", "--since", newest).stdout
    assert "1 message with" in run("search", "yes", "--until", newest).stdout
    assert "no message" in run("search", "yes", "--since", "2031-01-01").stdout
    assert "no message" in run("search", "yes", "--until", "2021-01-01").stdout
    assert run("search", "yes", "--since", "soon").returncode == 2


def test_a_regular_expression(run):
    """Alone or beside words, with what it matches marked; case counts. One that could take for ever is refused."""
    done = run("search", "--regex", r"crane[?` ]\s?\d")
    assert "1 message with --regex" in done.stdout
    assert "harbour: `«crane` 4» ```" in done.stdout
    assert "no message" in run("search", "--regex", "HARBOUR").stdout
    both = run("search", "quay", "--regex", "[Hh]arbour").stdout
    assert "1 message with quay --regex [Hh]arbour" in both
    for wrong in ("(", "(a+)+b", ""):
        refused = run("search", "--regex", wrong)
        assert (refused.returncode, refused.stdout) == (2, "")


def test_what_is_near_is_no_hit(run):
    """Where nothing has all words some that have most are shown, apart; the answer says that there are none."""
    done = run("search", "harbour", "lighthouse")
    assert done.stdout.startswith(
        "🔎 export-dedup search: no message with harbour lighthouse\nThese are near, with harbour:\n"
    )
    said = json.loads(run("search", "crane harbour", "--json").stdout)
    assert (said["total"], said["hits"], said["near"]["query"]) == (0, [], "crane harbour")
    assert 1 <= len(said["near"]["hits"]) <= 3
    assert "near" not in json.loads(run("search", "lighthouse", "--json").stdout)


def test_what_has_no_filter_is_said(run, project, monkeypatch):
    """How many bytes were read from end to end, and that runs and pack make filters."""
    from deduplication.reports import search as report

    monkeypatch.setattr(report, "SAID", 100)
    assert json.loads(run("search", "yes", "--json").stdout)["unfiltered_bytes"] > 1_000
    assert "have no filters yet and were read from end to end" in run("search", "yes").stdout


def test_a_limit_of_characters_cuts_between_messages(run):
    """What does not fit is counted, and nothing is cut in the middle."""
    done = run("search", "harbour", "--characters", "520")
    assert len(done.stdout) <= 521
    assert re.search(r"… and \d more\.", done.stdout)


@pytest.mark.parametrize(
    "arguments",
    [(), ("",), ("x", "--role", "robot"), ("x", "--limit", "-1"), ("x", "--session", "a", "--all-stores")],
    ids=str,
)
def test_what_cannot_be_searched_for(run, arguments):
    """A usage error, exit code 2."""
    assert run("search", *arguments).returncode == 2


def test_all_stores_of_the_user(run, project, tmp_path):
    """The project's store and those that hooks keep for other projects; each hit says where it is; the session is a prefix."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    state = Path(user_store(str(other))) / "MEMORY-CONTEXT" / "dedup_state"
    put(other, "gamma", ("user", "prompt", "another harbour"), day=3, store=state)
    assert "5 messages" in run("search", "harbour").stdout
    done = run("search", "harbour", "--all-stores", "--context", "1")
    assert "6 messages" in done.stdout
    assert f"→ show gamma --around 0 --storage-dir {state}" in done.stdout
    alone = run("search", "harbour", where=other)
    assert "1 message with harbour" in alone.stdout  # the project did not opt in: its own store is the user's
    assert os.listdir(other) == []
    (tmp_path / "none").mkdir()
    assert "1 message" in run("search", "harbour", "--all-stores", where=tmp_path / "none").stdout


def test_a_damaged_line_is_said(run, project):
    """The search goes on, and says what it could not read."""
    log = project / "MEMORY-CONTEXT" / "dedup_state" / "conversation_log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Bergen", b"Berlin"))
    done = run("search", "berlin")
    assert done.returncode == 0
    assert "⚠ 1 damaged line" in done.stdout


# --- show ---------------------------------------------------------------------------------------------------------


def test_without_a_name_conversations_are_listed(run):
    """The newest first, with their times and counts."""
    done = run("show")
    assert done.stdout == (
        "💬 export-dedup show: 2 conversations, the newest first\n\n"
        "yes\n   beta-1\n   2026-03-02 10:00 to 2026-03-02 10:01 · 2 messages · 1 export\n\n"
        "Where is the harbour crane?\n   alpha\n   2026-03-01 10:00 to 2026-03-01 10:05 · 5 messages · 1 export\n"
    )
    listed = json.loads(run("show", "--format", "json").stdout)
    assert [(each["conversation_id"], each["messages"], each["unconnected_runs"]) for each in listed] == [
        ("beta-1", 2, 1),
        ("alpha", 5, 1),
    ]


def test_a_conversation_is_printed_in_order(run):
    """Every message with its heading; bookkeeping is left out of the text."""
    done = run("show", "alp")
    assert done.stdout.startswith(
        "💬 export-dedup show: Where is the harbour crane? (5 messages)\n   alpha\n\n── 👤 User · 0 ·"
    )
    assert [int(n) for n in re.findall(r"^── .*? · (\d+) · ", done.stdout, re.MULTILINE)] == [0, 1, 2, 3, 5]
    assert "/export" not in done.stdout
    assert "name: Bash\ncommand: grep harbour notes.txt" in done.stdout


@pytest.mark.parametrize(("form", "name"), [("json", "json"), ("html", "html"), ("markdown", "md")])
def test_documents_are_those_of_session(run, project, form, name):
    """Byte for byte, on the screen and in a file: there is one way to make them."""
    run("session", "alpha", "--format", name, "--output", "session.out")
    expected = (project / "session.out").read_text(encoding="utf-8")
    assert run("show", "alpha", "--format", form).stdout == expected
    run("show", "alpha", "--format", form, "--output", "show.out")
    assert (project / "show.out").read_text(encoding="utf-8") == expected


def test_a_document_of_a_part_has_that_part(run):
    """Chosen as for the screen; what is left out is nowhere in it."""
    told = json.loads(run("show", "alpha", "--format", "json", "--from", "1", "--to", "3", "--no-tools").stdout)
    assert [message["index"] for message in told["messages"]] == [3]
    page = run("show", "alpha", "--format", "html", "--last", "2").stdout
    assert "id=m5" in page
    assert "id=m0" not in page
    assert run("show", "alpha", "--format", "html", "--last", "0").returncode == 2


def test_the_screen_is_private_and_documents_may_be_passed_on(run, project):
    """Text has what was said; in Markdown, pages and JSON secrets are redacted, in a file as on the screen."""
    secret = "glpat-AbCdEf12GhIjKl34MnOp"
    put(project, "keys", ("user", "prompt", f"the token is {secret}"), day=4)
    assert secret in run("show", "keys").stdout
    for form in ("markdown", "html", "json"):
        shown = run("show", "keys", "--format", form).stdout
        assert secret not in shown
        assert "REDACTED:gitlab-token" in shown.replace("\\", "")


def test_markdown_on_a_narrow_screen_is_cut_between_paragraphs(run):
    """As the client shows it: so many characters, and how to see the rest."""
    shown = run("show", "alpha", "--format", "markdown", "--characters", "300").stdout
    assert len(shown) <= 301
    assert "more left out" in shown


CHOSEN = {
    "around": (("--around", "3"), [0, 1, 2, 3, 5]),
    "from": (("--from", "2"), [2, 3, 5]),
    "to": (("--to", "1"), [0, 1]),
    "from to": (("--from", "1", "--to", "3"), [1, 2, 3]),
    "last": (("--last", "2"), [5]),  # the one before it is bookkeeping
    "last of none": (("--last", "0"), []),
    "no tools": (("--no-tools",), [0, 3, 5]),
}


@pytest.mark.parametrize(("options", "numbers"), CHOSEN.values(), ids=CHOSEN)
def test_a_part_of_a_conversation(run, options, numbers):
    """The messages asked for, by number, in reading order."""
    shown = run("show", "alpha", *options).stdout
    assert [int(n) for n in re.findall(r"^── .*? · (\d+) · ", shown, re.MULTILINE)] == numbers


def test_a_file_takes_the_output(run, project):
    """Written whole and private; never over the store."""
    done = run("show", "alpha", "--output", "talk.md", "--format", "markdown")
    assert (done.returncode, done.stdout) == (0, "")
    assert (project / "talk.md").read_text(encoding="utf-8").startswith("# Where is the harbour crane?\n")
    assert (project / "talk.md").stat().st_mode & 0o777 == 0o600
    refused = run("show", "alpha", "--output", "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl")
    assert refused.returncode == 1
    assert "lies where" in refused.stderr
    assert run("show", "--output", "list.json", "--format", "json").returncode == 0
    assert len(json.loads((project / "list.json").read_text())) == 2


def test_it_must_be_clear_which_conversation_is_meant(run, project):
    """An ambiguous beginning names the candidates; an exact id wins over a longer one; an unknown one is a failure."""
    put(project, "beta-12", ("user", "prompt", "longer"), day=4)
    done = run("show", "beta")
    assert done.returncode == 1
    assert "'beta' begins beta-1, beta-12" in done.stderr
    assert "yes (2 messages)\n   beta-1\n" in run("show", "beta-1").stdout
    unknown = run("show", "nobody")
    assert unknown.returncode == 1
    assert "none begins with 'nobody'" in unknown.stderr
    for n in range(20):
        put(project, f"c{n:02}", ("user", "prompt", f"{n}"), day=4)
    assert re.search(r"c00, .*c07 and 12 more", run("search", "x", "--session", "c").stderr)


def test_every_kind_has_a_heading(project, run):
    """Thinking, summaries, notices and odd roles are named; blocks are text; several sessions are counted."""
    put(
        project,
        "zeta",
        ("assistant", "thinking", "hm"),
        ("system", "summary", "What was said"),
        ("system", "text", "You are a clock."),
        ("assistant", "text", [{"type": "text", "text": "in blocks"}]),
        ("user", "local_command", "/model"),
        day=5,
    )
    shown = run("show", "zeta").stdout
    headings = [line.split(" · ")[0] for line in shown.splitlines() if line.startswith("── ")]
    assert headings == ["── 💭 Thinking", "── 📝 Summary", "── system text", "── 🤖 Assistant", "── user local command"]
    assert "──\nin blocks\n" in shown


def test_captured_sessions_are_counted(project, run):
    """A conversation tells how many transcripts went into it; the command names a store that was named to it."""
    transcript = project / "s.jsonl"
    transcript.write_bytes(day(1))
    state = project / "MEMORY-CONTEXT" / "dedup_state"
    capture_file(ClaudeConversationDeduplicator(state), transcript)
    assert "2 messages · 0 exports · 1 transcript captured" in run("show").stdout
    assert f"--storage-dir {state} …" in run(
        "search", "cranes", "--storage-dir", str(state), where=False
    ).stdout.replace("'", "")
    refused = run("search", "cranes", "--storage-dir", "", where=False)
    assert refused.returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--around", "1"),
        ("alpha", "--around", "99"),
        ("alpha", "--around", "1", "--last", "2"),
        ("alpha", "--output", ""),
        ("--no-tools",),
        ("--format", "markdown"),
    ],
    ids=str,
)
def test_what_cannot_be_shown(run, arguments):
    """A usage error, exit code 2, that says which numbers there are."""
    done = run("show", *arguments)
    assert done.returncode == 2
    if "99" in arguments:
        assert "Its numbers go from 0 to 5." in done.stderr


def test_a_limit_of_characters_keeps_the_end(run, project):
    """Of a conversation the last messages are kept, of a list the first ones; how to see the rest is said."""
    shown = run("show", "alpha", "--characters", "400").stdout
    assert len(shown) <= 401
    assert shown.rstrip().endswith("yes")
    assert re.search(r"… \d more left out\. The whole of it: python3 .+ show alpha .* --output FILE", shown)
    for n in range(9):
        put(project, f"later {n}", ("user", "prompt", f"later {n}"), day=3 + n)
    listed = run("show", "--characters", "700").stdout
    assert len(listed) <= 701
    assert "later-8" in listed
    assert "\nalpha" not in listed


def test_a_gap_between_runs_is_shown(run, project):
    """Two runs that nothing connects are not printed as if one followed the other."""
    state = project / "MEMORY-CONTEXT" / "dedup_state"
    dedup = ClaudeConversationDeduplicator(state)
    for n, text in enumerate(("first run", "second run")):
        dedup.process_export("delta", {"messages": [{"role": "user", "content": f"{text} {n} of nothing else"}]})
    for form in ("text", "markdown"):
        assert run("show", "delta", "--format", form).stdout.count("Nothing that was captured connects") == 1
    assert "⚠ 2 runs that nothing connects" in run("show").stdout


def test_a_shorter_form_is_found_where_the_longer_one_stands(run, project):
    """A number of an earlier form of a message leads to its place."""
    state = project / "MEMORY-CONTEXT" / "dedup_state"
    dedup = ClaudeConversationDeduplicator(state)
    for n, text in enumerate(("the quay", "the quay is long", "the quay is long and old")):
        message = Message("assistant", "text", text, uuid="grown", fidelity=EXACT)
        export = Export("test", (message,), conversation_id="epsilon")
        dedup.ingest_export(export, name="x", sha256=f"e{n}" * 32, raw_bytes=1)
    for number in ("0", "1", "2"):
        assert "the quay is long and old" in run("show", "epsilon", "--around", number).stdout


def test_a_lost_message_is_named(run, project):
    """A message whose line is damaged keeps its place, and says so."""
    state = project / "MEMORY-CONTEXT" / "dedup_state"
    log = state / "conversation_log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Where is", b"Whexx is"))
    assert run("rebuild").returncode == 1
    assert "This message was lost" in run("show", "alpha").stdout
