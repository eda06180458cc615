"""The five steps of a run.

- run: find, deduplicate, archive, checkpoint, summary (``five_steps``; of one run: ``steps``; third and fourth: ``archive_step``,
  ``checkpoint_step``); what it is asked for and how it ended: ``options``, ``outcome``
- runs at the same time: the one that waits (``shared_run``), and those that the one at work takes along (``other_runs``)
- newest export: with which a checkpoint by hand begins (``newest_export``)
- transcript: the client's own file, archived where the settings say so (``archive_transcripts``)
- end of a run: what failed is noted, the figures are left for Prometheus (``run_end``)
- status log: every run's report, one after the other (``status_log``)
- new messages: what a run has found, as a file of its own (``new_messages_file``)
- session export manager: the same for callers from Python (``session_export_manager``)
"""
