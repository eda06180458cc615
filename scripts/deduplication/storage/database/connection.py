"""interim"""

import contextlib


def connect(address):
    import psycopg

    return psycopg.connect(address.text, autocommit=True)


@contextlib.contextmanager
def named(address):
    yield
