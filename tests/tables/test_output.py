"""Tables as files: every form says the same, exactly, and a file is there whole or not at all."""

from __future__ import annotations

import io
import json
import os
import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import OutputNotWritable, PackageMissing, StoreError
from deduplication.files import atomic
from deduplication.project import own_output
from deduplication.tables import output, parquet
from deduplication.tables.choice import Choice, Tally
from deduplication.tables.columns import MESSAGES, MOMENT, RUNS, WHOLE
from deduplication.tables.of_store import StoreTable, tables_of
from in_memory_store import MemoryStore
from table_scenes import READERS, commit, content_of, fill, message, said

EVERYTHING = Choice()
every_form = pytest.mark.parametrize("form", output.FORMS)
both = pytest.mark.parametrize("table", [MESSAGES, RUNS], ids=lambda table: table.name)
FIT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


def value_of(column):
    """Any value that a column may have; CSV tells an empty text from nothing only to those who look at the marks."""
    kinds = {
        WHOLE: st.integers(-(1 << 63), (1 << 63) - 1),
        MOMENT: st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    }
    found = kinds.get(column.type, FIT)
    return st.none() | found.filter(lambda value: value != "") if column.optional else found


def rows_of(table):
    """Any rows of a table."""
    return st.lists(st.tuples(*map(value_of, table.columns)), max_size=4)


def in_memory(form, table, rows):
    """The bytes of a table."""
    out = io.BytesIO()
    output.write_stream(out, form, StoreTable(table, iter(rows), Tally()))
    return out.getvalue()


@pytest.mark.unmeasured
@every_form
@both
@given(data=st.data())
def test_what_is_read_is_what_was_written(form, table, data):
    """By a reader that is not ours: every text, every number, every time, and nothing where there was nothing."""
    rows = data.draw(rows_of(table))
    read = READERS[form](in_memory(form, table, rows), table)
    assert [tuple(row.values()) for row in read] == rows


def test_csv_tells_an_empty_text_from_nothing():
    """The one has marks, the other has none."""
    row = dict.fromkeys([column.name for column in MESSAGES.columns]) | {"content": "", "message_index": 1}
    (line,) = in_memory("csv", MESSAGES, [tuple(row.values())]).decode().split("\r\n")[1:-1]
    assert line == ',1,,,,"",' + "," * 9


@every_form
def test_a_store_is_the_same_in_every_form(form, tmp_path):
    """Contents that no reader likes, 2 MB of text, ids with what is no text: all of it comes back."""
    store = MemoryStore()
    count = fill(store)
    done = output.write_files(str(tmp_path / "out"), form, tables_of(store, ["messages", "runs"], EVERYTHING))
    rows, runs = (
        READERS[form]((tmp_path / "out" / f"{table.name}.{form}").read_bytes(), table) for table in (MESSAGES, RUNS)
    )
    assert len(rows) == count
    by_name = {}
    for row in rows:
        by_name.setdefault(row["conversation_id"], []).append(content_of(row))
    assert by_name == {name: said(store, name) for name in store.conversations()}
    assert {row["uuid"] for row in rows} == {None, "u-1", "u\\x00\\udc80"}
    assert [(run["export_name"], run["session"]) for run in runs][:2] == [
        ("2026 é \\udcff.txt", None),
        ("x", "s\\ud800"),
    ]
    assert json.loads(runs[1]["gaps"]) == ["1 to 3\\x00"]
    for name, told in done.items():
        status = os.stat(told.path)
        assert (os.path.basename(told.path), told.size) == (f"{name}.{form}", status.st_size)
        assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "out").st_mode) == 0o700


@every_form
def test_a_table_without_rows_has_its_columns(form):
    """So that a query over it works."""
    assert READERS[form](in_memory(form, MESSAGES, []), MESSAGES) == [] if form != "jsonl" else True


@every_form
def test_another_tool_reads_it(form, tmp_path):
    """DuckDB, by file name alone: counts, sums, times, a join of both tables."""
    duckdb = pytest.importorskip("duckdb")
    store = MemoryStore()
    count = fill(store)
    output.write_files(str(tmp_path), form, tables_of(store, ["messages", "runs"], EVERYTHING))
    source = {name: f"'{tmp_path}/{name}.{form}'" for name in ("messages", "runs")}
    if form == "csv":  # it takes lines of 2 MB at most, unless it is told
        source = {name: f"read_csv({path}, max_line_size=10_000_000)" for name, path in source.items()}
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(
            f"CREATE VIEW messages AS FROM {source['messages']}; CREATE VIEW runs AS FROM {source['runs']}"
        )
        (found,) = database.execute(
            "SELECT count(*), count(DISTINCT conversation_id), sum(redacted), max(length(content)) FROM messages"
        ).fetchall()
        assert found[:3] == (count, 3, 0)
        assert found[3] > 2_000_000
        days = database.execute(
            "SELECT DISTINCT date_trunc('day', CAST(created_at AS TIMESTAMPTZ))::DATE::VARCHAR FROM messages"
            " WHERE clock = 'source' AND created_at IS NOT NULL ORDER BY 1"
        ).fetchall()
        assert days == [("2026-02-03",), ("2026-02-04",)]
        joined = database.execute(
            "SELECT r.conversation_id, sum(r.messages_processed) FROM runs r"
            " WHERE r.conversation_id IN (SELECT conversation_id FROM messages) GROUP BY 1 ORDER BY 2"
        ).fetchall()
        assert [total for _, total in joined] == [3, 7, count - 9]


# --- whole or not at all ------------------------------------------------------------------------------------------


def failing(error, after=1):
    """Rows that end with an error."""
    store = MemoryStore()
    commit(store, "c", [message(str(n)) for n in range(5)])
    (table,) = tables_of(store, ["messages"], EVERYTHING)

    def rows():
        for _ in range(after):
            yield next(table.rows)
        raise error

    return table._replace(rows=rows())


def good():
    """A table that can be written."""
    return tables_of(MemoryStore(), ["runs"], EVERYTHING)[0]


@every_form
@pytest.mark.parametrize("order", [0, 1])
def test_nothing_is_left_of_what_failed(form, order, tmp_path):
    """Neither of the table that failed nor of the other one; what was there is what it was."""
    (tmp_path / f"messages.{form}").write_text("earlier")
    tables = [failing(StoreError("gone")), good()]
    with pytest.raises(StoreError, match="gone"):
        output.write_files(str(tmp_path), form, tables[:: -1 if order else 1], force=True)
    assert os.listdir(tmp_path) == [f"messages.{form}"]
    assert (tmp_path / f"messages.{form}").read_text() == "earlier"


@every_form
def test_a_store_that_cannot_be_read_is_not_the_outputs_fault(form, tmp_path):
    """The error names what failed."""
    with pytest.raises(StoreError, match="Input/output error"):
        output.write_files(str(tmp_path), form, [failing(OSError(5, "Input/output error"))])
    assert os.listdir(tmp_path) == []


@every_form
def test_a_full_disk_is_the_outputs_failure(form, tmp_path, monkeypatch):
    """It is named, and nothing is left."""

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OutputNotWritable, match=r"messages.*No space left on device"):
        output.write_files(str(tmp_path), form, tables_of(MemoryStore(), ["messages"], EVERYTHING))
    assert os.listdir(tmp_path) == []


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    """With ``force`` it is, but neither a folder nor a link is."""
    taken = tmp_path / "runs.csv"
    taken.write_text("mine")
    tables = tables_of(MemoryStore(), ["messages", "runs"], EVERYTHING)
    with pytest.raises(OutputNotWritable, match="is there already"):
        output.write_files(str(tmp_path), "csv", tables)
    assert os.listdir(tmp_path) == ["runs.csv"]
    output.write_files(str(tmp_path), "csv", tables, force=True)
    assert taken.read_text() != "mine"
    taken.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    taken.symlink_to(elsewhere)
    with pytest.raises(OutputNotWritable, match="no file of its own"):
        output.write_files(str(tmp_path), "csv", tables, force=True)
    taken.unlink()
    taken.mkdir()
    with pytest.raises(OutputNotWritable, match="no file of its own"):
        output.write_files(str(tmp_path), "csv", tables, force=True)
    assert elsewhere.read_text() == "mine"


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path):
    """Somebody writes the same table at the same time: one of them is told."""
    (table,) = tables_of(MemoryStore(), ["runs"], EVERYTHING)

    def rows():
        (tmp_path / "runs.csv").write_text("theirs")
        yield from ()

    with pytest.raises(OutputNotWritable):
        output.write_files(str(tmp_path), "csv", [table._replace(rows=rows())])
    assert (tmp_path / "runs.csv").read_text() == "theirs"


def test_a_folder_that_is_none(tmp_path):
    """It is named."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputNotWritable, match="file"):
        output.write_files(str(tmp_path / "file" / "below"), "csv", tables_of(MemoryStore(), ["runs"], EVERYTHING))


# --- Parquet ------------------------------------------------------------------------------------------------------


def test_without_the_package_it_says_what_to_do(tmp_path, monkeypatch):
    """Before anything is written; the other forms need nothing."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(PackageMissing, match="pyarrow") as raised:
        output.write_files(str(tmp_path / "out"), "parquet", tables_of(MemoryStore(), ["runs"], EVERYTHING))
    assert "pip install" in raised.value.hint
    assert not (tmp_path / "out").exists()
    output.write_files(str(tmp_path / "out"), "csv", tables_of(MemoryStore(), ["runs"], EVERYTHING))


@pytest.mark.parametrize(("rows", "characters", "groups"), [(3, 1 << 30, 4), (1_000, 0, 10), (1_000, 1 << 30, 1)])
def test_row_groups(monkeypatch, rows, characters, groups):
    """A row group ends after so many rows or so much text; each is compressed with zstd."""
    from pyarrow.parquet import ParquetFile

    monkeypatch.setattr(parquet, "_ROWS", rows)
    monkeypatch.setattr(parquet, "_CHARACTERS", characters)
    store = MemoryStore()
    commit(store, "c", [message(f"message {n}") for n in range(10)])
    (table,) = tables_of(store, ["messages"], EVERYTHING)
    file = ParquetFile(io.BytesIO(in_memory("parquet", MESSAGES, table.rows)))
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (10, groups)
    assert file.metadata.row_group(0).column(5).compression == "ZSTD"
    assert file.schema_arrow.metadata[b"export-dedup.table"] == b"messages"
    assert file.schema_arrow.metadata[b"export-dedup.version"] == b"1"


@every_form
@both
def test_it_is_told_from_an_export(form, table):
    """Found where exports lie, it is not taken for one."""
    store = MemoryStore()
    commit(store, "c", [message("❯ a prompt"), message("an answer")])
    ((_, rows, _),) = tables_of(store, [table.name], EVERYTHING)
    kind = own_output.kind_of(in_memory(form, table, rows))
    assert kind == ("" if form == "parquet" else f"a table of {table.name}")
