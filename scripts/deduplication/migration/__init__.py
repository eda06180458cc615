"""A store moved from one backend to another, whole, proven, and with the source left as it was.

- *source*, *target*: a store of any kind that has a log; the source may be a state folder of the original project, too
- *copied*: lines of the log taken over as they are, behind those that the target has already (``copying``)
- *united*: runs of the source done once more in a target that has a log of its own (``exchange.uniting``)
- *proof*: both sides counted and read back, message by message, and compared (``proof``)
"""
