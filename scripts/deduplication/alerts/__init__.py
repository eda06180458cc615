"""What needs somebody's attention: rules by level, each alert told once, and where it is sent.

- *alert*: one of them, as every surface shows it (``alert``); *rules*: how each is found (``rules``)
- *watchdog*: what the client wrote against what the store took (``watchdog``, ``plain_reader``)
- *book*: which were told, acknowledged, resolved, and what waits to be sent (``book``)
- *sender*: a process of its own that delivers, again and again where it fails (``sender``, ``delivery``, ``targets``)
"""
