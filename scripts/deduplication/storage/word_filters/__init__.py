"""Which words stand where in the log, roughly: a small filter for each block of it, so that a search reads few blocks.

- *block*: whole lines of the log, some megabyte of them, whatever file has them
- *key*: what a filter is asked for: a word, the beginning of one, the hash of a body, a conversation
- *filter*: bits that tell for each key that a block has "may be", and for most others "no"
- *covered*: the part of the log that has filters; what comes behind it is read whenever somebody searches

All of it follows from the log, line by line: made once more it is the same, bit for bit.
"""
