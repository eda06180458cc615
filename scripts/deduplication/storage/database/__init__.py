"""A store in PostgreSQL: the same log, line by line, in tables."""
