"""What happens by itself: the handlers of the client's hook events.

``entry`` is the process, ``quick`` tells in a few milliseconds that there is nothing to do, ``place`` says where the store is,
``events`` has one handler an event and ``work`` what they share.
"""
