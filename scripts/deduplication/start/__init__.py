"""What comes before everything else: whose modules may be imported; data classes, tuples, patterns that cost nothing at import."""
