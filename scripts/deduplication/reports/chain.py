"""What the user reads of the log as a chain: its head, and whether one that was kept still vouches. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..files.clock import local
from ..terminal.console import printable

if TYPE_CHECKING:
    from ..storage.log.chain import Chain, Replaced


def head(chain: Chain) -> str:
    """What ``verify`` says of a log that is whole; nothing of an empty one."""
    found = chain.head
    if not found.run:
        return ""
    return (
        f"🔗 Head: {found.digest}\n"
        f"   after run {found.run:,}, {_on(found.at)}. Keep it, and 'verify --since' proves later that nothing before it "
        "was changed."
    )


def since(chain: Chain) -> str:
    """What it says of the head that was asked for."""
    if chain.vouches():
        found = chain.found[0]
        came = chain.head.run - found.run
        more = counted(came, "run came", "runs came") if came else "no run came"
        return (
            f"🔒 Everything up to run {found.run:,}, of {_on(found.at)}, is what it was, byte for byte; {more} since."
        )
    return "\n".join(f"{'❌' if not number else '  '} {each}" for number, each in enumerate(_why_not(chain)))


def _why_not(chain: Chain) -> list[str]:
    """Why nothing is proven, and what can be said."""
    if len(chain.found) > 1:
        runs = ", ".join(f"{each.run:,}" for each in chain.found)
        return [f"Several heads begin with {chain.wanted}: those behind the runs {runs}. Pass more digits."]
    if chain.found and chain.broken is not None:
        stands = f"behind run {chain.broken.run:,}" if chain.broken.run else "from its beginning on"
        return [
            f"The head {chain.wanted} is that behind run {chain.found[0].run:,}, but the log before it was changed {stands}."
        ]
    replaced = [each for each in chain.replaced if each.head.startswith(chain.wanted)]
    if replaced:
        return [_from_before(chain, replaced[-1]), _still(replaced[-1])]
    return [f"No run has the head {chain.wanted}: what it vouched for cannot be proven.", *_perhaps(chain)]


def _from_before(chain: Chain, each: Replaced) -> str:
    removed = chain.purged.get(each.at)
    what = f", which removed {removed:,} message{'s' * (removed != 1)}" if removed is not None else ""
    return (
        f"The head {chain.wanted} is from before the {printable(each.by)} of {_on(each.at)}{what}: "
        "what it vouched for cannot be proven any more."
    )


def _still(each: Replaced) -> str:
    if not each.kept:
        return "No run has the head that it had before."
    return f"Up to run {each.kept:,} every head is what it was before."


def _perhaps(chain: Chain) -> list[str]:
    """Who wrote the log anew since: the head may have been one of those."""
    found = [
        f"The {printable(each.by)} of {_on(each.at)} replaced the heads behind run {each.kept:,}, up to run {each.runs:,}."
        for each in chain.replaced
    ]
    found += [
        f"The purge of {printable(at)} was to forget, and kept no head that there was before." for at in chain.forgotten
    ]
    return found


def as_data(chain: Chain) -> dict[str, Any]:
    """The same for ``--json``."""
    head = chain.head
    found: dict[str, Any] = {"head": {"digest": head.digest, "run": head.run, "at": head.at} if head.run else None}
    if chain.wanted:
        vouches = chain.vouches()
        found["since"] = {"asked": chain.wanted, "unchanged": vouches}
        if vouches:
            first = chain.found[0]
            found["since"].update(head=first.digest, run=first.run, at=first.at, runs_since=chain.head.run - first.run)
        else:
            found["since"]["why"] = " ".join(_why_not(chain))
    return found


def _on(moment: str) -> str:
    """On the user's own clock."""
    return printable(local(moment))
