"""What reaches a screen, and how a child process is run."""
