"""Installing into a project, and out of it again; the demonstration. These rooms stay in the checkout.

One way: targets -> plan -> apply. A plan only looks; nothing is written before the whole of it is known.
"""
