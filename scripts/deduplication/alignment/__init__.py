"""Pure functions: the keys of a message, what is known and what is shown to a plan, the reading order."""
