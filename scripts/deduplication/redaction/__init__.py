"""The rules behind ``privacy.py``: one room for each kind of thing that must not be shared."""
