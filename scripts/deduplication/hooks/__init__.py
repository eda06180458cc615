"""What happens by itself: the handlers of the client's hook events.

- event: what the client tells a hook, as one JSON object; ``events`` has one handler for each
- quick answer: ``quick`` tells in a few milliseconds that nothing is new, from the marker that the last hook left
- work: what the handlers share, for one event at one place (``work``); ``exports`` is its part for files of ``/export``
- store location: in the project once it opted in, else in the user's own store (``store_location``)
- notice: a line in the corner of the client's screen, one at a time (``notices``); ``messages`` are those that come once
- event log: which events the client fired, and when last (``event_log``); ``failures`` has what went wrong
"""
