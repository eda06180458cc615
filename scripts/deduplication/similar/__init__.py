"""What says nearly the same in several places, found for who asks; nothing is ever united or removed by it.

- said: one content of the store, once, however often it was said, with the place where it was said first (``said``)
- near: two contents that share most of their words in the same order: found by MinHash, proven word by word (``near``)
- meant: two contents that an embedding takes for the same thing in other words: a guess, told apart from the above (``meant``)
- overlap: two conversations that have many contents in common, the same or near ones (``overlap``)
"""
