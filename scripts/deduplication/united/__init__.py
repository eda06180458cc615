"""What several machines left in one folder that something synchronises, brought together: archive and log.

- *copy*: the second of two files of one name, as such programs leave it beside the first one
- *fork*: the number of the first archived file that two machines both gave (``packs.pack_copies``)
"""
