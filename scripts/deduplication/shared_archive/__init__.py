"""An archive in a database, too: its packs and plain files are sent there, and whoever may read it restores from there.

- object: the bytes of one file of the archive, by their SHA-256 (``storage.database.archive_tables``); too large for the database
  they lie in a folder that the team names (``team_folder``), or stay on their machine
- state: what an archive has, by name, and where its objects are (``archive_state``); each machine has an archive of its own
- note: what this archive said last, and the hashes of its files (``sent_note``)
- exchange: what the database does not have is sent, and what packs have taken in is removed there (``exchange``)
- elsewhere: files of other archives, found and fetched for a restore (``elsewhere``, ``late_packs``, ``fetching``)
"""
