"""The git executable, and what a repository tells.

- plumbing: git run without configuration, hooks or prompts in the way (``plumbing``)
- repository: its head, branch, changes, submodules, and operations in progress (``repository``)
"""
