"""Snapshots of a store in another folder: taken while runs go on, each part once, checked, kept for some days, restored.

``docs/backup.md`` has the format. ``known.known`` lists the folders that have backups of a store, and ``renewing.renew`` makes
them forget what the store no longer has.
"""
