"""Removing something for good: what is meant, what shows it, all of it made without that, and the proof that it is gone.

- scope: what a person names (``scope``), and the occurrences that this means (``scope_chosen``)
- plan: the tombstones that take the place of those, what goes with them, and what stays and why (``plan``)
- affected files: archived ones and those in quarantine that show what goes (``affected_files``); blanked, or removed (``archived``)
- stage: the new store and archive beside the old ones (``stage_store``, ``stage_archive``), decided by one journal (``carry_out``)
- recovery: the end of a purge that was stopped, by whoever comes next (``recovery``)
- proof: the search for what was purged in all that is left (``proof``, with the ``probes`` of the plan)
- reach: copies that no purge can reach, for their owner to know (``reach``)
"""
