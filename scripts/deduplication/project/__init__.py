"""Where things lie: folders, settings, exports to be found, the client's transcripts.

- *project*: a folder with ``MEMORY-CONTEXT`` in it, and the paths below (``paths``)
- *setting*: a value of ``.coditect/config.json``; unasked, a project's may only tighten what the user's own says (``tightening``)
- *approval*: a person's yes to one settings file, by its hash (``approvals``)
- *export name*: what a file's name says of its session and its time (``export_names``)
- *notice*: what the client wrote into a transcript of a file that it exported to (``named_exports``)
- *transcript*: the client's own file of a session (``client_transcripts``)
"""
