"""Installing into a project, and out of it again; the demonstration. These rooms stay in the checkout.

- target: a file as it must be in the project (``targets``)
- manifest: what we put there, by path and hash: by it our files are told from the user's (``manifest``)
- plan: one step a file; it only looks, and nothing is written before the whole of it is known (``plan``)
- environment: the Python that runs the commands, and the packages in it (``environment``)
- client: the version of Claude Code, which decides on the hooks (``client``, ``settings``)
"""
