"""The rules behind ``redaction/redact.py``: one room for each kind of thing that must not be shared."""
