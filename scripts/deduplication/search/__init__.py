"""From words to hits.

- *term*: a word or a phrase, folded so that case and kinds of white space make no difference (``terms``)
- *scan*: one pass over the log, in which only lines that may hold the terms are decoded (``scan``)
- *hit*: a body that has every term, and its places, as many as it occurs
- *excerpt*: the stretch of a hit's text around what was found
"""
