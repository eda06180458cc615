"""Moving a store to another backend, and what ``scripts/database`` has: one function each."""
