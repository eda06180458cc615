"""A conversation in memory: applies alignment plans and windows as a store does, and nothing else."""

from __future__ import annotations

from deduplication.alignment import plan as alignment
from deduplication.alignment import same_source
from deduplication.alignment.columns import Columns, columns
from deduplication.alignment.fingerprint import fingerprints
from deduplication.alignment.reading_order import ranges, reading_order
from deduplication.model import ASSISTANT, LOCAL_COMMAND, PROMPT, SYSTEM, TEXT, TOOL_CALL, USER, Message

_ROLES = {PROMPT: USER, LOCAL_COMMAND: USER, TEXT: ASSISTANT, TOOL_CALL: ASSISTANT}


def message(kind, content):
    """One message with the role that its kind has in text exports."""
    return Message(_ROLES.get(kind, SYSTEM), kind, content)


class Memory:
    """One conversation that grows by exports."""

    def __init__(self):
        self.rows = Columns()
        self.messages = []
        self.windows = []
        self.extends = {}
        self.continuations = []

    def reading(self):
        """The reading order that follows from the windows."""
        return reading_order(len(self.messages), self.windows, self.extends, self.continuations)

    def contents(self):
        """What a reader of the conversation gets."""
        return [self.messages[number].content for number in self.reading().order]

    def plan(self, shown):
        """How an export would be aligned."""
        return alignment.plan(self.rows, self.reading(), columns(fingerprints(shown)), self._compare(shown))

    def add(self, shown, *, continues=False):
        """Process an export; returns the sequence number of each message that it shows."""
        plan = self.plan(shown)
        numbers = []
        for position, item in enumerate(fingerprints(shown)):
            match = plan.matches[position]
            if match is not None and position not in plan.grown:
                numbers.append(match)
                continue
            number = len(self.messages)
            if match is not None:
                self.extends[number] = match
            self.rows.append(item)
            self.messages.append(shown[position])
            numbers.append(number)
        self.windows.append(ranges(numbers))
        if continues and numbers:
            self.continuations.append(numbers[0])
        return numbers

    def _compare(self, shown):
        return Compared(self.messages, shown)


class Compared:
    """What shown messages are to stored ones (alignment.Compare)."""

    def __init__(self, messages, shown):
        self._messages, self._shown = messages, shown

    def relation(self, position, number):
        shown = self._shown[position]
        return same_source.relation(shown.kind, self._messages[number].content, shown.content)

    def grew(self, position, number):
        return self.relation(position, number) == same_source.GROWN

    def wins(self, position, number):
        shown, stored = self._shown[position], self._messages[number]
        return same_source.wins(stored.content, stored.fidelity, shown.content, shown.fidelity)
