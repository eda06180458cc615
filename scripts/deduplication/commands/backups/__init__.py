"""Backups of a store: snapshots in another folder and back, and a backup as one encrypted file."""
