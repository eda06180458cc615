"""The archive of raw exports: every file byte for byte, each part of it stored once, compressed.

``packing`` moves plain archived files into packs, ``restoring`` gives any of them back, ``checking`` re-hashes every byte.
Below them: ``packs`` reads all packs as one, ``adding`` and ``filling`` write one, ``frames`` and ``records`` are its bytes.
"""
