"""The backends under test by name, and empty stores of each: in memory, in a folder, or of an owner of a database."""

from __future__ import annotations

import contextlib
import itertools
import weakref

import postgres_fixtures
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage.database.schema import bring_up
from in_memory_store import Content, MemoryStore

MEMORY = "memory"
FOLDERS = ("json", "default")
DATABASES = {f"postgresql-{version}": version for version in postgres_fixtures.versions()}
"""By the name of the backend the version of the server."""
LOGGED = (*FOLDERS, *DATABASES)
"""Those that have a log."""
EVERY = (MEMORY, *LOGGED)
_OWNERS = itertools.count(1)


def require_server(backend):
    """Skip the test where there is no server for a backend, or nothing that speaks to one."""
    postgres_fixtures.require_psycopg()
    if DATABASES[backend] == "none":
        postgres_fixtures.missing("no PostgreSQL server is found")


class Stores:
    """Empty stores; the same ``place`` again is the same store, opened anew as the next process would.

    In a database each is that of another owner: in the same tables, which hide nothing from them.
    """

    def __init__(self, request, folder):
        self._request, self._folder = request, folder
        self._contents = {}
        self._urls = {}
        self._servers = {}
        self._opened = []
        self._stack = contextlib.ExitStack()

    def others(self, folder):
        """More empty stores, in the same databases."""
        made = Stores(self._request, folder)
        for backend in DATABASES:
            made._servers[backend] = self.server(backend)
        return made

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()
        self._stack.close()

    def close(self):
        """End all connections."""
        for store in filter(None, (each() for each in self._opened)):
            store.database.close()
        self._opened.clear()

    def closing(self, dedup):
        """End its connection, too, where nobody let go of it before."""
        self._opened.append(weakref.ref(dedup.store))
        return dedup

    def opened(self, backend, place="state"):
        """A deduplicator over the store of this backend at a place."""
        if backend in DATABASES:
            url = self.url(backend, place)
            return self.closing(ClaudeConversationDeduplicator(self._folder / place, "postgresql", url))
        if backend != MEMORY:
            return ClaudeConversationDeduplicator(self._folder / place / backend, backend)
        dedup = ClaudeConversationDeduplicator(self._folder / place / backend)
        dedup.store = MemoryStore(self._contents.setdefault(place, Content()))
        return dedup

    def server(self, backend):
        """The server of a backend, and the name of a database with empty tables there."""
        if backend not in self._servers:
            require_server(backend)
            server = self._request.getfixturevalue("postgres_servers")(DATABASES[backend])
            database = server.new_database()
            self._stack.callback(server.drop_database, database)
            with server.connect(database) as connection:
                bring_up(connection)
            self._servers[backend] = server, database
        return self._servers[backend]

    def url(self, backend, place="state"):
        """The connection string of the owner whose store lies at a place."""
        if (backend, place) not in self._urls:
            server, database = self.server(backend)
            owner = f"{database}_owner{next(_OWNERS)}"
            server.execute(f'CREATE ROLE "{owner}" LOGIN SUPERUSER')
            self._stack.callback(server.execute, f'DROP ROLE "{owner}"')
            self._urls[backend, place] = server.dsn(database, owner)
        return self._urls[backend, place]
