"""The server: its address, connections that are made anew where they are lost, and a name for each way that one fails.

- *address*: where a database is, never shown with a password (``address``, ``address_reader``)
- *link*: the connection of this process, and the one that takes its place (``link``)
"""
