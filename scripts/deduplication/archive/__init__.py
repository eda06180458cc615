"""The archive of raw exports: every file byte for byte, each part of it stored once, compressed.

- drop folder: where exports are looked for (``discovery``); from there they go into the archive as plain files (``drop_folder``)
- pack: a file that holds many archived ones (``packs``); ``pack_files`` moves plain files into one once they are old enough
- archived file: plain or packed, found by name, session or SHA-256 and given back (``restore``, ``restore_to_client``)
- inventory: the list of what the archive took in, kept twice, by which a file that is missing is named (``inventory``, ``listed``)
- note of purged files: which files are not what was exported, because messages of theirs were purged (``purged_files``)
- verification: every byte re-hashed (``verify``), or the inventory against what is there (``completeness``)
"""
