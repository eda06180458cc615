"""The columns are a promise: docs/tables.md lists them, and no release changes them unnoticed."""

from __future__ import annotations

import re

import pytest

from conftest import REPOSITORY
from deduplication.tables.columns import MESSAGES, RUNS, VERSION

PAGE = REPOSITORY / "docs" / "tables.md"
TYPES = {"text": "text", "whole": "whole number", "moment": "time"}


@pytest.mark.parametrize("table", [MESSAGES, RUNS], ids=lambda table: table.name)
def test_the_page_lists_the_columns(table):
    """In their order, with their type, and whether they may be empty."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## The table {table.name}\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| ([\w ]+?)(, or empty)? \|", section, re.MULTILINE)
    assert listed == [
        (column.name, TYPES[column.type], ", or empty" if column.optional else "") for column in table.columns
    ]


def test_the_columns_of_version_1():
    """Whoever changes one raises the version, or has added one at the end."""
    assert VERSION == 1
    assert [column.name for column in MESSAGES.columns][:16] == [
        "conversation_id",
        "message_index",
        "reading_position",
        "role",
        "kind",
        "content",
        "content_type",
        "content_hash",
        "created_at",
        "timestamp",
        "clock",
        "fidelity",
        "source_index",
        "uuid",
        "extends",
        "redacted",
    ]
    assert [column.name for column in RUNS.columns][:18] == [
        "conversation_id",
        "operation",
        "created_at",
        "messages_processed",
        "new_messages",
        "captured_messages",
        "captured_before",
        "duplicates_filtered",
        "purged_messages",
        "processing_time_ms",
        "export_name",
        "export_sha256",
        "export_bytes",
        "known_bytes",
        "format",
        "parser",
        "session",
        "gaps",
    ]
