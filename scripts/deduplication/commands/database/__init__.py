"""A store moved to another backend, or brought together with its database, and what ``scripts/database`` has: one function each."""
