"""Every durable write, every lock, every safe read.

- anchor: a folder out of which no call below it is led, whatever link is swapped in (``anchored``; ``beneath`` has the calls)
- atomic replacement: a file is the old one or the new one, whole and on the disk (``atomic``)
- lock: one writer at a time; it dies with its holder (``locking``, ``lock_names``)
- turn: one process works, and answers those that wait for it (``turn``)
- safe read: only regular files, and only as they were when they were opened (``safe_read``)
- folder swap: a folder that takes another one's place in one step (``folder_swap``)
- journal: many files changed as one; what was decided is done by whoever comes next (``journal``)
- proven prefix: whether a file that has grown still begins as it did (``prefix_proof``)
"""
