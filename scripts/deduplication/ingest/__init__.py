"""One export or transcript into a store.

- *input*: the file, or the part of one, that a run reads: name, SHA-256, size (``result.Input``)
- *export view*: what an export shows, in the terms of alignment; a second copy of itself is left out (``export_view``)
- *belonging*: the conversation that an export belongs to, and those that it shows to be the same one (``conversation_match``)
- *placement*: where each message of a view stands in its conversation, and what is new (``placement``)
- *run*: one export stored, whole or not at all: its occurrences, then its commit record (``store_export``)
- *capture*: the same for the lines that were added to a transcript (``transcript_capture``)
- *located file*: which stored message each message of a file is, with nothing stored (``locate_stored``)

Every way into the store ends in ``one_export.process``.
"""
