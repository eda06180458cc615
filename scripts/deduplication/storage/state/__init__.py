"""What the log says, counted."""
