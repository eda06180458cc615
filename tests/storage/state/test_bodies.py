"""Bodies: found by the beginning of a hash, proven by the log, and many of them in its order."""

from __future__ import annotations

from deduplication.alignment.fingerprint import Fingerprint
from deduplication.storage.state.bodies import Bodies
from deduplication.storage.state.places import Places, body_prefix
from deduplication.storage.state.stretches import Stretches

HASHES = [f"{number:064x}"[::-1] for number in range(1, 9)]


def test_many_bodies_are_looked_for_in_the_order_of_the_log():
    """Each stretch is read in one go, however they are asked for; what was found or missed is not looked for again."""
    places, asked = Places(), []
    stretches = dict(zip(HASHES, (5, 2, 5, 0, 2, 7)))  # the last two are nowhere
    for identity, chunk in stretches.items():
        places.add(body_prefix(identity), chunk)

    def prove(identity, chunks):
        asked.append(chunks[0])
        return chunks[0], Fingerprint(identity, identity[:16], "prompt", "", 1)

    bodies = Bodies(Stretches(places, prove=prove))
    bodies.find_all([*HASHES, *HASHES])
    assert asked == sorted(stretches.values())
    for identity in HASHES:
        assert bodies.offset(identity) == stretches.get(identity)
    bodies.find_all(HASHES)
    assert len(asked) == len(stretches)
