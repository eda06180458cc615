"""What a store's audit comes to: figures of all runs, how they go from day to day, and the same for Prometheus.

- *audited run*: an entry of the audit in numbers (``audited_runs``); *distribution*: how long they took (``distribution``)
- *measurement*: every figure of a store of any backend, at one moment (``measurement``; shapes: ``store_metrics``); what its
  database says of itself (``database_health``)
- *period*: the same for each day or week, *conversation*: for each conversation (``trends``)
- *operation*: what is done to a store besides runs, and what fails, noted by whoever does it (``operations``)
- *exposition*: text for Prometheus (``exposition``, the families in ``families``); the file of it that a run leaves (``textfile``)
- *CSV*: one row a run (``runs_csv``)
"""
