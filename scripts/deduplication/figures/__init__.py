"""Numbers as data: what a run did and what it saved. This room imports nothing."""
