"""What happens in a store while somebody watches: exports, captures, hooks, purges. Needs no extra.

- *history*: the runs of a store, read on from where they were read last (``history``)
- *feed*: events as they come, and what is under way (``feed``); *screen*: the same as a table that stays (``screen``)
"""
