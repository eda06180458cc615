"""Numbers as data: what a run did and what it saved. This room imports nothing.

- *export result*: what became of one export: total = new + duplicates
- *run result*: all exports of a run, with the sums
- *savings*: bytes by what saved them: identical files, known messages, doubled blobs, compression
"""
