"""The git executable, and what a repository tells."""
