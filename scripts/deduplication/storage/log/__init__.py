"""The append-only log as bytes: lines, sealing, bit flips, salvage."""
