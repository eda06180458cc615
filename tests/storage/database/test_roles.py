"""Who may what in a database that several people share: each right, and each "may not"."""

from __future__ import annotations

import pytest

import postgres_rows
from deduplication.storage.database import schema
from postgres_catalogue import catalogue
from postgres_rows import OWNED, fill, insert
from postgres_scripts import psql

psycopg = pytest.importorskip("psycopg")

REFUSED = psycopg.errors.InsufficientPrivilege
ROLES = ("dedup_owner_role", "dedup_app_role", "dedup_reader_role", "dedup_purge_role", "dedup_team_role")
PEOPLE = {
    "ann": "dedup_app_role",
    "ben": "dedup_app_role",
    "rita": "dedup_reader_role",
    "paul": "dedup_app_role, dedup_purge_role",
    "tess": "dedup_app_role, dedup_team_role",
    "tom": "dedup_team_role",
    "olga": "dedup_owner_role",
}
WRITERS = ("ann", "ben", "paul", "tess")
APPEND_ONLY = ("messages", "runs", "deduplication_log")
CHANGED_BY_APP = {"conversations", "watermarks", "stores", "index_entries"}


@pytest.fixture(scope="module")
def shared(postgres_servers):
    """A database a server with roles and people, each with rows of their own: other databases are copies of it."""
    made = {}

    def template(server):
        if server.major not in made:
            name = made[server.major] = server.new_database()
            with server.connect(name) as connection:
                schema.bring_up(connection)
            psql(server, name, "create_roles.sql")
            for person, roles in PEOPLE.items():
                server.execute(f"CREATE ROLE {person} LOGIN IN ROLE {roles}")
            for person in WRITERS:
                with server.connect(name, person) as connection:
                    fill(connection)
        return made[server.major]

    yield template
    for major, name in made.items():
        server = postgres_servers(str(major))
        server.drop_database(name)
        server.execute(f"DROP ROLE {', '.join((*PEOPLE, *ROLES))}")


@pytest.fixture
def team(postgres, shared):
    """Connects a person to a database of the test's own."""
    name = postgres.new_database(shared(postgres))
    open_ones = []

    def connect(person, **more):
        open_ones.append(postgres.connect(name, person, **more))
        return open_ones[-1]

    connect.database = name
    connect.server = postgres
    yield connect
    for connection in open_ones:
        connection.close()
    postgres.drop_database(name)


def counts(connection):
    """How many rows of each table this person sees."""
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in OWNED}


OWN = dict.fromkeys(OWNED, 1) | {"messages": 3}
ALL = {table: count * len(WRITERS) for table, count in OWN.items()}
NONE = dict.fromkeys(OWNED, 0)


# --- what the application needs -----------------------------------------------------------------------------------


def test_the_application_can_store(team):
    """It adds to every table, moves what follows from the log, and forgets entries of the index."""
    ann = team("ann")
    for table in OWNED[1:]:
        insert(ann, table, conversation="another", number=1)
    ann.execute("UPDATE conversations SET total_messages = 3, state = '{}'")
    ann.execute("UPDATE watermarks SET highest_index = 5")
    ann.execute("UPDATE stores SET log_size = 10 WHERE owner = current_user")
    ann.execute("INSERT INTO index_entries (name, key, value) VALUES ('n', 'k', 'v')")
    ann.execute("UPDATE index_entries SET value = 'w'")
    ann.execute("DELETE FROM index_entries")
    assert schema.version(ann) == schema.bring_up(ann) == schema.newest()
    assert counts(ann)["messages"] == 6


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET created_at = now()", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_may_not_change_the_log(team, table, verb):
    """No UPDATE, DELETE or TRUNCATE of messages, runs and the audit, not even of no row, nor with a purge announced."""
    ann = team("ann")
    for announced in ("", "SET export_dedup.purging = 'on'"):
        if announced:
            ann.execute(announced)
        with pytest.raises(REFUSED, match="permission denied"):
            ann.execute(verb.format(table))
    assert counts(ann) == OWN


@pytest.mark.parametrize("table", [*OWNED, "schema_version"])
def test_what_else_the_application_may_not(team, table):
    """It deletes nothing but entries of the index and packs that were taken in, and changes only what follows from the log."""
    ann = team("ann")
    statements = [f"TRUNCATE {table} CASCADE", f"DROP TABLE {table}", f"ALTER TABLE {table} ADD COLUMN x INTEGER"]
    statements.append(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    if table not in ("index_entries", "archive_objects"):
        statements.append(f"DELETE FROM {table}")
    if table == "schema_version":
        statements += ["INSERT INTO schema_version VALUES (1000, 'x')", "UPDATE schema_version SET version = 1000"]
    elif table not in CHANGED_BY_APP:
        statements.append(f"UPDATE {table} SET owner = owner")
    for statement in statements:
        with pytest.raises(REFUSED):
            ann.execute(statement)
    assert counts(ann) == OWN


def test_the_application_may_not_switch_triggers_off(team):
    """What keeps the log append-only cannot be taken away by whom it binds."""
    ann = team("ann")
    for statement in (
        "ALTER TABLE messages DISABLE TRIGGER trg_messages_append_only",
        "DROP TRIGGER trg_messages_append_only ON messages",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_unannounced_change() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET ROLE dedup_owner_role",
        "SET ROLE dedup_purge_role",
    ):
        with pytest.raises(REFUSED):
            ann.execute(statement)


# --- everybody's own rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", WRITERS[:3])
def test_each_user_sees_only_their_own(team, person):
    """In every table."""
    connection = team(person)
    assert counts(connection) == OWN
    for table in OWNED:
        assert connection.execute(f"SELECT DISTINCT owner FROM {table}").fetchall() == [(person,)]


@pytest.mark.parametrize("table", OWNED)
def test_nobody_writes_rows_of_another_owner(team, table):
    """An INSERT in another's name is refused, an UPDATE that would give a row away, too; another's rows are not found."""
    ann, ben = team("ann"), team("ben")
    before = rows(team, table, "ben")
    with pytest.raises(REFUSED, match="row-level security"):
        insert(ann, table, owner="ben", conversation="tide-clock", number=7, first=50)
    if table in CHANGED_BY_APP:
        with pytest.raises(REFUSED, match="row-level security"):
            ann.execute(f"UPDATE {table} SET owner = 'ben'")
        assert ann.execute(f"UPDATE {table} SET owner = owner WHERE owner = 'ben'").rowcount == 0
    if table == "index_entries":
        assert ann.execute("DELETE FROM index_entries").rowcount == 1
    assert rows(team, table, "ben") == before
    assert counts(ben) == OWN


def rows(team, table, owner):
    """All rows of an owner, as the superuser sees them."""
    return team.server.execute(
        f"SELECT t.*::TEXT FROM {table} AS t WHERE owner = %s ORDER BY 1", [owner], database=team.database
    )


def test_two_owners_have_the_same_conversation(team):
    """The same id and the same sequence numbers, each in a store of their own: nobody is told that another has them."""
    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(team("ann"), "conversations")
    assert counts(team("ann")) == counts(team("ben"))


def test_the_words_of_another_are_not_found(team):
    """A search sees what its user sees."""
    query = "SELECT owner FROM messages WHERE words @@ to_tsquery('simple', 'storage')"
    assert set(team("ann").execute(query).fetchall()) == {("ann",)}
    assert set(team("tom").execute(query).fetchall()) == {(person,) for person in WRITERS}


# --- reader and team ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["rita", "tom"])
@pytest.mark.parametrize("table", [*OWNED, "schema_version"])
def test_who_reads_may_not_write(team, person, table):
    """Neither a reader nor the team adds, changes, deletes or empties anything, in whomever's name."""
    connection = team(person)
    for statement in (
        f"UPDATE {table} SET {first_column(table)} = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
    ):
        with pytest.raises(REFUSED):
            connection.execute(statement)
    for owner in (person, "ann") if table in OWNED else ():
        with pytest.raises(REFUSED):
            insert(connection, table, owner=owner, conversation="another")


def first_column(table):
    """A column that every row has."""
    return "owner" if table in OWNED else "applied_at"


def test_a_reader_reads(team):
    """Rows that belong to the reader, which is nobody's but the reader's own, and the version of the tables."""
    rita = team("rita")
    assert counts(rita) == NONE
    team.server.execute("INSERT INTO stores VALUES ('rita', 0, '', '{}')", database=team.database)
    assert counts(rita)["stores"] == 1
    assert schema.bring_up(rita) == schema.newest()


@pytest.mark.parametrize("person", ["tom", "tess"])
def test_the_team_reads_everybodys(team, person):
    """All rows of all owners, in every table."""
    assert counts(team(person)) == ALL


@pytest.mark.parametrize("table", OWNED)
def test_the_team_writes_nothing_of_others(team, table):
    """Who stores and reads the team's rows still writes only their own."""
    tess = team("tess")
    before = rows(team, table, "ann")
    with pytest.raises(REFUSED, match="row-level security"):
        insert(tess, table, owner="ann", conversation="tide-clock", number=7, first=50)
    if table in CHANGED_BY_APP:
        assert tess.execute(f"UPDATE {table} SET owner = owner").rowcount == 1
        with pytest.raises(REFUSED, match="row-level security"):
            tess.execute(f"UPDATE {table} SET owner = 'ann'")
    if table == "index_entries":
        assert tess.execute("DELETE FROM index_entries").rowcount == 1
    assert rows(team, table, "ann") == before


# --- purging ------------------------------------------------------------------------------------------------------


def test_a_purge_removes_what_is_its_own(team):
    """The purge role changes and deletes its own rows in every table, and nobody else's."""
    paul, others = team("paul"), {person: counts(team(person)) for person in ("ann", "ben")}
    assert paul.execute("UPDATE messages SET content = '', body = NULL WHERE message_index = 1").rowcount == 1
    for table in reversed(OWNED):
        with paul.transaction():
            if table == "conversations":  # their messages go with them, as the tables' owner deletes them
                paul.execute("SET LOCAL export_dedup.purging = 'on'")
            assert paul.execute(f"DELETE FROM {table}").rowcount == OWN[table]
    assert counts(paul) == NONE
    assert {person: counts(team(person)) for person in ("ann", "ben")} == others


def test_a_purge_may_not_empty_a_table(team):
    """TRUNCATE knows no owner of rows: nobody but the tables' owner may."""
    paul = team("paul")
    for table in OWNED:
        with pytest.raises(REFUSED):
            paul.execute(f"TRUNCATE {table} CASCADE")


def test_what_goes_with_a_conversation_must_be_announced(team):
    """Deleting a conversation deletes its messages and runs: unannounced it is refused, and the audit always stays."""
    paul = team("paul")
    with pytest.raises(REFUSED, match="append-only"):
        paul.execute("DELETE FROM conversations")
    assert counts(paul) == OWN
    with paul.transaction():
        paul.execute("SET LOCAL export_dedup.purging = 'on'")
        paul.execute("DELETE FROM conversations")
    assert counts(paul) == OWN | dict.fromkeys(("conversations", "messages", "runs", "watermarks"), 0)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("person", ["olga", "postgres"])
def test_the_owner_of_the_tables_must_announce_a_purge(team, table, person):
    """The owner is not bound by rights, nor is a superuser: a trigger refuses them, until they say what they do."""
    owner = team(person)
    statements = (f"UPDATE {table} SET created_at = now() WHERE FALSE", f"DELETE FROM {table}", f"TRUNCATE {table}")
    for statement in statements:
        for setting in ("off", ""):
            owner.execute("SELECT set_config('export_dedup.purging', %s, FALSE)", [setting])
            with pytest.raises(REFUSED, match=f"of {table} is refused: it is append-only"):
                owner.execute(statement)
    for statement in statements:
        with owner.transaction():
            owner.execute("SET LOCAL export_dedup.purging = 'on'")
            owner.execute(statement)
    with pytest.raises(REFUSED, match="append-only"):
        owner.execute(f"DELETE FROM {table}")


def test_an_announcement_gives_no_rights(team):
    """A user who got DELETE by mistake deletes nothing: announcing is for the owner of the tables only."""
    team.server.execute("GRANT DELETE ON messages TO ann", database=team.database)
    ann = team("ann")
    ann.execute("SET export_dedup.purging = 'on'")
    with pytest.raises(REFUSED, match="append-only"):
        ann.execute("DELETE FROM messages")


# --- the owner and the script -------------------------------------------------------------------------------------


def test_the_owner_makes_tables_and_reads_all(team):
    """A member of the owner's role applies migrations in its name and is not bound by row-level security."""
    olga = team("olga")
    assert counts(olga) == ALL
    with olga.transaction():
        olga.execute("DELETE FROM schema_version WHERE version = %s", [schema.newest()])
    assert schema.bring_up(olga) == schema.newest()
    with pytest.raises(REFUSED):
        team("ann").execute("CREATE TABLE another (n INTEGER)")


def test_the_script_may_be_run_again(team):
    """It changes nothing the second time, and takes away a right that a role should not have."""
    with team.server.connect(team.database) as connection:
        first = catalogue(connection)
        connection.execute("GRANT UPDATE, DELETE, TRUNCATE ON messages TO dedup_app_role, PUBLIC")
        connection.execute("GRANT INSERT ON stores TO dedup_reader_role, dedup_team_role")
        assert catalogue(connection) != first
        psql(team.server, team.database, "create_roles.sql")
        assert catalogue(connection) == first
    assert {row[1] for row in first["privileges"] if not row[0].endswith("seq")} == {"dedup_owner_role"}


def test_every_table_has_both_policies(team):
    """Row-level security is on for each table with an owner, with the policy of one's own rows and that of the team."""
    with team.server.connect(team.database) as connection:
        found = catalogue(connection)
    assert {row[0] for row in found["tables"] if row[2]} == set(OWNED) == set(schema.TABLES) - {"schema_version"}
    policies = {(row[0], row[1], row[2], row[4]) for row in found["policies"]}
    assert policies == {(table, "own", "*", "{-}") for table in OWNED} | {
        (table, "team", "r", "{dedup_team_role}") for table in OWNED
    }


def test_an_administrator_who_is_no_superuser(postgres, shared):
    """Who owns the database and may create roles runs both scripts, as on a hosted server."""
    shared(postgres)  # or the roles are not there and stay behind
    postgres.execute("CREATE ROLE hoster LOGIN CREATEROLE")
    for role in ROLES:
        postgres.execute(f"GRANT {role} TO hoster WITH ADMIN OPTION")
    name = postgres.new_database()
    try:
        postgres.execute(f'ALTER DATABASE "{name}" OWNER TO hoster')
        postgres.execute("GRANT ALL ON SCHEMA public TO hoster", database=name)
        psql(postgres, name, "create_schema.sql", user="hoster")
        psql(postgres, name, "create_roles.sql", user="hoster")
        psql(postgres, name, "create_schema.sql", user="hoster")
        with postgres.connect(name, "ann") as ann:
            fill(ann)
            assert counts(ann) == OWN
    finally:
        postgres.drop_database(name)
        postgres.execute("DROP ROLE hoster")


def test_a_schema_of_another_name(postgres, shared):
    """Both scripts and the program go to the schema that they are told, whatever letters its name has."""
    shared(postgres)
    name = postgres.new_database()
    try:
        postgres.execute('CREATE SCHEMA "Team A"', database=name)
        psql(postgres, name, "create_schema.sql", path='"Team\\ A"')
        psql(postgres, name, "create_roles.sql", schema="Team A")
        assert "does not exist" in psql(postgres, name, "create_roles.sql", check=False).stderr
        with postgres.connect(name, "ann", options=r'-c search_path="Team\ A"') as ann:
            fill(ann)
            assert counts(ann) == OWN
            assert ann.execute("SELECT total_messages FROM conversations").fetchone() == (3,)
    finally:
        postgres.drop_database(name)


def test_the_list_of_tables_is_whole():
    """What the tests here go through is every table that has an owner."""
    assert set(postgres_rows.OWNED) == set(schema.TABLES) - {"schema_version"}
