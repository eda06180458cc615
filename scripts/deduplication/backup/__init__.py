"""Snapshots of a store in another folder: taken while runs go on, each part once, checked, kept for some days, restored.

- backup: a folder with the snapshots of one store (``folder``); ``known`` has the backups that a store knows of
- source: what is backed up: a store, with its archive and settings where it is a project's (``source``, ``selection``)
- snapshot: the files of one moment, by path, mode and SHA-256 (``manifest``, ``taking``)
- object: a part of a file, stored under its hash once for all snapshots (``objects``)
- retention: which snapshots go, and with them the objects that no other one needs (``retention``)
- target: where a snapshot is restored to (``restoring``), staged beside it and put there in one step (``staging``)

``docs/backup.md`` has the format.
"""
