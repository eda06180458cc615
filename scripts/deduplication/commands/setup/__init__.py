"""Into a project and out of it again, and the demonstration. This room stays in the origin: what is installed has no installer."""
