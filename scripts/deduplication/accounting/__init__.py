"""Store and archive together: bytes seen against bytes on disk."""
