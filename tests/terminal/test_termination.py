"""termination: a signal ends a block as an exception, once, and everything is as it was afterwards."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from deduplication.terminal import termination

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a word")
RAISED = [
    (signal.SIGINT, KeyboardInterrupt, ()),
    (signal.SIGTERM, SystemExit, (143,)),
    (signal.SIGHUP, SystemExit, (129,)),
]


@pytest.mark.parametrize(("number", "kind", "arguments"), RAISED, ids=["INT", "TERM", "HUP"])
def test_the_first_signal_raises_and_the_next_do_nothing(number, kind, arguments):
    """What is undone because of one is undone to its end; behind the block the handlers are those of before."""
    before = [signal.getsignal(each) for each, _, _ in RAISED]
    undone = []
    with pytest.raises(kind) as raised, termination.in_order():
        try:
            signal.raise_signal(number)
        finally:
            for each, _, _ in RAISED:
                signal.raise_signal(each)
            undone.append(True)
    assert raised.value.args == arguments
    assert undone == [True]
    assert [signal.getsignal(each) for each, _, _ in RAISED] == before


def test_what_was_ignored_stays_ignored():
    """As nohup has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with termination.in_order():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_changes_nothing():
    """Only the main one may."""
    seen = []

    def work():
        with termination.in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
