"""The indexes, JSON and SQLite, behind one Protocol."""
