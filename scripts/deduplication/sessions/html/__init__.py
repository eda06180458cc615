"""A conversation as one page of HTML that runs without a network.

- *page*: the whole document, piece by piece
- *text*: what a message says, as HTML that can be nothing but text
- *frame*: what stands around the messages, and the policy that allows one style and one script
"""
