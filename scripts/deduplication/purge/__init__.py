"""Removing something for good: what is meant, what shows it, everything anew without it, and the proof that it is gone.

``scope`` is what a person names, ``plan`` what that comes to in the store, ``archived`` and ``beside`` what it comes to in the
files around it; ``run`` does it as one change, ``proof`` looks for it afterwards.
"""
