"""One function a subcommand; each returns an exit code."""
