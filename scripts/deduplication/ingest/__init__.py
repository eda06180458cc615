"""One export or transcript into a store."""
