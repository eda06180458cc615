"""A checkpoint: its document, its line in the README, one commit of only our files.

- document: the state of project, repository, tasks and sessions at one moment (``document``, ``git_section``, ``completed_tasks``)
- run figures: what a run came to, as the document and the commit message tell it (``run_figures``)
- README entry: a line for each checkpoint in a section of its own (``readme_entry``, ``readme_file``)
- scoped commit: a commit of our paths alone, whatever the user has staged (``scoped_commit``, ``scoped_entries``)
- HEAD's trees with our files in them, and the objects that are new for it (``head_trees``, ``new_objects``)
- record of an unfinished checkpoint: by which the next one sets right what a killed process left (``recovery``)
"""
