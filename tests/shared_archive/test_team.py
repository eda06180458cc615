"""Whoever may read somebody else's rows restores from them, and nobody else does."""

from __future__ import annotations

import pytest

from archive_scenes import texts
from archives import Archives
from deduplication.storage.database import schema
from deduplication.storage.database.place import Place
from postgres_scripts import psql


@pytest.fixture
def team(postgres, tmp_path):
    """Two who store, and one who reads what belongs to everybody; the tables are the administrator's."""
    name = postgres.new_database()
    with postgres.connect(name) as connection:
        schema.bring_up(connection)
    psql(postgres, name, "create_roles.sql")
    people = {
        "archive_ann": "dedup_app_role",
        "archive_ben": "dedup_app_role",
        "archive_tess": "dedup_reader_role, dedup_team_role",
    }
    for person, roles in people.items():
        postgres.execute(f"CREATE ROLE {person} LOGIN IN ROLE {roles}")
    yield {person: Archives(tmp_path / person, postgres.dsn(name, user=person)) for person in people}
    postgres.drop_database(name)
    roles = "dedup_owner_role, dedup_app_role, dedup_reader_role, dedup_purge_role, dedup_team_role"
    postgres.execute(f"DROP ROLE {', '.join(people)}, {roles}")


def test_a_reader_restores_from_the_archive_of_somebody_else(team):
    """Byte for byte, from a temporary folder: nothing of it is kept beside the reader's own archive."""
    ann, ben, tess = team.values()
    files = texts(4)
    for name, data in files.items():
        ann.add("a", {name: data})
        assert ann.send("a").problems == []
    mine = {"mine.txt": b"Mine.\n"}
    tess.add("t", mine)
    assert tess.restored("t", place=Place(tess.place.told, owner="archive_ann"), here=False) == (files, [])
    assert tess.restored("t") == (mine, [])
    assert ben.restored("b", place=Place(ben.place.told, owner="archive_ann"), here=False) == ({}, [])
    assert not list(tess.folder.rglob(".fetched"))
