"""Where things lie: folders, settings, exports to be found, the client's transcripts."""
