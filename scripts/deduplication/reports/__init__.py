"""Everything the user reads: pure functions of numbers. Nothing here opens a file."""
