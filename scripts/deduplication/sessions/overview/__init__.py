"""The index of all sessions, as Markdown and as a page, and a README that says what each folder of ``MEMORY-CONTEXT`` is."""
