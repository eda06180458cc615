"""An import into a database during which something happens: a store that has all exports of a story but the last one."""

from __future__ import annotations

import random
import time

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept
from faults.children import end, run, start


def opened(url):
    """A store as a process of its own opens it."""
    return ClaudeConversationDeduplicator("nowhere", "postgresql", url)


def ingest(url, file, name):
    """A job that stores one export; how many messages were new."""
    return lambda: opened(url).ingest(file.data, name=file.name, conversation_id=name).new


class Import:
    """The exports of a story, of which the last one is imported while something happens."""

    def __init__(self, exchanges=10, every=5):
        self.story = Story(31, exchanges=exchanges)
        self.files = self.story.exports(every)

    def last(self, url):
        """The job."""
        return ingest(url, self.files[-1], "s")

    def half(self, url):
        """Store everything before it."""
        for file in self.files[:-1]:
            outcome = run(ingest(url, file, "s"))
            assert outcome.trace == outcome.error == ""

    def moments(self, url, times):
        """So many moments within the time that it takes at a place for which nothing else is meant, and a little after it."""
        self.half(url)
        began = time.monotonic()
        assert run(self.last(url)).value > 0
        took = time.monotonic() - began
        return [1.1 * took * (number + random.Random(number).random()) / times for number in range(times)]

    def is_whole(self, url):
        """Whether a store has the last export, too; nothing of it is there if not, and nothing is wrong."""
        dedup = opened(url)
        assert dedup.store.verify() == []
        with dedup.store.transaction(write=False):
            exports = dedup.store.store_figures().exports
        dedup.store.database.close()
        assert exports in (len(self.files) - 1, len(self.files))
        return exports == len(self.files)

    def completes(self, url):
        """The next run stores what is missing, once, and everything agrees."""
        assert run(self.last(url)).error == ""
        dedup = opened(url)
        assert kept(dedup.get_full_conversation("s")) == self.story.truth()
        assert dedup.global_unique_count() == dedup.store.announced().announced
        assert dedup.store.verify() == []
        dedup.store.database.close()

    def hit(self, url_of, times, fault):
        """At so many moments of as many imports, and before another one, ``fault`` happens, a context in which it comes to its end.

        Each either stores everything, or ends with an error that has a name and stores all or nothing; the next run completes it.
        Returns the names of the errors, "" for an import that went on.
        """
        ends = []
        for number, moment in enumerate([None, *self.moments(url_of("measured"), times)]):
            url = url_of(number)
            self.half(url)
            if moment is None:
                with fault(url):
                    outcome = run(self.last(url))
            else:
                child = start(self.last(url))
                time.sleep(moment)
                with fault(url):
                    outcome = end(*child)
            assert outcome.trace == ""
            assert self.is_whole(url) or outcome.error
            self.completes(url)
            ends.append(outcome.error.partition(":")[0])
        return ends
