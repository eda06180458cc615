"""A second server that follows a first one, is promoted when that one is gone, and may take it back as its own standby."""

from __future__ import annotations

import postgres_server


def standby_of(primary, slot="standby"):
    """A standby, running: it has what the primary has, and takes no changes. To be stopped by the caller."""
    made = postgres_server.Server(primary.installation)
    made.settings.update(primary.settings)
    copy = ("-R", "-X", "stream", "-C", "-S", slot, "-c", "fast", "--no-sync")
    postgres_server.run(made.installation.path("pg_basebackup"), "-D", str(made.data), "-d", primary.dsn(), *copy)
    return made.start()


def acknowledge_together(primary, standby):
    """From now on a commit on the primary is one on the standby, too: none is lost with the primary."""
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.execute("SELECT pg_reload_conf()")
    wait_for_standby(primary, standby)
    synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    postgres_server.wait_for(lambda: primary.execute(synchronous) == [(1,)], "the standby does not acknowledge")


def wait_for_standby(primary, standby):
    """Wait until the standby has all that was committed on the primary so far."""
    ((position,),) = primary.execute("SELECT pg_current_wal_lsn()::text")
    postgres_server.wait_for(
        lambda: standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]) == [(True,)],
        "the standby is behind",
    )


def promote(standby):
    """Make the standby a primary."""
    standby.execute("ALTER SYSTEM RESET synchronous_standby_names")
    assert standby.execute("SELECT pg_promote(wait => true)") == [(True,)]


def follow(old, new, slot="old"):
    """Make ``old``, which was killed, a standby of ``new``: what it had alone is undone."""
    new.execute("SELECT pg_create_physical_replication_slot(%s)", [slot])
    new.execute("CHECKPOINT")
    old.start().stop()  # it recovers first
    command = (old.installation.path("pg_rewind"), "-D", str(old.data), "--source-server", new.dsn(), "-R", "--no-sync")
    postgres_server.run(*command)
    return old.start(primary_slot_name=slot)
