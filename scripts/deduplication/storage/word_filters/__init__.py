"""Which words stand where in the log: sorted lists of words, each with the parts of the log that have it; a search reads few parts.

- *block*: whole lines of the log, some megabyte of them, whatever file has them
- *part*: lines that begin in one sixteenth of a block
- *key*: what a filter is asked for: a word, the beginning of one, the hash of a body, a conversation
- *table*: the keys of some parts, each with the numbers of those that have it
- *record*: a table with what is said of its blocks: a single one, or :data:`~.block.GROUP` together
- *covered*: the part of the log that has filters; what comes behind it is read whenever somebody searches

All of it follows from the log, line by line: made once more it is the same.
"""
