"""The five steps of a run."""
