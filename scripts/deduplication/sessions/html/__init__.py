"""A conversation as one page of HTML that runs without a network.

- *page*: the whole document, piece by piece
- *pieces*, *facts_list*: what messages are put together from; what stands at the top
- *blocks*, *lines*, *inline*, *emphasis*: what a message says in Markdown, as HTML that can be nothing but text
- *text*: code, and the lines of a difference
- *frame*, *style*, *icons*, *script*: what stands around the messages, and the policy that allows one style and one script
"""
