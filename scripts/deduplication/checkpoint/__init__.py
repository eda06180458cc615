"""A checkpoint: its document, its line in the README, one commit of only our files."""
