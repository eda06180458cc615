"""The migration speaks in the original design's words: whoever reads its output with a script reads this one."""

from __future__ import annotations

import inspect

from deduplication.reports import json_migration as report
from deduplication.terminal.display import adapt

GOLDEN = """\
✅ Connected to PostgreSQL database

📊 Migrating 2 watermarks...
  ✅ rollout-master: watermark=25
  ✅ framework-development: watermark=-1
✅ Migrated 2 watermarks

📊 Content hashes for 2 conversations
  ✅ rollout-master: 26 unique hashes
  ✅ framework-development: 0 unique hashes
✅ Content hashes verified (stored in messages table)

📊 Migrating conversation log...
  ✅ Migrated 100 messages...
  ✅ Migrated 200 messages...
✅ Migrated 206 messages from conversation log

📊 Updating conversation totals...
✅ Updated conversation totals

🔍 Verifying migration integrity...
  ✅ Conversations: 2
  ✅ Messages: 206
  ✅ Watermarks: 2
  ✅ All message counts match

✅ Migration verification complete!

============================================================
✅ MIGRATION COMPLETE
============================================================
"""
WITHOUT_FILES = """\
⚠️  Watermarks file not found: state/watermarks.json
⚠️  Content hashes file not found: state/content_hashes.json
⚠️  Conversation log not found: state/conversation_log.jsonl
  ⚠️  Total message count mismatches:
    rollout-master: expected=26, actual=25
    framework-development: expected=0, actual=3
❌ Migration failed: connection refused
"""


def whole(*lines):
    """What is printed, line by line."""
    return "".join(f"{line}\n" for line in lines)


def test_a_migration_that_goes_well():
    """Every label, in the order in which a run has them."""
    assert (
        whole(
            report.connected(),
            report.watermarks(2),
            report.watermark("rollout-master", 25),
            report.watermark("framework-development", -1),
            report.watermarks_done(2),
            report.hashes(2),
            report.hashes_of("rollout-master", 26),
            report.hashes_of("framework-development", 0),
            report.hashes_done(),
            report.log(),
            report.messages_so_far(report.EACH),
            report.messages_so_far(2 * report.EACH),
            report.log_done(206),
            report.totals(),
            report.totals_done(),
            report.verifying(),
            report.counted(2, 206, 2),
            report.message_counts(()),
            report.verified(),
            report.complete(),
        )
        == GOLDEN
    )


def test_what_is_missing_and_what_does_not_match():
    """Files that are not there, counts that are others, and the end of a migration that failed."""
    assert (
        whole(
            report.watermarks_missing("state/watermarks.json"),
            report.hashes_missing("state/content_hashes.json"),
            report.log_missing("state/conversation_log.jsonl"),
            report.message_counts([("rollout-master", 26, 25), ("framework-development", 0, 3)]),
            report.failed("connection refused"),
        )
        == WITHOUT_FILES
    )


def test_every_line_is_tried():
    """No function of the presenter is without its line above."""
    source = inspect.getsource(inspect.getmodule(test_every_line_is_tried))
    functions = [
        name for name, each in inspect.getmembers(report, inspect.isfunction) if each.__module__ == report.__name__
    ]
    assert [name for name in functions if f"report.{name}(" not in source] == []


def test_what_an_id_says_is_shown_and_not_obeyed():
    """Ids, paths and errors of a database may hold what a terminal would obey, or a line of ours."""
    hostile = "\x1b[2J\n✅ MIGRATION COMPLETE"
    for line in (
        report.watermark(hostile, 1),
        report.hashes_of(hostile, 1),
        report.failed(hostile),
        report.log_missing(hostile),
        report.message_counts([(hostile, 1, 2)]).splitlines()[1],
    ):
        assert "\x1b" not in line
        assert "\n" not in line


def test_a_console_without_unicode():
    """Gets ASCII labels, every one of them."""
    assert adapt(GOLDEN + WITHOUT_FILES, unicode=False).isascii()


def test_what_the_original_did_not_say():
    """A copy is kept, a migration that was stopped goes on, and what cannot be read is named."""
    assert report.copied("/x/copy", made=True) == (
        "💾 A copy of the folder is in /x/copy. Keep it for 30 days, then delete it: a purge does not reach it."
    )
    assert "made before" in report.copied("/x/copy", made=False)
    assert "10 of 20 bytes" in report.went_on(10, 20)
    assert report.left_out("line 3: no JSON") == "  ⚠️  line 3: no JSON"
